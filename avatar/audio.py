"""Sound in from files and streams: decoding, resampling, and whether anybody speaks in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.assets import PackageFile, locate
from avatar.errors import InputError
from avatar.types import SPEECH_RATE, AudioChunk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

_SILERO: Final = PackageFile(
    "livekit.plugins.silero",
    "resources/silero_vad.onnx",
    "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
)
_VAD_WINDOW: Final = 512
_VAD_CONTEXT: Final = 64  # samples of the window before, which the network sees again
_VAD_PROBABILITY: Final = 0.5
_VOICED_WINDOWS: Final = 3


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
                    layout = "stereo" if frame.layout.nb_channels > 2 else frame.layout
                    resampler = av.AudioResampler(format="fltp", layout=layout, rate=frame.sample_rate)
                for part in resampler.resample(frame):
                    samples = part.to_ndarray().mean(axis=0, dtype=np.float32)
                    yield AudioChunk(samples, part.sample_rate, start)
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


def duration(path: Path | str) -> float:
    """Returns how long a file says that it is, in seconds; 0 if it does not say."""
    import av  # noqa: PLC0415 - heavy

    with av.open(path, metadata_errors="ignore") as container:
        return (container.duration or 0) / av.time_base


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
    """Tells whether sound at SPEECH_RATE, given in blocks of any length, holds 0.1 s of voice; stops reading there.

    Silero's voice activity detector tells; noise, tones and hum, which WebRTC's takes for voice, don't count.

    Raises:
        ModelError: The detector is missing or damaged.
    """
    import onnxruntime  # noqa: PLC0415 - heavy

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(locate(_SILERO), options, providers=["CPUExecutionProvider"])
    state = np.zeros((2, 1, 128), np.float32)
    rate = np.array(SPEECH_RATE, np.int64)
    rest = np.zeros(_VAD_CONTEXT, np.float32)
    n_voiced = 0
    for block in blocks:
        rest = np.concatenate((rest, block))
        while len(rest) >= _VAD_CONTEXT + _VAD_WINDOW:
            window, rest = rest[: _VAD_CONTEXT + _VAD_WINDOW], rest[_VAD_WINDOW:]
            probability, state = session.run(None, {"input": window[None], "state": state, "sr": rate})
            n_voiced += int(np.asarray(probability).item() > _VAD_PROBABILITY)
            if n_voiced >= _VOICED_WINDOWS:
                return True
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
