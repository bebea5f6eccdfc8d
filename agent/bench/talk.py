"""Scripted turns with the real session, and a stopwatch on everything that is heard and seen."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from agent.bench.script import STORY
from agent.events import Failed, TurnMeasured
from agent.session import VoiceSession
from avatar.motion.layout import INDEX
from avatar.publish.webrtc import PacketTrack, WebRtcPublisher
from avatar.stream import AvatarStream, LiveStream
from avatar.types import FRAME_RATE, SPEECH_RATE, AudioChunk, AvatarState

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from agent.bench.figures import Figures
    from agent.bench.script import Script, Utterance
    from agent.config import Config
    from agent.events import SessionEvent
    from agent.parts import Parts
    from avatar.render.types import Renderer
    from avatar.types import SyncedFrame

BARGE_IN_EVERY: Final = 4
"""Turns, after the last of which somebody speaks while the avatar does."""

_STEP: Final = SPEECH_RATE // 50
_AUDIBLE: Final = 0.002
_CLOSED: Final = 0.08
"""Opening of the jaw below which a mouth is closed."""

_PATIENCE: Final = 20.0
_LISTENED: Final = 1.5
"""Seconds of an answer that are listened to."""

_QUIET_FRAMES: Final = 20
_SILENT_FRAMES: Final = 12
"""Frames of a silence that lasts; pauses between sentences are shorter."""


class WatchedStream(AvatarStream):
    """A stream that notes when the first sound of each reply comes.

    Attributes:
        pushed_at: The last one's moment, in seconds since the epoch; None before the next.
    """

    pushed_at: float | None = None
    _open = ""

    def push_audio(self, chunk: AudioChunk, segment_id: str = "") -> None:
        """Adds agent speech."""
        if segment_id != self._open:
            self._open, self.pushed_at = segment_id, time.time()
        super().push_audio(chunk, segment_id)


class WatchedRenderer:
    """A renderer that remembers how open the mouth is in its pictures.

    Args:
        renderer: Draws.
    """

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._openings: dict[int, float] = {}

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the pictures."""
        return self._renderer.size

    def render(self, coefficients: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Draws a picture."""
        picture = self._renderer.render(coefficients)
        opening = float(coefficients[INDEX["jawOpen"]] - coefficients[INDEX["mouthClose"]])
        self._openings[id(picture)] = opening
        while len(self._openings) > 100:
            del self._openings[next(iter(self._openings))]
        return picture

    def opening(self, picture: NDArray[np.uint8]) -> float:
        """Returns how open the mouth is in one of the last pictures, 0 if that is not known."""
        return self._openings.get(id(picture), 0.0)


class Glance(NamedTuple):
    """What was shown in one frame.

    Attributes:
        moment: When, in seconds since the epoch.
        heard: Whether there was sound in it.
        speaking: Whether the avatar spoke.
        own: Whether the picture was its own.
        opening: Of the mouth.
    """

    moment: float
    heard: bool
    speaking: bool
    own: bool
    opening: float


class Microphone:
    """The user's end: silence and what is said, in real time.

    Args:
        hear: Takes 20 ms of sound at a time.
    """

    def __init__(self, hear: Callable[[NDArray[np.float32]], None]) -> None:
        self._hear = hear
        self._rest = np.zeros(0, np.float32)
        self._ended = asyncio.Event()
        self._began_at = 0.0

    async def say(self, utterance: Utterance) -> tuple[float, float]:
        """Says something and returns the moments of its first and its last sound."""
        self._ended.clear()
        self._began_at = 0.0
        self._rest = utterance.samples
        await self._ended.wait()
        onset = self._began_at + utterance.onset / SPEECH_RATE
        return onset, self._began_at + len(utterance.samples) / SPEECH_RATE

    async def run(self) -> None:
        """Feeds the sound, without end."""
        start, n_steps = time.time(), 0
        while True:
            await asyncio.sleep(max(0.0, start + n_steps * _STEP / SPEECH_RATE - time.time()))
            piece, self._rest = self._rest[:_STEP], self._rest[_STEP:]
            if len(piece) and not self._began_at:
                # a sample is heard when its step is over, as in any sound card
                self._began_at = start + (n_steps - 1) * _STEP / SPEECH_RATE
            self._hear(np.pad(piece, (0, _STEP - len(piece))))
            if not len(self._rest) and self._began_at:
                self._ended.set()
            n_steps += 1


class Bench:
    """One conversation, held and measured.

    Args:
        stream: The face, watched.
        renderer: Its renderer, watched.
        figures: Where the measurements go.
    """

    def __init__(self, stream: WatchedStream, renderer: WatchedRenderer, figures: Figures) -> None:
        self._stream = stream
        self._renderer = renderer
        self._figures = figures
        self._glances: list[Glance] = []
        self._news = asyncio.Event()
        self._stages: tuple[float, dict[str, float]] | None = None
        self._failure: Exception | None = None

    async def hold(self, parts: Parts, config: Config, script: Script, on_turn: Callable[[int], None]) -> None:
        """Asks each question and listens to the beginning of its answer; speaks while the avatar does now and then.

        Raises:
            VisavisError: A part of the session fails.
        """
        live = LiveStream(self._stream)
        await asyncio.to_thread(live.__enter__)
        try:
            async with VoiceSession(parts, config, self._stream, self._on_event) as session:

                def hear(samples: NDArray[np.float32]) -> None:
                    self._stream.push_user_audio(AudioChunk(samples, SPEECH_RATE))
                    session.push_audio(samples)

                microphone = Microphone(hear)
                watching = asyncio.create_task(self._watch(live), name="screen")
                feeding = asyncio.create_task(microphone.run(), name="microphone")
                try:
                    for number, question in enumerate(script.questions, 1):
                        on_turn(number)
                        await self._turn(session, microphone, question)
                        n_stories, rest = divmod(number, BARGE_IN_EVERY)
                        if rest == 0:
                            word = script.backchannels[(n_stories - 1) % len(script.backchannels)]
                            await self._speak_over_a_story(session, microphone, word, script.interruption)
                finally:
                    for task in (feeding, watching):
                        task.cancel()
                    await asyncio.gather(feeding, watching, return_exceptions=True)
        finally:
            await asyncio.to_thread(live.__exit__, None, None, None)
        self._figures.n_frames, self._figures.n_late = self._stream.n_shown, self._stream.n_late

    async def _turn(self, session: VoiceSession, microphone: Microphone, question: Utterance) -> None:
        await self._quiet()
        self._stages, self._stream.pushed_at = None, None
        _, stopped = await microphone.say(question)
        first = await self._until(lambda: self._first(stopped, lambda glance: glance.heard))
        if first is None:
            self._figures.n_unanswered += 1
            session.interrupt()
            return
        self._figures.answer.append(first.moment - stopped)
        self._note_stages(stopped)
        pushed = self._stream.pushed_at
        picture = await self._until(lambda: self._first(stopped, lambda glance: glance.speaking and glance.own))
        if picture and pushed:
            self._figures.first_picture.append(picture.moment - pushed)
        await asyncio.sleep(_LISTENED)
        session.interrupt()

    async def _speak_over_a_story(
        self, session: VoiceSession, microphone: Microphone, word: Utterance, interruption: Utterance
    ) -> None:
        """Has the avatar tell a story, so that it certainly speaks; says a listener's word to it, then interrupts it.

        Who interrupts with a question listens to the answer, as after any other.
        """
        await self._quiet()
        asked = time.time()
        session.say(STORY)
        await self._until(lambda: self._first(asked, lambda glance: glance.heard))
        await asyncio.sleep(_LISTENED)
        onset, _ = await microphone.say(word)
        await asyncio.sleep(_LISTENED)
        self._figures.backchannel_break.append(self._longest_break(onset))
        onset, stopped = await microphone.say(interruption)
        silent = await self._until(lambda: self._lasting_silence(onset))
        if silent:
            await self._note_barge_in(onset, silent)
            answered = await self._until(lambda: self._first(max(stopped, silent.moment), lambda glance: glance.heard))
            self._figures.n_unanswered += answered is None
            await asyncio.sleep(_LISTENED)
        session.interrupt()

    async def _note_barge_in(self, onset: float, silent: Glance) -> None:
        self._figures.barge_in_silence.append(silent.moment - onset)
        closed = await self._until(lambda: self._first(onset, lambda glance: glance.opening < _CLOSED, silent.moment))
        if closed:
            self._figures.barge_in_mouth.append(closed.moment - onset)

    async def _quiet(self) -> None:
        await self._until(lambda: not any(glance.heard for glance in self._glances[-_QUIET_FRAMES:]))

    def _note_stages(self, stopped: float) -> None:
        if self._stages is None:
            return
        since, seconds = self._stages
        for stage, value in seconds.items():
            if stage != "audible":
                self._figures.stages.setdefault(stage, []).append(since + value - stopped)

    def _first(self, after: float, matches: Callable[[Glance], bool], not_before: float = 0.0) -> Glance | None:
        return next(
            (glance for glance in self._glances if glance.moment > max(after, not_before) and matches(glance)), None
        )

    def _lasting_silence(self, after: float) -> Glance | None:
        glances = [glance for glance in self._glances if glance.moment > after]
        for index, glance in enumerate(glances[: 1 - _SILENT_FRAMES]):
            if not any(later.heard for later in glances[index : index + _SILENT_FRAMES]):
                return glance
        return None

    def _longest_break(self, after: float) -> float:
        runs = groupby(glance.heard for glance in self._glances if glance.moment > after)
        return max((len(list(run)) for heard, run in runs if not heard), default=0) / FRAME_RATE

    async def _until(self, ready: Callable[[], Glance | bool | None]) -> Glance | None:
        try:
            async with asyncio.timeout(_PATIENCE):
                while not (found := ready()):
                    if self._failure:
                        raise self._failure
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return None
        return found if isinstance(found, Glance) else None

    async def _watch(self, live: LiveStream) -> None:
        publisher = WebRtcPublisher(PacketTrack("video"), PacketTrack("audio"), "H264")
        try:
            async with aclosing(live.frames()) as frames:
                n_late = self._stream.n_late
                async for frame in frames:
                    self._note(frame, own=self._stream.n_late == n_late)
                    n_late = self._stream.n_late
                    await publisher.publish(frame)
        except Exception as error:  # noqa: BLE001 - told to who waits for the next frame
            self._failure = error
            self._news.set()
        finally:
            publisher.close()

    def _note(self, frame: SyncedFrame, *, own: bool) -> None:
        heard = bool(np.abs(frame.audio).max() > _AUDIBLE)
        speaking = frame.state is AvatarState.SPEAKING
        self._glances.append(Glance(time.time(), heard, speaking, own, self._renderer.opening(frame.rgb)))
        self._news.set()

    def _on_event(self, event: SessionEvent) -> None:
        match event:
            case TurnMeasured(latency):
                seconds = {
                    stage: value for stage in latency.__slots__ if (value := getattr(latency, stage)) is not None
                }
                self._stages = time.time() - seconds.get("audible", 0.0), seconds
            case Failed(error):
                self._failure = error
                self._news.set()
            case _:
                pass
