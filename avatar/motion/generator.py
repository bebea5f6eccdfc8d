"""Motion chunk by chunk on one timeline: features, network, sampler, bearing, emotion, lips."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.motion import features, states
from avatar.motion.amplitude import drawn_in, held_open, widened
from avatar.motion.articulation import seal_lips
from avatar.motion.bearing import Bearing, at_rest, borne
from avatar.motion.continuity import RESTED, BlinkClock, blink_interval, blinking, continued, steadied
from avatar.motion.effort import effort, opened_by
from avatar.motion.emotions import head_energy, with_emotion
from avatar.motion.features import N_PROSODY, SAMPLES_PER_FRAME, SpeechFeatures
from avatar.motion.layout import N_BLENDSHAPES, N_MOTION
from avatar.motion.lead import heard_early, shown_in_time
from avatar.motion.listening import Listener
from avatar.motion.model import N_CHANNELS, PAST_FRAMES, MotionModel, Past
from avatar.motion.sampler import STEP_TIMES, sample
from avatar.motion.whisper import load_whisper
from avatar.types import AvatarState, MotionChunk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from avatar.motion.types import MotionRequest

_KEPT_FRAMES: Final = 500
"""Frames that `truncate` can go back without losing the past motion before them (20 s)."""

_EMOTIONS: Final = slice(states.N_STATES, states.N_STATES + states.N_EMOTIONS)
_SPEAKING: Final = states.STATES.index(AvatarState.SPEAKING)
_HEAD_CONTROL: Final = 1
_HEAD_LIFT: Final = 0.6
"""Added to the head amplitude that the network is asked for: its samples are smaller than what it was shown."""

_POSE_LIMIT: Final = 1.0
"""Bound of pose in radians and interpupillary distances; natural motion stays far below."""


class FlowMotionGenerator:
    """Makes motion with the rectified-flow network; implements `avatar.motion.types.MotionGenerator`.

    Every chunk continues from the frames made before it. The same requests after the same seed give the same motion.
    Not thread safe: one caller at a time.

    Args:
        model: The network.
        speech: Features of the agent's speech.
        random: Source of the variety.
        times: Flow times of the sampler; fewer are faster.
    """

    def __init__(
        self,
        model: MotionModel,
        speech: SpeechFeatures,
        random: np.random.Generator,
        times: Sequence[float] = STEP_TIMES,
    ) -> None:
        self._model = model
        self._speech = speech
        self._random = random
        self._times = tuple(times)
        self._first = 0
        self._channels = np.empty((0, N_CHANNELS), np.float32)
        self._eased = np.empty((0, states.N_STATES + states.N_EMOTIONS), np.float32)
        self._blinks: list[BlinkClock] = []
        self._moods = np.empty((0, states.N_EMOTIONS), np.float32)
        self._bearings: list[Bearing] = []
        self._listener = Listener(random)
        (self._chance,) = random.spawn(1)

    @property
    def audio_context(self) -> int:
        """Frames of sound that a request carries before its first frame."""
        return features.AUDIO_CONTEXT

    @property
    def look_ahead(self) -> int:
        """Frames of sound that a request carries after its last frame."""
        return features.LOOK_AHEAD

    @property
    def position(self) -> int:
        """Index of the frame that the next request starts at."""
        return self._first + len(self._channels)

    def generate(self, request: MotionRequest) -> MotionChunk:
        """Returns the frames asked for.

        Raises:
            ValueError: The request doesn't start at `position`, or has a size that it may not have.
        """
        self._check(request)
        style, eased = self._style(request)
        agent, user = self._hear(request)
        condition = self._model.condition(heard_early(agent), user, style)
        noise = self._model.noise.shape(self._random.standard_normal((request.n_frames, N_CHANNELS), np.float32))
        drawn = sample(self._model.denoiser(condition, self._past()), noise, self._times)
        channels = drawn * self._model.deviation + self._model.mean
        channels[:, :N_MOTION], blinks = self._joined(channels[:, :N_MOTION])
        channels = _bounded(channels)
        # Eased twice: what is laid on at full strength must not start with a kink.
        moods = states.ease(eased[:, _EMOTIONS], self._moods[-1] if len(self._moods) else None)
        shown = shown_in_time(channels, self._channels)
        energy = agent[:, -N_PROSODY]
        wide = held_open(widened(opened_by(shown[:, :N_MOTION], effort(energy))), energy)
        motion, bearings = self._alive(wide, agent, moods, request)
        talking = eased[:, _SPEAKING] * features.utterance(energy)
        motion = drawn_in(with_emotion(motion, moods, talking))
        sealed = seal_lips(motion, shown[:, N_MOTION], shown[:, N_MOTION + 1])
        self._remember(channels, eased, moods, blinks, bearings)
        heard = user[: -features.LOOK_AHEAD, 0]
        return MotionChunk(self._listener.nod(sealed, request.start, heard, request.states), request.start)

    def _alive(
        self,
        motion: NDArray[np.float32],
        agent: NDArray[np.float32],
        moods: NDArray[np.float32],
        request: MotionRequest,
    ) -> tuple[NDArray[np.float32], list[Bearing]]:
        """Returns the network's motion with a living head and eyes, and their bearings."""
        before = self._bearings[-1] if self._bearings else at_rest(request.states[0])
        energy = agent[features.CONDITION_PAST - 2 :, -N_PROSODY]
        liveliness = request.controls.head_amplitude * head_energy(moods)
        return borne(motion, request.start, energy, request.states, liveliness, before, self._chance)

    def truncate(self, frame: int) -> None:
        """Forgets motion from `frame` on, which was never shown; the next request starts there.

        Frames that were never made are not made up: a later `frame` than `position` changes nothing.
        """
        if frame >= self.position:
            return
        kept = max(frame - self._first, 0)
        self._first = min(self._first, frame)
        self._channels = self._channels[:kept]
        self._eased = self._eased[:kept]
        self._blinks = self._blinks[:kept]
        self._moods = self._moods[:kept]
        self._bearings = self._bearings[:kept]

    def _check(self, request: MotionRequest) -> None:
        n_samples = (self.audio_context + request.n_frames + self.look_ahead) * SAMPLES_PER_FRAME
        if request.start != self.position:
            raise ValueError(f"making motion: expected a request for frame {self.position}, got {request.start}")
        if not features.MIN_CHUNK <= request.n_frames <= features.MAX_CHUNK:
            raise ValueError(f"making motion: expected 4 to 25 frames, got {request.n_frames}")
        if len(request.agent) != n_samples or len(request.user) != n_samples:
            got = f"{len(request.agent)} and {len(request.user)}"
            raise ValueError(f"making motion: expected {n_samples} samples of both sounds, got {got}")

    def _style(self, request: MotionRequest) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        targets = np.concatenate([states.one_hot(request.states), request.emotion], axis=1, dtype=np.float32)
        eased = states.ease(targets, self._eased[-1] if len(self._eased) else None)
        asked = states.control_values(request.controls)
        asked[_HEAD_CONTROL] += _HEAD_LIFT
        seen = eased.copy()
        seen[:, _EMOTIONS] = 0  # laid on its motion later, at full strength
        controls = np.tile(asked, (request.n_frames, 1))
        return np.concatenate([seen, controls], axis=1), eased

    def _hear(self, request: MotionRequest) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        window = features.window_frames(request.n_frames) * SAMPLES_PER_FRAME
        seen = features.CONDITION_PAST + request.n_frames + features.LOOK_AHEAD
        agent = self._speech(request.agent[-window:])[-seen:]
        user = features.prosody(request.user[-window:])[-seen:]
        return agent, user

    def _past(self) -> Past:
        known = self._channels[-PAST_FRAMES:]
        channels = np.zeros((PAST_FRAMES, N_CHANNELS), np.float32)
        valid = np.zeros(PAST_FRAMES, np.float32)
        if len(known):
            channels[-len(known) :] = (known - self._model.mean) / self._model.deviation
            valid[-len(known) :] = 1
        return Past(channels, valid)

    def _joined(self, motion: NDArray[np.float32]) -> tuple[NDArray[np.float32], list[BlinkClock]]:
        clock = self._blinks[-1] if self._blinks else BlinkClock(RESTED, RESTED + blink_interval(self._random))
        before = self._channels[:, :N_MOTION]
        joined = steadied(continued(motion, before), before)
        return blinking(joined, clock, partial(blink_interval, self._random))

    def _remember(
        self,
        channels: NDArray[np.float32],
        eased: NDArray[np.float32],
        moods: NDArray[np.float32],
        blinks: list[BlinkClock],
        bearings: list[Bearing],
    ) -> None:
        dropped = max(len(self._channels) + len(channels) - _KEPT_FRAMES, 0)
        self._first += dropped
        self._channels = np.concatenate([self._channels, channels])[dropped:]
        self._eased = np.concatenate([self._eased, eased])[dropped:]
        self._moods = np.concatenate([self._moods, moods])[dropped:]
        self._blinks = [*self._blinks, *blinks][dropped:]
        self._bearings = [*self._bearings, *bearings][dropped:]


def load_motion_model(seed: int, threads: int = 1) -> FlowMotionGenerator:
    """Returns a generator with the committed weights; the Whisper model is shared with other users of it.

    Args:
        seed: The same seed and the same requests give the same motion.
        threads: Threads that the encoder and the network compute with.

    Raises:
        ModelError: Weights are missing or damaged.
    """
    speech = SpeechFeatures(load_whisper(threads))
    return FlowMotionGenerator(MotionModel(threads=threads), speech, np.random.default_rng(seed))


def _bounded(channels: NDArray[np.float32]) -> NDArray[np.float32]:
    result = channels.astype(np.float32)
    pose = slice(N_BLENDSHAPES, N_MOTION)
    np.clip(result[:, :N_BLENDSHAPES], 0, 1, out=result[:, :N_BLENDSHAPES])
    np.clip(result[:, pose], -_POSE_LIMIT, _POSE_LIMIT, out=result[:, pose])
    np.clip(result[:, N_MOTION:], 0, 1, out=result[:, N_MOTION:])
    return result
