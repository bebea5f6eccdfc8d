# ruff: noqa: PLC0415 - torch is imported by the tests that need it, so that the others run without
from __future__ import annotations

import numpy as np
import pytest

from avatar.motion.features import AUDIO_CONTEXT, LOOK_AHEAD
from avatar.motion.layout import INDEX, neutral
from avatar.training.dataset import Dataset, clip_files, read_clip
from avatar.types import MotionChunk

pytestmark = pytest.mark.train


class LoudJaw:
    """A generator whose jaw follows the peak of each frame's sound."""

    audio_context = AUDIO_CONTEXT
    look_ahead = LOOK_AHEAD

    def generate(self, request):
        motion = neutral(request.n_frames)
        frames = np.abs(request.agent.reshape(-1, 640)).max(axis=1)
        motion[:, INDEX["jawOpen"]] = frames[self.audio_context : -self.look_ahead]
        return MotionChunk(motion, request.start)


@pytest.fixture
def clip(tiny_corpus):
    return read_clip(clip_files(tiny_corpus, "held_out")[0])


def test_driving_a_clip_covers_every_frame_in_the_chunks_asked_for(clip):
    from avatar.training.drive import drive

    run = drive(LoudJaw(), clip, (4, 9))
    assert run.motion.shape == (clip.n_frames, 58)
    assert run.boundaries[:5] == (0, 4, 13, 17, 26)
    jaw = run.motion[:, INDEX["jawOpen"]]
    np.testing.assert_array_equal(jaw > 0, clip.channels[:, INDEX["jawOpen"]] > 0)


def test_the_labels_themselves_have_nearly_perfect_figures(clip):
    from avatar.training.drive import Run, labels
    from avatar.training.figures import lip_figures

    figures = lip_figures([clip], [Run(labels(clip), ())])
    assert figures["closure recall"] == 1
    assert figures["false closures"] == 0
    assert figures["aperture correlation"] == pytest.approx(1)
    assert figures["aperture lag, frames"] == 0


def test_the_regression_learns_to_open_the_jaw(tiny_corpus, clip, loudness, tmp_path):
    import torch

    from avatar.training.baselines import train_regression
    from avatar.training.evaluate import regressed

    torch.set_num_threads(1)  # two threads that wait for each other take minutes on a busy machine
    dataset = Dataset(clip_files(tiny_corpus, "train"), loudness, tmp_path, seed=0)
    motion = regressed(train_regression(dataset, 60, seed=0), clip, loudness)
    assert len(motion) == clip.n_frames
    assert np.corrcoef(motion[:, INDEX["jawOpen"]], clip.channels[:, INDEX["jawOpen"]])[0, 1] > 0.5


def test_the_energy_jaw_opens_with_the_sound(clip):
    from avatar.training.baselines import energy_jaw
    from avatar.training.dataset import to_float

    jaw = energy_jaw(to_float(clip.agent))[:, INDEX["jawOpen"]]
    wanted = clip.channels[:, INDEX["jawOpen"]]
    assert jaw[wanted > 0.1].min() > 0.3
    assert jaw[wanted < 0.1].max() == 0


def test_a_clip_drawn_out_is_as_slow_in_all_its_parts(clip):
    from avatar.training.dataset import to_float
    from avatar.training.drive import drawn_out

    slow = drawn_out(clip, np.repeat(to_float(clip.agent), 2), 2)
    assert slow.n_frames == 2 * clip.n_frames == len(slow.states) == len(slow.agent) // 640
    np.testing.assert_array_equal(slow.channels[::2], clip.channels)
    assert slow.phones[-1][2] == 2 * clip.phones[-1][2]


def test_costs_are_told_for_every_size_of_a_chunk_and_for_the_first_one():
    from avatar.training.figures import costs

    found = costs(lambda _: LoudJaw())
    assert {"4 frames, speech", "25 frames, silence", "first chunk by the clock, ms"} <= set(found)
    assert all(value >= 0 for value in found.values())
