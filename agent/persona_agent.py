"""The persona as livekit-agents' Agent: what happens to words and sound on their way through the parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from livekit.agents import Agent, StopResponse, llm, stt

from agent.answer import whole_sentences
from agent.cues import CueTimer, without_directions
from agent.overheard import wants_turn
from agent.text import speakable

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Callable, Sequence

    from livekit import rtc
    from livekit.agents import ModelSettings

    from agent.latency import TurnTimer
    from agent.overheard import Voice
    from agent.parts import Parts
    from avatar.types import Cue


@runtime_checkable
class ReadsAhead(Protocol):
    """An LLM that is quicker to answer what it has read before."""

    def read_ahead(self, chat_ctx: llm.ChatContext) -> None:
        """Reads a conversation that may soon be gone on with; returns at once."""
        ...


class PersonaAgent(Agent):
    """The persona, with a watch on its stages.

    Args:
        parts: Who the avatar is, what it can do, and the LLM.
        earlier: What was said before: roles and texts.
        timer: Notes when the stages are reached.
        voice: What the avatar says now.
        feel: Returns the cue of a sentence without one, if sentences have any.
        on_silence: Called when the LLM has nothing to say.
    """

    def __init__(
        self,
        parts: Parts,
        earlier: Sequence[tuple[str, str]],
        timer: TurnTimer,
        voice: Voice,
        feel: Callable[[str], Cue] | None,
        on_silence: Callable[[], None],
    ) -> None:
        persona = parts.persona
        before = llm.ChatContext.empty()
        for role, text in (*persona.opening()[1:], *earlier):
            before.add_message(role="user" if role == "user" else "assistant", content=text)
        super().__init__(instructions=persona.instructions, chat_ctx=before, id=persona.name, tools=[*parts.tools])
        self._max_sentences = persona.max_sentences
        self._mind = parts.llm
        self._timer = timer
        self._voice = voice
        self._feel = feel
        self._on_silence = on_silence
        self._hung_up = False

    def hang_up(self) -> None:
        """Answers no more turns: livekit would have an answer played that is begun while it closes, to its end."""
        self._hung_up = True

    async def on_user_turn_completed(self, turn_ctx: llm.ChatContext, new_message: llm.ChatMessage) -> None:
        """Lets the turn be answered, unless the session ends."""
        if self._hung_up:
            raise StopResponse

    async def stt_node(
        self, audio: AsyncIterable[rtc.AudioFrame], model_settings: ModelSettings
    ) -> AsyncIterator[stt.SpeechEvent | str]:
        """Passes on what the user says, but for listeners' sounds and the avatar's own words."""
        events: Any = Agent.default.stt_node(self, audio, model_settings)
        async for event in events:
            if not isinstance(event, stt.SpeechEvent) or wants_turn(event, self._voice):
                if isinstance(event, stt.SpeechEvent) and event.type is stt.SpeechEventType.INTERIM_TRANSCRIPT:
                    self._read_ahead(event.alternatives[0].text)
                elif isinstance(event, stt.SpeechEvent) and event.type is stt.SpeechEventType.START_OF_SPEECH:
                    self._read_ahead()
                yield event

    def _read_ahead(self, question: str = "") -> None:
        """Has an LLM that can read all that was said before, and what the user has said so far."""
        if isinstance(self._mind, ReadsAhead) and not self._voice.speaking:
            so_far = self.chat_ctx.copy()
            if question:
                so_far.add_message(role="user", content=question)
            self._mind.read_ahead(so_far)

    async def llm_node(
        self, chat_ctx: llm.ChatContext, tools: list[llm.Tool], model_settings: ModelSettings
    ) -> AsyncIterator[llm.ChatChunk | str]:
        """Passes the LLM's answer on in whole sentences and notes when they come."""
        self._timer.answer_begins()
        chunks: Any = Agent.default.llm_node(self, chat_ctx, tools, model_settings)
        answered = False

        def text_of(chunk: llm.ChatChunk | str) -> str:
            text = chunk if isinstance(chunk, str) else (chunk.delta and chunk.delta.content) or ""
            if text:
                self._timer.mark("llm_first_token")
            return text

        async for piece in whole_sentences(chunks, text_of, self._max_sentences):
            if isinstance(piece, str):
                self._timer.mark("llm_first_sentence")
                answered = answered or bool(piece.strip())
            elif piece.delta and piece.delta.tool_calls:
                answered = True
            yield piece
        if not answered:
            self._on_silence()

    async def tts_node(self, text: AsyncIterable[str], model_settings: ModelSettings) -> AsyncIterator[rtc.AudioFrame]:
        """Has the text spoken, without what can't be, and notes when that begins and what the face does with it."""
        cues = CueTimer(self._feel)
        frames: Any = Agent.default.tts_node(self, _speakable(cues.words(text)), model_settings)
        async for frame in cues.sound(frames):
            self._timer.mark("tts_first_audio")
            yield frame

    async def transcription_node(self, text: AsyncIterable[str], model_settings: ModelSettings) -> AsyncIterator[str]:
        """Passes the words on to captions and history, without stage directions."""
        async for words in without_directions(text):
            yield words


async def _speakable(text: AsyncIterable[str]) -> AsyncIterator[str]:
    """Yields pieces of text fit to be spoken; the spaces around them stay."""
    async for piece in text:
        if said := speakable(piece):
            yield (" " if piece[0].isspace() else "") + said + (" " if piece[-1].isspace() else "")
