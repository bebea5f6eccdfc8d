"""From sound, states and controls to motion, frame by frame on one timeline.

Frames go through three indices that only grow, save by `interrupt` and its like: *shown* (handed to the listener) <=
*planned* (motion made) <= *handed out* (sound decided). What is planned but not shown can be taken back.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from avatar.motion.controls import amounts_of, for_network, with_controls
from avatar.motion.gestures import with_gestures
from avatar.motion.types import Controls, MotionRequest
from avatar.stream.expression import ExpressionTrack, mixture
from avatar.sync import SpeechTrack, UserTrack
from avatar.types import AudioChunk, AvatarState, Cue, Emotion, Playout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from avatar.motion.types import MotionGenerator
    from avatar.stream.listener import PlayoutListener
    from avatar.sync import SoundFrame

_LONGEST_CHUNK: Final = 25


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """How motion is cut into chunks, in frames.

    Attributes:
        first_chunk: Made first when speech starts or goes on: short, so that the first picture comes soon.
        second_chunk: Made next.
        chunk: Made later in a segment; a chunk costs about the same whatever its length.
        idle_chunk: Made while nothing is said: short, so that the avatar reacts soon.
        start_delay: Frames that are still shown when speech arrives while others were planned; they hide the time that
            the first speaking frame takes to make.
        stop_delay: Frames that are still shown as planned when speech is broken off; they hide the time that the first
            frame after it takes to make. Its sound ends at once.
        patience: With this many planned frames not shown yet, a chunk waits for its sound, or for the rest of it.
        user_ahead: How far the user's sound may run ahead of what is shown (see `avatar.sync.UserTrack`).
    """

    first_chunk: int = 4
    second_chunk: int = 8
    chunk: int = 16
    idle_chunk: int = 4
    start_delay: int = 0
    stop_delay: int = 0
    patience: int = 3
    user_ahead: int | None = None


LIVE: Final = StreamOptions(start_delay=1, stop_delay=3, user_ahead=12)
"""For conversation in real time."""

FILES: Final = StreamOptions(first_chunk=12, second_chunk=25, chunk=25)
"""For speech that is at hand: nobody waits for the first frame."""


class PlannedFrame(NamedTuple):
    """A frame of motion that was not shown yet.

    Attributes:
        coefficients: float32 (58,).
        state: What it was made for.
    """

    coefficients: NDArray[np.float32]
    state: AvatarState


class MotionStream:
    """Sound, states and controls in; motion with its sound out. Inputs may come from any thread.

    Args:
        generator: Makes the motion; used by one thread at a time.
        options: How motion is cut into chunks.

    Attributes:
        listener: Hears about playout, if set.
        changed: Notified when there may be something to plan, draw or show.
    """

    def __init__(self, generator: MotionGenerator, options: StreamOptions | None = None) -> None:
        self.options = options or StreamOptions()
        self.listener: PlayoutListener | None = None
        self._generator = generator
        self._lock = threading.RLock()
        self._planner = threading.RLock()  # held while the generator works; taken before `_lock`, never after
        self.changed = threading.Condition(self._lock)
        self._speech = SpeechTrack(self.options.first_chunk + generator.look_ahead)
        self._user = UserTrack(self.options.user_ahead)
        self._state = AvatarState.IDLE
        self._expression = ExpressionTrack()
        self._controls = Controls()
        self._motion: dict[int, PlannedFrame] = {}
        self._shown = 0
        self._planned = 0
        self._planning = 0
        self._truncate_at: int | None = None

    @property
    def n_shown(self) -> int:
        """Frames shown so far: the index of the next one."""
        return self._shown

    @property
    def n_unheard(self) -> int:
        """Whole frames of speech that were pushed and not shown."""
        with self._lock:
            return self._speech.n_unheard(self._shown)

    @property
    def n_planned(self) -> int:
        """Frames of motion made and not shown."""
        with self._lock:
            return max(0, self._planned - self._shown)

    def push_audio(self, chunk: AudioChunk, segment_id: str = "") -> None:
        """Adds agent speech to the open segment, or opens one; any rate, faster or slower than it is heard.

        Raises:
            InputError: The sample rate changed within the segment.
        """
        with self._lock:
            self._speech.push(chunk, segment_id)
            self._hurry()

    def end_segment(self, segment_id: str = "") -> None:
        """Declares the open segment complete."""
        with self._lock:
            self._speech.end_segment(segment_id)
            self._hurry()

    def push_user_audio(self, chunk: AudioChunk) -> None:
        """Adds what the user says, heard from the next frame shown on, or after what was pushed before."""
        with self._lock:
            self._user.push(chunk, self._shown)

    def set_state(self, state: AvatarState) -> None:
        """Sets what the avatar does while it says nothing; whenever it speaks, its state is SPEAKING by itself."""
        with self._lock:
            self._state = state

    def set_emotion(self, emotion: Emotion, intensity: float = 1.0) -> None:
        """Sets the mood to one emotion from the next chunk on; an intensity in [0, 1]."""
        self.set_mood({emotion: intensity})

    def set_mood(self, intensities: Mapping[Emotion, float]) -> None:
        """Sets the mixture of emotions, each in [0, 1], that the face has wherever no cue says another."""
        with self._lock:
            self._expression.mood = mixture(intensities)

    def perform(self, cue: Cue) -> None:
        """Has the face do something from the next frame on that is not planned yet."""
        with self._lock:
            self._expression.want(cue)

    def set_controls(self, controls: Controls) -> None:
        """Sets amplitudes, gaze and energy from the next chunk on."""
        with self._lock:
            self._controls = for_network(controls)
            self._expression.energy = controls.energy
            self._expression.amounts = amounts_of(controls)

    def interrupt(self) -> Playout | None:
        """Drops all speech that was not shown; the sound fades out within 20 ms and the motion goes on from there.

        Returns:
            What was heard of the segment that was being spoken; None if there was nothing to say.
        """
        with self._lock:
            if not self._speech.busy(self._shown):
                self._speech.resume()
                return None
            heard = self._speech.interrupt(self._shown)
            self._break_off()
        if self.listener:
            for playout in heard:
                self.listener.finished(playout)
        return heard[0] if heard else None

    def pause(self) -> None:
        """Stops the speech within 20 ms, to go on later from the same sample; the picture goes on."""
        with self._lock:
            if not self._speech.paused:
                self._speech.pause(self._shown)
                self._break_off()

    def resume(self) -> None:
        """Lets paused speech go on."""
        with self._lock:
            self._speech.resume()
            self._hurry()

    def next_motion(self) -> NDArray[np.float32]:
        """Returns the next frame's motion, float32 (58,), as fast as it can be made."""
        while True:
            with self._lock:
                planned = self._motion.get(self._shown)
                if planned is not None:
                    self._show_sound()
                    return planned.coefficients
                index = self._shown
            self._plan_for(index)

    def plan(self) -> bool:
        """Makes the next chunk of motion, from any thread.

        Returns:
            Whether it did; False if it rather waits for more sound, for which there is time.
        """
        with self._planner:
            return self._plan()

    def _plan_for(self, index: int) -> bool:
        """Makes the next chunk unless another thread has just made the frame wanted; returns as `plan`."""
        with self._planner:
            with self._lock:
                known = index in self._motion
            return known or self._plan()

    def _plan(self) -> bool:
        with self._lock:
            start = self._planned
            n_frames = self._chunk_length(start)
            if not n_frames:
                return False
            request = self._request(start, n_frames)
            gestures = self._expression.gestures(start, n_frames)
            amounts = self._expression.controls(start, n_frames)
            self._planning = start + n_frames
            truncate_at, self._truncate_at = self._truncate_at, None
        if truncate_at is not None:
            self._generator.truncate(truncate_at)
        made = with_controls(self._generator.generate(request).coefficients, amounts)
        made = with_gestures(made, start, gestures)
        with self._lock:
            end = self._planning
            for index in range(max(start, self._shown), end):
                self._motion[index] = PlannedFrame(made[index - start], request.states[index - start])
            self._planned = max(self._planned, end)
            if end < start + n_frames:  # taken back while it was being made
                self._forget_motion(end)
            self.changed.notify_all()
        return True

    def _show_sound(self) -> tuple[int, SoundFrame]:
        """Moves on by one frame; returns its index and sound, which never wait for motion."""
        with self._lock:
            index = self._shown
            while self._speech.end <= index:
                self._speech.extend()
            sound = self._speech[index]
            self._shown += 1
            self._motion.pop(index, None)
            oldest = min(index, self._planned) - self._generator.audio_context - 1
            self._speech.forget(oldest)
            self._user.forget(oldest)
            self._expression.forget(oldest)
            self.changed.notify_all()
        if self.listener:
            before = [segment for segment in sound.finished if segment is not sound.segment]
            for segment in before:
                self.listener.finished(segment.playout())
            if sound.segment is not None and sound.position == 0:
                self.listener.started(sound.segment.segment_id)
            if len(before) < len(sound.finished) and sound.segment is not None:
                self.listener.finished(sound.segment.playout())
        return index, sound

    def _state_of(self, sound: SoundFrame) -> AvatarState:
        return AvatarState.SPEAKING if sound.speaking else self._state

    def _chunk_length(self, start: int) -> int:
        """Returns how many frames to make next, 0 to wait for more sound."""
        options = self.options
        handed_out = min(self._speech.end - start, _LONGEST_CHUNK)
        n_ready, complete = self._speech.upcoming()
        speaks = n_ready > 0 or any(self._speech.spoke(start + i) for i in range(handed_out))
        if not speaks:
            waits = self._speech.arriving and start - self._shown >= options.patience
            return 0 if waits else max(options.idle_chunk, handed_out)
        if not self._speech.spoke(start - 1):
            wanted = options.first_chunk
        else:
            wanted = options.chunk if self._speech.spoke(start - options.second_chunk) else options.second_chunk
        available = handed_out + n_ready
        if not complete and available < wanted + self._generator.look_ahead:
            if start - self._shown >= options.patience:
                return 0
            wanted = min(wanted, available - self._generator.look_ahead)
        return max(min(wanted, available), handed_out, options.first_chunk)

    def _request(self, start: int, n_frames: int) -> MotionRequest:
        while self._speech.end < start + n_frames:
            self._speech.extend()
        context, look_ahead = self._generator.audio_context, self._generator.look_ahead
        known = min(self._speech.end - start, n_frames + look_ahead)
        agent = (
            self._speech.speech(start - context, context + known),
            self._speech.peek(n_frames + look_ahead - known),
        )
        sounds = [self._speech[index] for index in range(start, start + n_frames)]
        emotion = [self._expression.plan(start + i, sound) for i, sound in enumerate(sounds)]
        return MotionRequest(
            start=start,
            n_frames=n_frames,
            agent=np.concatenate(agent),
            user=self._user.read(start - context, context + n_frames + look_ahead),
            states=tuple(self._state_of(sound) for sound in sounds),
            emotion=np.stack(emotion),
            controls=self._controls,
        )

    def _hurry(self) -> None:
        """Lets speech that has just arrived start now, rather than after the silence that was planned."""
        if self._speech.drop_silence(self._shown + self.options.start_delay):
            self._cut(self._speech.end)
        self.changed.notify_all()

    def _break_off(self) -> None:
        """Takes back the motion for speech that is not heard any more, but for the frames that are due first."""
        first = max(self._speech.end, min(self._shown + self.options.stop_delay, self._planned))
        while self._speech.end < first:
            self._speech.extend()
        self._cut(first)

    def _cut(self, first: int) -> None:
        """Takes back the motion from frame `first` on."""
        self.changed.notify_all()
        self._expression.cut(first)
        self._planning = min(self._planning, first)
        for index in [index for index in self._motion if index >= first]:
            del self._motion[index]
        if first < self._planned:
            self._planned = first
            self._forget_motion(first)

    def _forget_motion(self, first: int) -> None:
        """Has the generator forget frames before it makes the next ones."""
        self._truncate_at = first if self._truncate_at is None else min(self._truncate_at, first)
