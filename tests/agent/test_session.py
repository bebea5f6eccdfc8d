from __future__ import annotations

import asyncio
import socket

import pytest
from livekit.agents import llm, stt, tts
from livekit.plugins import openai

from agent.config import PartConfig, load_config
from agent.events import AvatarSaid, AvatarWords, Failed, StateChanged, TurnMeasured
from agent.llm_server import LlamaServer, sampling
from agent.options import LlamaOptions
from agent.parts import Parts
from agent.persona import Example, Persona, load_persona
from agent.playout import PacedSink
from agent.plugins import make_plugin
from agent.session import VoiceSession
from avatar.clock import MonotonicClock
from avatar.errors import EndpointError
from avatar.types import FRAME_RATE, AvatarState, Cue, Emotion, Gesture
from tests.agent.fakes import FakeService, LoudnessVAD

PERSONA = Persona(
    instructions="You are Ada.", name="Ada", max_sentences=2, examples=(Example(user="Hi", avatar="Hello!"),)
)


def remote(kind: str, url: str, key_env: str | None = None, **args: object) -> PartConfig:
    name = f"livekit.plugins.openai.{kind}"
    return PartConfig.model_validate({"class": name, "args": {"base_url": url, **args}, "key_env": key_env})


def make(url: str, timeout: float = 5.0, key_env: str | None = None):
    """Returns a configuration and parts that ask a service at `url`."""
    config = load_config().model_copy(
        update={
            "llm": remote("LLM", url, key_env, model="m", max_retries=0),
            "stt": remote("STT", url, key_env, model="whisper-1"),
            "tts": remote("TTS", url, key_env, model="tts-1", response_format="pcm"),
            "timeout": timeout,
        }
    )
    parts = Parts(
        persona=PERSONA,
        vad=LoudnessVAD(),
        stt=make_plugin("stt", config.stt, stt.STT),
        llm=make_plugin("llm", config.llm, llm.LLM),
        tts=make_plugin("tts", config.tts, tts.TTS),
        detection="vad",
    )
    return config, parts


class Talk:
    """A session whose listener hears everything at once, and its events."""

    def __init__(self, config, parts, **options) -> None:
        self.events = []
        self.sink = PacedSink()
        self.session = VoiceSession(parts, config, self.sink, self._on_event, **options)
        self._config, self._parts = config, parts
        self._news = asyncio.Event()

    def _on_event(self, event) -> None:
        self.events.append(event)
        self._news.set()

    async def until(self, kind, *, listen=True, seconds=20):
        """Waits for an event of a kind, while the listener listens, and returns it."""
        async with asyncio.timeout(seconds):
            while True:
                for event in self.events:
                    if isinstance(event, kind):
                        return event
                if listen:
                    self.sink.step()
                await asyncio.sleep(0.002)

    async def listen_until_heard(self, n_frames: int) -> None:
        """Listens in real time, as captions run by the wall clock, until so many frames of speech were heard."""
        clock = MonotonicClock()
        due = clock.now()
        while len(self.sink.heard) < n_frames:
            self.sink.step()
            due += 1 / FRAME_RATE
            await clock.sleep_until(due)

    async def __aenter__(self):
        await self.session.__aenter__()
        return self

    async def __aexit__(self, *error):
        await self.session.__aexit__(*error)
        await self._parts.aclose()


@pytest.fixture
async def service():
    async with FakeService().running() as service:
        yield service


async def test_a_typed_question_is_answered_aloud(service):
    async with Talk(*make(service.url)) as talk:
        talk.session.ask("What is the capital of France?")
        said = await talk.until(AvatarSaid)
        history = talk.session.history
    assert said == AvatarSaid("Paris is the capital of France.", interrupted=False)
    assert history[-2:] == [
        ("user", "What is the capital of France?"),
        ("assistant", "Paris is the capital of France."),
    ]
    states = [event.state for event in talk.events if isinstance(event, StateChanged)]
    assert states[:3] == [AvatarState.LISTENING, AvatarState.THINKING, AvatarState.SPEAKING]
    words = "".join(event.text for event in talk.events if isinstance(event, AvatarWords))
    assert words.strip() == "Paris is the capital of France."
    assert sum(len(frame.samples) for frame in talk.sink.heard) / 24_000 == pytest.approx(1.0, abs=0.05)


async def test_the_llm_reads_the_persona_and_its_examples_first(service):
    async with Talk(*make(service.url)) as talk:
        talk.session.ask("And you?")
        await talk.until(AvatarSaid)
    body = next(body for kind, body in service.requests if kind == "chat")
    said = [(message["role"], message["content"]) for message in body["messages"]]
    assert [text for _, text in said] == ["You are Ada.", "Hi", "Hello!", "And you?"]


async def test_the_key_of_the_environment_is_sent(service, monkeypatch):
    monkeypatch.setenv("TEST_SERVICE_KEY", "sk-test")
    async with Talk(*make(service.url, key_env="TEST_SERVICE_KEY")) as talk:
        talk.session.ask("Hello?")
        await talk.until(AvatarSaid)
    assert set(service.keys) == {"Bearer sk-test"}


async def test_a_long_answer_is_cut_to_the_personas_sentences(service):
    service.reply = "One. Two. Three. Four."
    async with Talk(*make(service.url)) as talk:
        talk.session.ask("Count.")
        said = await talk.until(AvatarSaid)
    assert said.text == "One. Two."


@pytest.mark.parametrize(
    ("change", "got"),
    [
        ({"status": 401}, "HTTP 401"),
        ({"status": 500}, "HTTP 500"),
        ({"silent": True}, "nothing within 0.3 s"),
        ({"reply": ""}, "an empty one"),
        ({"garbage": True}, "an empty one"),
    ],
)
async def test_a_service_that_fails_is_reported_in_one_line(service, change, got):
    for name, value in change.items():
        setattr(service, name, value)
    async with Talk(*make(service.url, timeout=0.3)) as talk:
        talk.session.ask("What is the capital of France?")
        failed = await talk.until(Failed)
    assert isinstance(failed.error, EndpointError)
    assert str(failed.error) == f"asking the LLM at {service.url}: expected an answer, got {got}"
    assert len(service.requests) <= 3


async def test_a_refused_key_is_not_tried_again(service):
    service.status = 401
    async with Talk(*make(service.url)) as talk:
        talk.session.ask("Hello?")
        await talk.until(Failed)
    assert len([kind for kind, _ in service.requests if kind == "chat"]) == 1


async def test_a_service_that_is_not_there_is_reported():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        async with Talk(*make(url)) as talk:
            talk.session.ask("Hello?")
            failed = await talk.until(Failed)
    assert str(failed.error).endswith("got a refused connection")


async def test_the_session_goes_on_after_a_failure(service):
    service.status = 500
    async with Talk(*make(service.url)) as talk:
        talk.session.ask("Hello?")
        await talk.until(Failed)
        service.status = 200
        talk.session.ask("Hello again?")
        said = await talk.until(AvatarSaid)
    assert said.text == "Paris is the capital of France."


async def test_an_interrupted_answer_leaves_only_what_was_heard_in_the_history(service):
    service.reply = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen."
    async with Talk(*make(service.url)) as talk:
        talk.session.ask("Count.")
        await talk.until(StateChanged, listen=False)
        await talk.listen_until_heard(12)
        talk.session.interrupt()
        said = await talk.until(AvatarSaid, listen=False)
        heard = len(talk.sink.heard)
        history = talk.session.history
    assert said.interrupted
    assert heard <= 13
    assert said.text != service.reply
    assert service.reply.startswith(said.text)
    assert history[-1] == ("assistant", said.text)


async def test_words_can_be_put_into_its_mouth(service):
    async with Talk(*make(service.url)) as talk:
        talk.session.say("Good morning.")
        said = await talk.until(AvatarSaid)
    assert said.text == "Good morning."
    assert [kind for kind, _ in service.requests] == ["speech"]


async def test_a_session_that_was_not_entered_has_no_history(service):
    config, parts = make(service.url)
    session = VoiceSession(parts, config, PacedSink(), print)
    assert session.history == []
    with pytest.raises(RuntimeError):
        session.say("Hello.")
    await parts.aclose()


async def test_a_conversation_goes_on_from_what_was_said_before(service):
    config, parts = make(service.url)
    earlier = [("user", "I am Bea."), ("assistant", "Hello Bea!")]
    async with Talk(config, parts, earlier=earlier) as talk:
        talk.session.ask("Who am I?")
        await talk.until(AvatarSaid)
        history = talk.session.history
    body = next(body for kind, body in service.requests if kind == "chat")
    assert [message["content"] for message in body["messages"]][-3:] == ["I am Bea.", "Hello Bea!", "Who am I?"]
    assert history == [*earlier, ("user", "Who am I?"), ("assistant", "Paris is the capital of France.")]


async def test_a_typed_turn_is_measured_from_the_moment_it_was_asked(service):
    async with Talk(*make(service.url)) as talk:
        talk.session.ask("What is the capital of France?")
        measured = await talk.until(TurnMeasured)
        await talk.until(AvatarSaid)
    assert 0 < measured.latency.llm_first_token <= measured.latency.tts_first_audio <= measured.latency.audible
    assert measured.latency.transcript_final is None


async def test_the_avatar_can_take_up_the_conversation_by_itself(service):
    async with Talk(*make(service.url)) as talk:
        talk.session.take_up("Ask about the weather.")
        said = await talk.until(AvatarSaid)
        history = talk.session.history
    body = next(body for kind, body in service.requests if kind == "chat")
    assert "Ask about the weather." in str(body["messages"])
    assert history == [("assistant", said.text)]


async def test_stage_directions_reach_the_face_and_neither_captions_nor_history_nor_the_voice(service):
    service.reply = "[happy 0.4] Paris, [nod] of course. [clears throat] It is [1] lovely."
    async with Talk(*make(service.url)) as talk:
        talk.session.ask("What is the capital of France?")
        said = await talk.until(AvatarSaid)
        history = talk.session.history
    assert said.text == "Paris, of course. It is [1] lovely."
    assert history[-1] == ("assistant", said.text)
    words = "".join(event.text for event in talk.events if isinstance(event, AvatarWords))
    assert words.split() == said.text.split()
    spoken = " ".join(body["input"] for kind, body in service.requests if kind == "speech")
    assert spoken.split() == said.text.split()
    cues = [cue for frame in talk.sink.heard for _, cue in frame.cues]
    assert cues == [Cue(emotion=((Emotion.HAPPY, 0.4),)), Cue(gesture=Gesture.NOD)]


async def test_words_put_into_its_mouth_may_have_directions(service):
    async with Talk(*make(service.url)) as talk:
        talk.session.say("[wink] Good morning.")
        said = await talk.until(AvatarSaid)
    assert said.text == "Good morning."
    assert Cue(gesture=Gesture.WINK) in [cue for frame in talk.sink.heard for _, cue in frame.cues]


async def test_an_answer_without_directions_is_felt(service):
    service.reply = "That is wonderful news. "
    async with Talk(*make(service.url)) as talk:
        talk.session.ask("I won.")
        await talk.until(AvatarSaid)
    cues = [cue for frame in talk.sink.heard for _, cue in frame.cues]
    assert [cue.emotion[0][0] for cue in cues if cue.emotion] == [Emotion.HAPPY]


@pytest.mark.model
async def test_what_the_embedded_llm_says_has_no_brackets_for_captions_history_or_voice(service):
    """It is taught directions and shown one, so that it is likely to use them."""
    config, parts = make(service.url)
    config = config.model_copy(
        update={"llm": load_config().llm, "motion": config.motion.model_copy(update={"directions": True})}
    )
    taught = load_persona(config.persona, directions=config.teaches_directions)
    shown = Example(user="Hello!", avatar="[happy] Hello! [nod] Nice to see you.")
    parts.persona = taught.model_copy(update={"examples": (shown, shown)})
    server = LlamaServer(LlamaOptions())
    await parts.llm.aclose()
    parts.llm = openai.LLM(
        model="embedded",
        base_url=server.base_url,
        api_key=server.key,
        temperature=0.0,
        max_completion_tokens=40,
        extra_body=sampling(LlamaOptions(), 0),
    )
    try:
        async with Talk(config.model_copy(update={"timeout": 60.0}), parts) as talk:
            talk.session.ask("Hello! Are you happy today?")
            said = await talk.until(AvatarSaid, seconds=120)
            history = talk.session.history
    finally:
        server.close()
    captions = "".join(event.text for event in talk.events if isinstance(event, AvatarWords))
    spoken = " ".join(body["input"] for kind, body in service.requests if kind == "speech")
    assert said.text
    for text in (said.text, captions, spoken, history[-1][1]):
        assert "[" not in text
        assert "]" not in text
    assert any(frame.cues for frame in talk.sink.heard)
