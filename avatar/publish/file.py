"""Writes synchronised frames to an MP4 file: H.264 and AAC, whole or not at all."""

from __future__ import annotations

import errno
import os
import queue
import tempfile
import threading
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from avatar.errors import InputError, OutputError
from avatar.types import FRAME_RATE, OUTPUT_RATE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import TracebackType

    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

    from avatar.types import SyncedFrame

_QUEUE_FRAMES: Final = 8
_AUDIO_BIT_RATE: Final = 128_000
_BT709: Final = 1  # the value of primaries, transfer and matrix alike (ITU-T H.273)
_X264: Final = {"preset": "veryfast", "crf": "20", "threads": "1"}


def check_output(path: Path | str, suffixes: Sequence[str] = (".mp4",), *, inputs: Iterable[Path | None] = ()) -> Path:
    """Checks, before any work, that a result can be written; returns the path.

    Args:
        path: Where the result shall go.
        suffixes: Endings that the name may have.
        inputs: Files that the result must not replace.

    Raises:
        InputError: The name has another ending, or is an input's.
        OutputError: The folder is missing or can't be written to, or the path is a folder.
    """
    path = Path(path)
    what = f"writing {path}"
    if path.suffix.lower() not in suffixes:
        expected = f"a name that ends in {' or '.join(suffixes)}"
        raise InputError(what, expected=expected, got=path.suffix or "no ending")
    if path.is_dir():
        raise OutputError(what, expected="the name of a file", got="a folder")
    if not path.parent.is_dir():
        got = "no such folder" if not path.parent.exists() else "a file"
        raise OutputError(what, expected=f"the folder {path.parent}", got=got, hint="create the folder first")
    if not os.access(path.parent, os.W_OK):
        raise OutputError(what, expected="a folder that can be written to", got="one that is read-only")
    if path.exists() and any(each.exists() and path.samefile(each) for each in inputs if each):
        raise InputError(what, expected="another name than the input's", got="the same file")
    return path


def scratch_file(path: Path) -> Path:
    """Creates an empty hidden file beside `path`, to be renamed to it when it is whole.

    Raises:
        OutputError: It can't be created.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
        mask = os.umask(0)
        os.umask(mask)
        os.fchmod(handle, 0o666 & ~mask)
        os.close(handle)
    except OSError as error:
        raise write_error(path, error) from error
    return Path(name)


def write_error(path: Path, error: OSError) -> OutputError:
    """Returns what to tell a user when writing a file failed."""
    full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    return OutputError(
        f"writing {path}",
        expected="space for the file" if full else "a file that can be written",
        got=(os.strerror(error.errno) if error.errno else str(error)).lower(),
        hint="free some space, or choose another folder" if full else "",
    )


class VideoFileWriter:
    """Writes frames to an MP4 file, used as a context manager: H.264 at 25 fps and mono AAC at 48 kHz.

    The file appears under its name when the block ends; if it ends with an exception, nothing is left. Encoding runs
    in a thread of its own, so frames can be made meanwhile. Players start sound and picture at the same moment: the
    samples that AAC adds in front are cut off by the file's edit list.

    Args:
        path: Where the file goes; an existing one is replaced.
        size: Height and width of the pictures, even numbers.

    Raises:
        InputError, OutputError: As `check_output`.
    """

    def __init__(self, path: Path | str, size: tuple[int, int]) -> None:
        self._path = check_output(path)
        self._size = size
        self._frames: queue.Queue[SyncedFrame | None] = queue.Queue(_QUEUE_FRAMES)
        self._error: BaseException | None = None
        self._aborted = False
        self._complete = False
        self._n_written = 0
        self._thread = threading.Thread(target=self._encode, name="video-file", daemon=True)
        self._scratch = self._path

    @property
    def n_written(self) -> int:
        """Frames encoded so far."""
        return self._n_written

    def __enter__(self) -> Self:
        """Starts the encoder.

        Raises:
            OutputError: The file can't be created.
        """
        self._scratch = scratch_file(self._path)
        self._thread.start()
        return self

    def write(self, frame: SyncedFrame) -> None:
        """Adds a frame; waits while the encoder is behind.

        Raises:
            OutputError: The disk is full, or writing failed otherwise.
        """
        self._check()
        self._frames.put(frame)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Completes the file, or removes every trace of it."""
        try:
            self._aborted = error is not None
            self._frames.put(None)
            self._thread.join()
            if error is None:
                self._check()
                self._scratch.replace(self._path)
        except OSError as failure:
            raise write_error(self._path, failure) from failure
        finally:
            self._aborted = True
            self._scratch.unlink(missing_ok=True)

    def _check(self) -> None:
        if isinstance(self._error, OSError):
            raise write_error(self._path, self._error) from self._error
        if self._error is not None:
            raise self._error

    def _encode(self) -> None:
        try:
            self._write_all()
            if not self._aborted:
                with self._scratch.open("rb") as file:
                    os.fsync(file.fileno())  # a full disk may show only here
        except BaseException as error:  # noqa: BLE001 - raised in the thread that writes
            self._error = error
            for _ in self._arriving():  # so that a waiting `write` returns
                pass

    def _arriving(self) -> Iterator[SyncedFrame]:
        while not self._complete:
            frame = self._frames.get()
            if frame is None:
                self._complete = True
            else:
                yield frame

    def _write_all(self) -> None:
        import av  # noqa: PLC0415 - heavy

        with av.open(self._scratch, "w", format="mp4", options={"movflags": "+faststart"}) as container:
            container.metadata["comment"] = "AI-generated video, made with Visavis"
            video, audio = _video_stream(container, self._size), _audio_stream(container)
            sound = _SoundEncoder(container, audio)
            for frame in self._arriving():
                if self._aborted:
                    break
                picture = av.VideoFrame.from_ndarray(frame.rgb, format="rgb24")
                picture = picture.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
                picture.color_primaries = picture.color_trc = _BT709
                picture.pts, picture.time_base = self._n_written, Fraction(1, FRAME_RATE)
                container.mux(video.encode(picture))
                sound.push(frame.audio)
                self._n_written += 1
            container.mux(video.encode())
            sound.finish()


def _video_stream(container: OutputContainer, size: tuple[int, int]) -> VideoStream:
    stream: VideoStream = container.add_stream("libx264", rate=FRAME_RATE, options=_X264)
    stream.height, stream.width = size
    stream.pix_fmt = "yuv420p"
    stream.time_base = Fraction(1, FRAME_RATE)
    context = stream.codec_context
    context.color_primaries = context.color_trc = context.colorspace = _BT709
    context.color_range = 1  # limited, as broadcast
    return stream


def _audio_stream(container: OutputContainer) -> AudioStream:
    stream: AudioStream = container.add_stream("aac", rate=OUTPUT_RATE, layout="mono")
    stream.bit_rate = _AUDIO_BIT_RATE
    return stream


class _SoundEncoder:
    """Cuts sound into the encoder's blocks and numbers them."""

    def __init__(self, container: OutputContainer, stream: AudioStream) -> None:
        self._container = container
        self._stream = stream
        self._rest = np.zeros(0, np.float32)
        self._n_encoded = 0

    def push(self, samples: NDArray[np.float32]) -> None:
        self._rest = np.concatenate((self._rest, samples))
        block = self._stream.codec_context.frame_size or 1024
        while len(self._rest) >= block:
            self._encode(self._rest[:block])
            self._rest = self._rest[block:]

    def finish(self) -> None:
        if len(self._rest):
            self._encode(self._rest)
        self._container.mux(self._stream.encode(None))

    def _encode(self, samples: NDArray[np.float32]) -> None:
        import av  # noqa: PLC0415 - heavy

        frame = av.AudioFrame.from_ndarray(np.clip(samples, -1, 1)[None], format="fltp", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = OUTPUT_RATE, Fraction(1, OUTPUT_RATE), self._n_encoded
        self._n_encoded += len(samples)
        self._container.mux(self._stream.encode(frame))
