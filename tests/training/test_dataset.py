from __future__ import annotations

import numpy as np
import pytest

from avatar.errors import InputError
from avatar.motion.features import CONDITION_PAST, LOOK_AHEAD
from avatar.motion.layout import INDEX
from avatar.motion.model import N_CHANNELS, PAST_FRAMES
from avatar.training.dataset import Dataset, clip_files, read_clip, to_float


@pytest.fixture
def dataset(tiny_corpus, loudness, tmp_path):
    return Dataset(clip_files(tiny_corpus, "train"), loudness, tmp_path, seed=0)


@pytest.mark.parametrize("n_frames", [4, 13, 25])
def test_a_batch_has_the_shapes_of_the_network(dataset, n_frames):
    batch = dataset.draw(np.random.default_rng(0), 7, n_frames)
    seen = CONDITION_PAST + n_frames + LOOK_AHEAD
    assert batch.agent.shape == (7, seen, 5)
    assert batch.user.shape == (7, seen, 3)
    assert batch.style.shape == (7, n_frames, 16)
    assert batch.past.shape == (7, PAST_FRAMES, N_CHANNELS)
    assert batch.target.shape == (7, n_frames, N_CHANNELS)


def test_sound_and_motion_of_a_batch_are_of_the_same_frames(dataset):
    batch = dataset.draw(np.random.default_rng(1), 200, 20)
    energy = batch.agent[:, CONDITION_PAST : CONDITION_PAST + 20, 2]
    jaw = batch.target[..., INDEX["jawOpen"]]
    assert (energy[jaw > 0.1] > 0.5).all()
    assert (energy[jaw < 0.1] == 0).all()


def test_past_motion_ends_where_the_chunk_begins(dataset):
    random = np.random.default_rng(2)
    yaw = INDEX["yaw"]
    batch = dataset.draw(random, 100, 10)
    whole = np.concatenate([batch.past[..., yaw], batch.target[..., yaw]], axis=1)
    inside = batch.valid.all(axis=1)
    assert inside.any()
    assert np.abs(np.diff(whole[inside], axis=1)).max() < 0.02
    assert (batch.valid[:, 0] <= batch.valid[:, -1]).all()
    assert not batch.past[batch.valid == 0].any()


def test_windows_are_computed_once_and_kept(tiny_corpus, tmp_path, loudness, monkeypatch):
    files = clip_files(tiny_corpus, "train")
    first = Dataset(files, loudness, tmp_path, seed=0)

    def refuse(_):
        raise AssertionError("computed again")

    monkeypatch.setattr(type(loudness), "__call__", lambda _, samples: refuse(samples))
    second = Dataset(files, loudness, tmp_path, seed=0)
    for one, other in zip(first.take(np.arange(5), 8), second.take(np.arange(5), 8), strict=True):
        np.testing.assert_array_equal(one, other)


def test_style_eases_states_and_centres_controls(tiny_corpus):
    clip = read_clip(clip_files(tiny_corpus, "train")[0])
    style = clip.style()
    assert style.shape == (clip.n_frames, 16)
    np.testing.assert_allclose(style[:, :4].sum(axis=1), 1, atol=1e-5)
    assert np.abs(np.diff(style[:, 3])).max() < 0.25
    assert not style[:, 12:].any()
    assert to_float(clip.agent).max() <= 1


def test_a_missing_corpus_or_split_is_one_clear_error(tiny_corpus, tmp_path):
    with pytest.raises(InputError, match="expected a folder with index.json, got FileNotFoundError"):
        clip_files(tmp_path, "train")
    with pytest.raises(InputError, match="expected clips of the split other, got none"):
        clip_files(tiny_corpus, "other")
