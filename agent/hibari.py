"""Hibari, a small English voice: a woman's, on one core many times faster than real time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from agent.alignment import AlignedSound, symbol_starts, with_output
from agent.phrases import ends_open
from agent.text import speakable
from agent.tts import without_end, without_start
from avatar.audio import to_int16
from avatar.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from agent.options import HibariOptions

_GAIN: Final = 1.9
"""Makes it as loud as Piper's voices."""

_LENGTHS: Final = "/Clip_output_0"
"""The tensor of the network that holds the length of each symbol."""


class HibariEngine:
    """The loaded voice ``heart``.

    Args:
        options: How it speaks.
        seed: Same seed, same breath of the same texts in the same order.

    Attributes:
        sample_rate: Hz of what it says.

    Raises:
        ModelError: The package is damaged.
    """

    name = "hibari"

    def __init__(self, options: HibariOptions, seed: int = 0) -> None:
        from hibari import SAMPLE_RATE, Hibari  # noqa: PLC0415 - with onnxruntime and scipy it costs 0.5 s

        self._options = options
        self._rng = np.random.default_rng(seed)
        self.sample_rate: int = SAMPLE_RATE
        try:
            self._voice: Any = Hibari(threads=options.threads)
            self._voice.sess = self._session = _TimedSession(Path(self._voice.model_path), options.threads)
        except (OSError, ValueError, RuntimeError) as error:
            got = str(error).splitlines()[0]
            raise ModelError("loading the voice heart", expected="the package hibari-tts", got=got) from error

    def warm_up(self) -> None:
        """Says a word that nobody hears: the first run reads the dictionaries."""
        for _ in self.say("Hello."):
            pass

    def say(self, text: str) -> Iterator[bytes]:
        """Yields 16-bit mono PCM, a sentence at a time, each with the pause after it.

        A text that breaks off between two words ends without a pause, so that the next one can go on from there.
        """
        if not any(character.isalnum() for character in text):
            return
        pause = bytes(2 * round(self._options.pause * self.sample_rate))
        goes_on = text.endswith(" ") and ends_open(text)
        sentences = self._voice.phonemize(speakable(text))
        for phonemes in sentences:
            spoken = self._voice.from_ids(self._voice.ids(phonemes), self._options.speed, self._rng)
            whole = to_int16(spoken * np.float32(_GAIN * self._options.volume))
            known = [symbol for symbol in phonemes if symbol in self._voice.vocab]
            starts = symbol_starts(known, self._session.lengths, len(whole) / self.sample_rate)
            # The voice waits for 0.3 s before it begins, and whoever listens with it.
            sound, cut = without_start(whole, self.sample_rate)
            said = without_end(sound, self.sample_rate).tobytes() if goes_on else sound.tobytes() + pause
            sooner = [(symbol, max(0.0, start - cut)) for symbol, start in starts]
            yield AlignedSound(said, sooner if len(sentences) == 1 else ())


class _TimedSession:
    """Hibari's network, which also tells how long it makes each symbol."""

    def __init__(self, path: Path, threads: int) -> None:
        import onnxruntime  # noqa: PLC0415 - those who load the voice pay for it

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = threads
        options.log_severity_level = 3
        model = with_output(path.read_bytes(), _LENGTHS)
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.lengths: list[float] = []

    def run(self, names: None, feed: dict[str, NDArray[np.generic]]) -> list[NDArray[np.float32]]:
        """Runs the network as `onnxruntime.InferenceSession.run` does; keeps the lengths, in its own frames."""
        *outputs, lengths = (np.asarray(output) for output in self._session.run(names, feed))
        self.lengths = lengths.ravel().tolist()
        return outputs
