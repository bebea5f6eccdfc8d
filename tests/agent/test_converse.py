from __future__ import annotations

from argparse import Namespace
from itertools import groupby

import av
import jiwer
import numpy as np
import pytest

from agent import parts
from agent.commands import converse
from agent.latency import LatencyReport
from agent.options import WhisperOptions
from agent.playout import HeardFrame
from agent.recogniser import Recogniser
from agent.recording import Recording
from agent.replay import FirstFrame
from avatar.audio import read_audio
from avatar.errors import InputError, ModelError, OutputError
from avatar.motion.whisper import load_whisper
from avatar.types import SPEECH_RATE, AvatarState
from tests.fakes import FlashRenderer, LoudnessGenerator, spoken, write_wav

QUESTIONS = ("What is the capital of France?", "How do I make a cup of tea?")

WORDS = jiwer.Compose([jiwer.ToLowerCase(), jiwer.RemovePunctuation(), jiwer.ReduceToListOfListOfWords()])


def word_error(said, heard):
    return jiwer.wer(said, heard, reference_transform=WORDS, hypothesis_transform=WORDS)


@pytest.fixture
def faces(monkeypatch):
    """A face that costs nothing to draw."""
    monkeypatch.setattr(converse, "open_renderer", lambda *_: FlashRenderer())
    monkeypatch.setattr(converse, "open_generator", lambda *_: LoudnessGenerator())


@pytest.fixture
def arguments(tmp_path):
    question = write_wav(tmp_path / "question.wav", spoken(1.0))
    return Namespace(
        question=question, output=tmp_path / "reply.mp4", portrait=None, config=None, seed=None, mute_user=False
    )


@pytest.fixture
def talked(monkeypatch):
    """A conversation that was held already: a second of question, 0.4 s of thought, a second of answer."""
    tone = (0.5 * np.sin(np.arange(960) * 0.2)).astype(np.float32)
    recording = Recording(
        states=[AvatarState.LISTENING] * 25 + [AvatarState.THINKING] * 10 + [AvatarState.SPEAKING] * 25,
        heard=[HeardFrame(35 + index, "a", tone, 24_000) for index in range(25)],
        transcripts=["Who are you?"],
        replies=["I'm Joe."],
        latencies=[LatencyReport(vad_end=0.35, tts_first_audio=0.6, audible=0.7)],
    )

    async def talk(*_):
        return recording

    monkeypatch.setattr(converse, "_load", lambda _: None)
    monkeypatch.setattr(converse, "_talk", talk)
    return recording


def length(path):
    with av.open(path) as container:
        return container.duration / 1e6


@pytest.mark.usefixtures("faces", "talked")
def test_the_video_holds_question_thought_answer_and_rest(arguments, capsys):
    assert converse.run(arguments) == 0
    assert length(arguments.output) == pytest.approx((25 + 10 + 25 + 20) / 25, abs=0.1)
    out = capsys.readouterr().out
    assert "you:    Who are you?" in out
    assert "avatar: I'm Joe." in out
    assert "avatar audible" in out
    assert "first frame drawn" in out


@pytest.mark.usefixtures("faces", "talked")
def test_the_question_can_be_left_out(arguments):
    arguments.mute_user = True
    converse.run(arguments)
    assert length(arguments.output) == pytest.approx((10 + 25 + 20) / 25, abs=0.1)


@pytest.mark.usefixtures("faces")
def test_a_question_without_speech_is_refused_before_anything_loads(arguments, tmp_path, monkeypatch):
    monkeypatch.setattr(converse, "_load", pytest.fail)
    arguments.question = write_wav(tmp_path / "silence.wav", np.zeros(SPEECH_RATE, np.float32))
    with pytest.raises(InputError, match="expected speech in it, got no speech"):
        converse.run(arguments)
    assert not arguments.output.exists()


@pytest.mark.usefixtures("faces")
def test_a_missing_folder_and_a_missing_configuration_are_refused(arguments, tmp_path):
    arguments.output = tmp_path / "none" / "reply.mp4"
    with pytest.raises(OutputError):
        converse.run(arguments)
    arguments.output, arguments.config = tmp_path / "reply.mp4", tmp_path / "none.yaml"
    with pytest.raises(InputError, match="configuration file"):
        converse.run(arguments)


@pytest.mark.usefixtures("faces")
def test_parts_that_fail_to_load_leave_nothing_behind(arguments, monkeypatch):
    def fail(*_):
        raise ModelError("loading", expected="a model", got="rubbish")

    monkeypatch.setattr(parts, "load_parts", fail)
    with pytest.raises(ModelError):
        converse.run(arguments)
    assert [path.name for path in arguments.output.parent.iterdir()] == ["question.wav"]


def test_the_picture_is_timed_as_if_it_had_been_drawn_at_once():
    report = converse.with_picture(LatencyReport(tts_first_audio=0.5), FirstFrame(0.02, 0.05))
    assert report.motion_first_chunk == pytest.approx(0.52)
    assert report.first_frame == pytest.approx(0.55)
    assert converse.with_picture(LatencyReport(), FirstFrame(0.02, 0.05)) == LatencyReport()


@pytest.mark.model
def test_spoken_questions_are_answered_and_the_videos_say_the_answers(arguments, say, monkeypatch, tmp_path):
    held: list[Recording] = []
    hold = converse._talk

    async def talk(*args):
        held.append(await hold(*args))
        return held[-1]

    monkeypatch.setattr(converse, "_talk", talk)
    recogniser = Recogniser(load_whisper(), WhisperOptions(beam=5))
    replies, heard = [], []
    for number, question in enumerate(QUESTIONS):
        arguments.question = write_wav(tmp_path / f"question{number}.wav", np.pad(say(question), (4000, 4000)))
        assert converse.run(arguments) == 0
        recording = held[-1]
        order = [state for state, _ in groupby(recording.states)]
        assert order[0] is AvatarState.LISTENING
        assert AvatarState.SPEAKING in order
        replies.append(" ".join(recording.replies))
        assert replies[-1]
        answer = recording.heard[0].index
        heard.append(recogniser.recognise(read_audio(arguments.output, SPEECH_RATE)[answer * SPEECH_RATE // 25 :]).text)
        assert mouth_activity(arguments.output, answer) > 2

    understood = [" ".join(recording.transcripts) for recording in held]
    assert word_error(" ".join(QUESTIONS), " ".join(understood)) < 0.2
    assert word_error(" ".join(replies), " ".join(heard)) < 0.2


def mouth_activity(video, answer):
    """How much more the mouth changes from picture to picture in the answer than while it listens."""
    with av.open(video) as container:
        grey = [picture.to_ndarray(format="gray")[280:420, 160:352] for picture in container.decode(video=0)]
    steps = np.abs(np.diff(np.stack(grey).astype(np.int16), axis=0)).mean(axis=(1, 2))
    return np.median(steps[answer : answer + 25]) / np.median(steps[5:25])
