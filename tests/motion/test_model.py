from __future__ import annotations

import shutil

import numpy as np
import pytest

from avatar.errors import ModelError
from avatar.motion import model as motion_model
from avatar.motion.model import N_CHANNELS, PAST_FRAMES, MotionModel, Past
from avatar.motion.states import N_STYLE


@pytest.mark.parametrize("n_frames", [4, 11, 25])
def test_one_set_of_weights_serves_every_chunk_size(tiny_model, n_frames):
    condition = tiny_model.condition(
        np.zeros((25 + n_frames, 5), np.float32),
        np.zeros((25 + n_frames, 3), np.float32),
        np.zeros((n_frames, N_STYLE), np.float32),
    )
    assert condition.shape[0] == PAST_FRAMES + n_frames
    past = Past(np.zeros((PAST_FRAMES, N_CHANNELS), np.float32), np.zeros(PAST_FRAMES, np.float32))
    denoised = tiny_model.denoiser(condition, past)(np.ones((n_frames, N_CHANNELS), np.float32), 0.5)
    np.testing.assert_allclose(denoised, 0.01, atol=1e-6)


@pytest.mark.parametrize(
    "name", [motion_model.CONDITIONER_FILE, motion_model.DENOISER_FILE, motion_model.STATISTICS_FILE]
)
@pytest.mark.parametrize("damage", ["missing", "damaged"])
def test_a_missing_or_damaged_file_is_one_clear_error(tiny_model_folder, tmp_path, name, damage):
    folder = shutil.copytree(tiny_model_folder, tmp_path / "model")
    (folder / name).unlink()
    if damage == "damaged":
        (folder / name).write_bytes(b"\0" * 64)
    with pytest.raises(ModelError, match=f"loading {name}: expected the motion network's file, got .") as caught:
        MotionModel(folder)
    assert "\n" not in str(caught.value)
