from __future__ import annotations

import numpy as np
import pytest

from avatar.motion.amplitude import widened
from avatar.motion.features import AUDIO_CONTEXT, LOOK_AHEAD
from avatar.motion.generator import FlowMotionGenerator
from avatar.motion.layout import INDEX, motion_from
from avatar.motion.lead import LEAD
from avatar.motion.types import Controls, MotionRequest
from avatar.types import AvatarState

SPEAKING = AvatarState.SPEAKING


@pytest.fixture
def generator(tiny_model, tiny_speech):
    return FlowMotionGenerator(tiny_model, tiny_speech, np.random.default_rng(0))


def request(start, n_frames, sound=None, state=SPEAKING):
    """A request whose sound is cut from `sound`, one amplitude a frame from frame 0 of the timeline."""
    amplitudes = np.zeros(2000, np.float32) if sound is None else sound
    padded = np.pad(amplitudes, (AUDIO_CONTEXT, 100))
    agent = np.repeat(padded[start : start + AUDIO_CONTEXT + n_frames + LOOK_AHEAD], 640).astype(np.float32)
    return MotionRequest(
        start,
        n_frames,
        agent,
        np.zeros_like(agent),
        (state,) * n_frames,
        np.zeros((n_frames, 8), np.float32),
        Controls(),
    )


def jaw(chunk):
    return chunk.coefficients[:, INDEX["jawOpen"]]


@pytest.mark.parametrize("n_frames", [4, 7, 12, 25])
def test_the_jaw_opens_ahead_of_its_sound_by_the_lead(generator, n_frames):
    sound = np.zeros(60)
    sound[3] = 0.8
    assert int(np.argmax(jaw(generator.generate(request(0, n_frames, sound))))) == 3 - LEAD


def test_chunks_continue_from_what_was_made_before(generator):
    loud = np.full(60, 0.8)
    first = generator.generate(request(0, 10, loud))
    silent = generator.generate(request(10, 4))
    assert first.start == 0
    assert silent.start == 10
    whole, half = (widened(motion_from({"jawOpen": value})[None])[0, INDEX["jawOpen"]] for value in (0.8, 0.4))
    assert jaw(first)[-1] == pytest.approx(whole, abs=0.05)
    assert jaw(silent)[0] == pytest.approx(half, abs=0.05)


def test_truncated_motion_is_forgotten(generator):
    loud = np.concatenate([np.zeros(10 + LEAD), np.full(60, 0.8)])
    generator.generate(request(0, 10, loud))
    generator.generate(request(10, 10, loud))
    generator.truncate(10)
    assert generator.position == 10
    again = generator.generate(request(10, 4))
    assert jaw(again).max() < 0.1


def test_truncating_what_was_never_made_changes_nothing(generator):
    generator.generate(request(0, 10))
    generator.truncate(25)
    assert generator.position == 10


def test_truncation_further_back_than_the_memory_still_continues(generator):
    for start in range(0, 800, 25):
        generator.generate(request(start, 25))
    generator.truncate(3)
    assert generator.generate(request(3, 4)).start == 3


def test_the_same_seed_repeats_exactly_and_another_differs(tiny_model, tiny_speech):
    def motion(seed):
        generator = FlowMotionGenerator(tiny_model, tiny_speech, np.random.default_rng(seed))
        return np.concatenate([generator.generate(request(s, 10)).coefficients for s in (0, 10)])

    np.testing.assert_array_equal(motion(3), motion(3))
    assert np.abs(motion(3) - motion(4)).max() > 0


def test_states_ease_in_from_the_last_chunk(generator):
    generator.generate(request(0, 10))
    listening = generator.generate(request(10, 12, state=AvatarState.LISTENING))
    yaw = listening.coefficients[:, INDEX["yaw"]]
    assert yaw[0] < 0.06
    assert yaw[-1] == pytest.approx(0.1, abs=0.04)


def test_eyes_are_open_at_the_first_frames(generator):
    lids = generator.generate(request(0, 10)).coefficients[:, INDEX["eyeBlinkLeft"]]
    assert lids.max() < 0.2


def test_coefficients_stay_in_range(generator):
    chunk = generator.generate(request(0, 25, np.full(60, 1.0)))
    assert chunk.coefficients.dtype == np.float32
    assert chunk.coefficients[:, :52].min() >= 0
    assert chunk.coefficients[:, :52].max() <= 1


@pytest.mark.parametrize(
    ("start", "n_frames", "message"),
    [(1, 10, "expected a request for frame 0, got 1"), (0, 3, "expected 4 to 25 frames"), (0, 26, "4 to 25 frames")],
)
def test_a_request_that_does_not_fit_is_refused(generator, start, n_frames, message):
    with pytest.raises(ValueError, match=message):
        generator.generate(request(start, n_frames))


def test_a_request_with_too_little_sound_is_refused(generator):
    good = request(0, 10)
    with pytest.raises(ValueError, match="expected 24320 samples of both sounds, got 24319 and 24319"):
        generator.generate(
            MotionRequest(0, 10, good.agent[1:], good.user[1:], good.states, good.emotion, good.controls)
        )
