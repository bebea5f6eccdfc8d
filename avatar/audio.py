"""Sound in from files and streams: decoding, resampling, and whether anybody speaks in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.errors import InputError
from avatar.types import SPEECH_RATE, AudioChunk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

_VAD_FRAME: Final = SPEECH_RATE * 30 // 1000  # webrtcvad takes 10, 20 or 30 ms
_VAD_STRICTNESS: Final = 3
_VOICED_SECONDS: Final = 0.15
_SILENCE_RMS: Final = 10 ** (-55 / 20)


class Resampler:
    """Turns a stream of sound from one rate into another; any chunking of the input gives the same output.

    Args:
        from_rate: Hz.
        to_rate: Hz.
    """

    def __init__(self, from_rate: int, to_rate: int) -> None:
        import soxr  # noqa: PLC0415 - keeps `import avatar.audio` light

        self._stream = None if from_rate == to_rate else soxr.ResampleStream(from_rate, to_rate, 1, dtype="float32")

    def push(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Takes the next samples, float32 (n,); returns what is ready, up to 50 ms less than was pushed."""
        if self._stream is None:
            return samples
        return self._stream.resample_chunk(samples)

    def finish(self) -> NDArray[np.float32]:
        """Returns what was held back; nothing may be pushed afterwards."""
        if self._stream is None:
            return np.zeros(0, np.float32)
        return self._stream.resample_chunk(np.zeros(0, np.float32), last=True)


def decode_audio(path: Path | str) -> Iterator[AudioChunk]:
    """Yields the first sound track of an audio or video file as mono chunks at the file's own rate.

    Raises:
        InputError: There is no such file, it can't be read, or it holds no sound.
    """
    import av  # noqa: PLC0415 - heavy
    from av.error import FFmpegError  # noqa: PLC0415

    path = Path(path)
    what = f"reading {path.name}"
    if not path.is_file():
        raise InputError(what, expected="an audio or video file", got="a folder" if path.is_dir() else "no such file")
    start = 0
    try:
        if path.stat().st_size == 0:
            raise InputError(what, expected="an audio or video file", got="an empty file")
        with av.open(path, metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise InputError(what, expected="sound in it", got=_kinds(container))
            resampler = None
            for frame in container.decode(container.streams.audio[0]):
                if resampler is None:
                    resampler = av.AudioResampler(format="flt", layout="mono", rate=frame.sample_rate)
                for mono in resampler.resample(frame):
                    samples = mono.to_ndarray()[0].astype(np.float32, copy=False)
                    yield AudioChunk(samples, mono.sample_rate, start)
                    start += len(samples)
    except (OSError, FFmpegError) as error:
        raise InputError(
            what,
            expected="an audio or video file",
            got=(getattr(error, "strerror", None) or str(error)).lower(),
            hint="any file that ffmpeg reads will do, e.g. WAV, MP3, M4A, FLAC, OGG, MP4",
        ) from error
    if start == 0:
        raise InputError(what, expected="sound in it", got="a sound track without samples")


def _kinds(container: object) -> str:
    kinds = sorted({stream.type for stream in getattr(container, "streams", ())})
    return "only " + " and ".join(kinds) if kinds else "no tracks"


def resampled(chunks: Iterable[AudioChunk], sample_rate: int) -> Iterator[NDArray[np.float32]]:
    """Yields the same sound at another rate in Hz; all chunks must have one rate."""
    resampler = None
    for chunk in chunks:
        resampler = resampler or Resampler(chunk.sample_rate, sample_rate)
        yield resampler.push(chunk.samples)
    if resampler is not None:
        yield resampler.finish()


def read_audio(path: Path | str, sample_rate: int) -> NDArray[np.float32]:
    """Returns a file's whole sound, mono float32 (n_samples,) at `sample_rate` Hz.

    Raises:
        InputError: As `decode_audio`.
    """
    return np.concatenate(list(resampled(decode_audio(path), sample_rate)))


def has_speech(blocks: Iterable[NDArray[np.float32]]) -> bool:
    """Tells whether sound at SPEECH_RATE, given in blocks of any length, holds 0.15 s of voice; stops reading there.

    A 30 ms frame counts if it is louder than -55 dBFS and WebRTC's voice activity detector takes it for voice.
    """
    import webrtcvad  # noqa: PLC0415 - not needed by streams

    detector = webrtcvad.Vad(_VAD_STRICTNESS)
    needed = round(_VOICED_SECONDS * SPEECH_RATE)
    voiced = 0
    rest = np.zeros(0, np.float32)
    for block in blocks:
        rest = np.concatenate((rest, block))
        n_frames = len(rest) // _VAD_FRAME
        for frame in rest[: n_frames * _VAD_FRAME].reshape(n_frames, _VAD_FRAME):
            pcm = to_int16(frame).tobytes()
            if float(np.sqrt(np.mean(frame**2))) > _SILENCE_RMS and detector.is_speech(pcm, SPEECH_RATE):
                voiced += _VAD_FRAME
                if voiced >= needed:
                    return True
        rest = rest[n_frames * _VAD_FRAME :]
    return False


def require_speech(path: Path | str) -> None:
    """Checks that somebody speaks in a file.

    Raises:
        InputError: Nobody does, or as `decode_audio`.
    """
    if not has_speech(resampled(decode_audio(path), SPEECH_RATE)):
        raise InputError(
            f"reading {Path(path).name}",
            expected="speech in it",
            got="no speech",
            hint="check that the recording is not silent and that the right file was given",
        )


def to_int16(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    """Returns float samples in [-1, 1] as 16-bit ones; what is louder is clipped."""
    return np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16)


def from_int16(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Returns 16-bit samples as float32 in [-1, 1]."""
    return samples.astype(np.float32) / np.float32(32768.0)
