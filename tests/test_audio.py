from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar.audio import (
    Resampler,
    decode_audio,
    duration,
    from_int16,
    has_speech,
    read_audio,
    require_speech,
    to_int16,
)
from avatar.errors import InputError
from tests.fakes import spoken, voice, write_wav

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def encode(path: Path, samples: NDArray[np.float32], codec: str, rate: int, *, pictures: bool = False) -> Path:
    with av.open(path, "w") as container:
        video = container.add_stream("mpeg4", rate=25) if pictures else None
        stream = container.add_stream(codec, rate=rate, layout="mono")
        if video is not None:
            video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
            for index in range(10):
                frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
                frame.pts, frame.time_base = index, Fraction(1, 25)
                container.mux(video.encode(frame))
            container.mux(video.encode())
        resampler = av.AudioResampler(stream.format, "mono", rate, frame_size=stream.frame_size or 1024)
        whole = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        whole.sample_rate, whole.pts, whole.time_base = rate, 0, Fraction(1, rate)
        for part in [*resampler.resample(whole), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return path


def test_a_wav_file_is_read_to_the_sample(tmp_path: Path) -> None:
    samples = voice(0.5, 16_000)
    read = read_audio(write_wav(tmp_path / "a.wav", samples), 16_000)
    np.testing.assert_allclose(read, samples, atol=1 / 32768)


def test_stereo_becomes_mono_at_the_same_loudness(tmp_path: Path) -> None:
    samples = voice(0.5, 16_000)
    read = read_audio(write_wav(tmp_path / "a.wav", samples, n_channels=2), 16_000)
    np.testing.assert_allclose(read, samples, atol=2 / 32768)


@pytest.mark.parametrize("rate", [8000, 22_050, 44_100, 48_000])
def test_reading_resamples_and_keeps_every_moment(tmp_path: Path, rate: int) -> None:
    samples = np.zeros(rate, np.float32)
    samples[rate // 2] = 0.9
    read = read_audio(write_wav(tmp_path / "a.wav", samples, rate), 16_000)
    assert len(read) == 16_000
    assert int(np.argmax(np.abs(read))) == 8000


@pytest.mark.parametrize(
    ("name", "codec", "rate"), [("a.mp3", "mp3", 44_100), ("a.m4a", "aac", 48_000), ("a.ogg", "libopus", 48_000)]
)
def test_compressed_sound_is_read_at_its_place(tmp_path: Path, name: str, codec: str, rate: int) -> None:
    samples = np.zeros(rate, np.float32)
    samples[rate // 2 : rate // 2 + 40] = np.hanning(40) * 0.9
    read = read_audio(encode(tmp_path / name, samples, codec, rate), rate)
    assert abs(int(np.argmax(np.abs(read))) - rate // 2 - 20) <= rate // 1000
    assert duration(tmp_path / name) == pytest.approx(1.0, abs=0.1)


def test_the_sound_of_a_video_is_read(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", spoken(1.0), "aac", 16_000, pictures=True)
    assert len(read_audio(path, 16_000)) == pytest.approx(16_000, abs=1024)
    require_speech(path)


def test_chunks_are_numbered_by_sample(tmp_path: Path) -> None:
    chunks = list(decode_audio(write_wav(tmp_path / "a.wav", voice(3.0, 16_000))))
    starts = np.cumsum([0, *(len(chunk.samples) for chunk in chunks[:-1])])
    assert [chunk.start for chunk in chunks] == starts.tolist()
    assert {chunk.sample_rate for chunk in chunks} == {16_000}


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^reading no\.wav: expected an audio or video file, got no such file$"):
        read_audio(tmp_path / "no.wav", 16_000)


def test_a_folder_is_no_sound(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="got a folder"):
        read_audio(tmp_path, 16_000)


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"")
    with pytest.raises(InputError, match="got an empty file"):
        read_audio(tmp_path / "a.wav", 16_000)


def test_a_file_that_is_no_sound_is_refused_with_what_will_do(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"this is a shopping list, not a sound" * 50)
    with pytest.raises(InputError, match="got invalid data found") as caught:
        read_audio(tmp_path / "a.wav", 16_000)
    assert "MP3" in caught.value.hint


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    whole = encode(tmp_path / "a.m4a", voice(1.0), "aac", 48_000).read_bytes()
    (tmp_path / "b.m4a").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"reading b\.m4a"):
        read_audio(tmp_path / "b.m4a", 16_000)


def test_a_wav_file_without_samples_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="got a sound track without samples"):
        read_audio(write_wav(tmp_path / "a.wav", np.zeros(0, np.float32)), 16_000)


def test_a_video_without_sound_is_refused(tmp_path: Path) -> None:
    with av.open(tmp_path / "a.mp4", "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode())
    with pytest.raises(InputError, match="expected sound in it, got only video"):
        read_audio(tmp_path / "a.mp4", 16_000)


@given(st.sampled_from([8000, 22_050, 24_000, 48_000]), st.sampled_from([16_000, 48_000]), st.integers(0, 2**32 - 1))
def test_any_chunking_resamples_to_the_same_sound(from_rate: int, to_rate: int, seed: int) -> None:
    samples = voice(0.7, from_rate)
    random = np.random.default_rng(seed)
    whole, parts = Resampler(from_rate, to_rate), Resampler(from_rate, to_rate)
    cuts = np.sort(random.integers(0, len(samples), random.integers(0, 20)))
    expected = np.concatenate([whole.push(samples), whole.finish()])
    got = np.concatenate([*(parts.push(part) for part in np.split(samples, cuts)), parts.finish()])
    np.testing.assert_array_equal(got, expected)
    assert len(got) == round(0.7 * to_rate)


def test_sixteen_bits_survive_both_ways() -> None:
    values = np.array([-32768, -1, 0, 1, 32767], np.int16)
    np.testing.assert_array_equal(to_int16(from_int16(values)), values)
    assert to_int16(np.array([2.0, -2.0], np.float32)).tolist() == [32767, -32768]


def test_a_voice_is_speech_however_it_is_cut() -> None:
    samples = spoken(2.0)
    assert has_speech([samples])
    assert has_speech(np.array_split(samples, 77))


@pytest.mark.parametrize("kind", ["silence", "hiss", "tone", "hum"])
def test_what_is_no_voice_is_no_speech(tmp_path: Path, kind: str) -> None:
    time = np.arange(5 * 16_000) / 16_000
    samples = {
        "silence": np.zeros_like(time),
        "hiss": np.random.default_rng(0).uniform(-0.3, 0.3, len(time)),
        "tone": 0.3 * np.sin(2 * np.pi * 440 * time),
        "hum": 0.3 * np.sin(2 * np.pi * 50 * time),
    }[kind]
    path = write_wav(tmp_path / "a.wav", samples.astype(np.float32))
    with pytest.raises(InputError, match=r"^reading a\.wav: expected speech in it, got no speech$"):
        require_speech(path)
