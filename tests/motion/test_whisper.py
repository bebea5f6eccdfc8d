from __future__ import annotations

import numpy as np
import pytest

from avatar.errors import ModelError
from avatar.motion.whisper import SAMPLES_PER_STATE, WhisperEncoder, load_whisper


def test_a_folder_without_a_model_is_one_clear_error(tmp_path):
    with pytest.raises(ModelError, match="loading Whisper from .*: expected a CTranslate2 model, got"):
        WhisperEncoder(tmp_path)


@pytest.mark.model
@pytest.mark.parametrize("n_samples", [32_000, 32_001, 8_000])
def test_one_hidden_state_for_every_320_samples(n_samples):
    samples = np.random.default_rng(0).normal(0, 0.1, n_samples).astype(np.float32)
    hidden = load_whisper().encode(samples)
    assert hidden.shape == (-(-n_samples // SAMPLES_PER_STATE), 512)
    assert hidden.dtype == np.float32
    assert np.isfinite(hidden).all()


@pytest.mark.model
def test_one_model_is_shared_and_encodes_the_same_twice():
    first, second = load_whisper(), load_whisper()
    assert first is second
    samples = np.random.default_rng(1).normal(0, 0.1, 16_000).astype(np.float32)
    np.testing.assert_array_equal(first.encode(samples), second.encode(samples))


@pytest.mark.model
def test_the_folder_holds_what_speech_recognition_needs():
    encoder = load_whisper()
    assert encoder.tokenizer_path.is_file()
    assert (encoder.folder / "vocabulary.txt").is_file()
    assert encoder.model.is_multilingual
