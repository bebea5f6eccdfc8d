from __future__ import annotations

import io
import re
from functools import partial
from typing import TYPE_CHECKING

import av
import jiwer
import numpy as np
import pytest
from faster_whisper import WhisperModel
from livekit.agents import APIConnectionError, APIConnectOptions, tts

import agent.parts
import run_agent
from agent.commands import speak
from agent.sentiment import feeling
from avatar.audio import read_audio, to_int16
from avatar.motion.whisper import whisper_folder
from avatar.portrait.landmarks import LandmarkModel
from avatar.types import Cue, Emotion, Gesture
from tests.fakes import spoken

if TYPE_CHECKING:
    from pathlib import Path

    from tests.commands.conftest import Faces

_ONCE = APIConnectOptions(max_retry=0)


class Buzzer(tts.TTS):
    """Says half a second for each word, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__(capabilities=tts.TTSCapabilities(streaming=False), sample_rate=16_000, num_channels=1)
        self.error = error
        self.texts: list[str] = []

    def synthesize(self, text: str, *, conn_options: APIConnectOptions = _ONCE) -> tts.ChunkedStream:
        self.texts.append(text)
        return _Buzz(tts=self, input_text=text, conn_options=conn_options)


class _Buzz(tts.ChunkedStream):
    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        if self._tts.error:
            raise self._tts.error
        output_emitter.initialize(request_id="1", sample_rate=16_000, num_channels=1, mime_type="audio/pcm")
        output_emitter.push(to_int16(spoken(len(self._input_text.split()) / 2)).tobytes())


@pytest.fixture
def voice(monkeypatch: pytest.MonkeyPatch) -> Buzzer:
    buzzer = Buzzer()
    monkeypatch.setattr(agent.parts, "load_tts", lambda _config: buzzer)
    return buzzer


def test_a_text_becomes_a_video_that_says_it(tmp_path: Path, voice: Buzzer, faces: Faces) -> None:
    out = tmp_path / "out.mp4"
    assert run_agent.main(["speak", "one two three four", "-o", str(out), "--seed", "3"]) == 0
    assert voice.texts == ["one two three four"]
    sound = read_audio(out, 16_000)
    assert np.corrcoef(sound[:32_000], spoken(2.0))[0, 1] > 0.99
    assert len(sound) == pytest.approx(2.4 * 16_000, abs=1024)
    assert faces.seeds == [3]


@pytest.mark.usefixtures("faces")
def test_the_text_can_come_from_the_standard_input(
    tmp_path: Path, voice: Buzzer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("one two"))
    assert run_agent.main(["speak", "-", "-o", str(tmp_path / "out.mp4")]) == 0
    assert voice.texts == ["one two"]


@pytest.mark.parametrize(("text", "got"), [("", "nothing"), ("  ", "nothing"), ("...", "'...'")])
def test_a_text_without_words_is_refused(
    tmp_path: Path, text: str, got: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_agent.main(["speak", text, "-o", str(tmp_path / "out.mp4")]) == 2
    assert capsys.readouterr().err == f"error: speaking: expected words to say, got {got}\n"


@pytest.mark.usefixtures("faces")
def test_a_service_that_refuses_is_named_and_nothing_is_left(
    tmp_path: Path, voice: Buzzer, capsys: pytest.CaptureFixture[str]
) -> None:
    voice.error = APIConnectionError("connection refused", retryable=False)
    assert run_agent.main(["speak", "hello", "-o", str(tmp_path / "out.mp4")]) == 2
    said = capsys.readouterr().err
    assert "error: making speech: expected an answer from the text-to-speech service, got" in said
    assert "hint: check `tts` in the configuration" in said
    assert list(tmp_path.iterdir()) == []


def test_a_configuration_with_an_unknown_key_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "my.yaml").write_text("persona: x\nflavour: mint\n")
    code = run_agent.main(["speak", "hello", "--config", str(tmp_path / "my.yaml"), "-o", str(tmp_path / "a.mp4")])
    assert code == 2
    assert "`flavour`" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["my.yaml"]


@pytest.mark.model
def test_the_video_says_the_text_with_a_mouth_that_moves_only_while_it_speaks(tmp_path: Path) -> None:
    text = "The weather is lovely today, so we should go for a long walk along the river."
    out = tmp_path / "out.mp4"
    assert run_agent.main(["speak", text, "-o", str(out), "--seed", "1"]) == 0

    model = WhisperModel(str(whisper_folder()), device="cpu", compute_type="int8", cpu_threads=1)
    sound = read_audio(out, 16_000)
    heard = " ".join(part.text for part in model.transcribe(sound, language="en")[0])
    assert jiwer.wer(words(text), words(heard)) < 0.2

    gaps = lip_gaps(out)
    loud = np.abs(sound[: len(gaps) * 640].reshape(-1, 640)).max(axis=1) > 0.03
    assert len(loud) == len(gaps)
    assert np.std(gaps[loud]) > 2 * np.std(gaps[-5:])
    assert np.percentile(gaps[loud], 90) > gaps[-1] + 0.02


def words(text: str) -> str:
    return re.sub(r"[^a-z ]", "", text.lower())


def lip_gaps(path: Path) -> np.ndarray:
    """Returns the distance between the lips' inner edges in each picture, in widths of the face."""
    model = LandmarkModel()
    points = None
    gaps: list[float] = []
    with av.open(path) as container:
        for picture in container.decode(video=0):
            rgb = picture.to_ndarray(format="rgb24")
            if points is None:
                seen = model.landmarks(rgb)
                assert seen is not None
                points = seen.points
            points, score = model.track(rgb, points)
            assert score > 0.5
            gaps.append(float(np.linalg.norm(points[13, :2] - points[14, :2]) / np.ptp(points[:, 0])))
    return np.array(gaps)


def test_stage_directions_are_not_spoken_and_come_with_the_sound_of_their_word(voice: Buzzer) -> None:
    chunks = list(speak.synthesized("[happy] Hello there you. [nod] Yes.", voice))
    assert voice.texts == ["Hello there you. Yes."]
    start, found = 0.0, []
    for chunk in chunks:
        found += [(start + sample / chunk.sample_rate, cue) for sample, cue in chunk.cues]
        start += len(chunk.samples) / chunk.sample_rate
    assert [cue for _, cue in found] == [Cue(emotion=((Emotion.HAPPY, 0.7),)), Cue(gesture=Gesture.NOD)]
    assert found[0][0] == 0
    assert 0.5 < found[1][0] < 2.0


def test_sentences_without_directions_are_felt(voice: Buzzer) -> None:
    chunks = list(speak.synthesized("What wonderful news!", voice, partial(feeling, intensity=0.5)))
    cues = [cue for chunk in chunks for _, cue in chunk.cues]
    assert len(cues) == 1
    assert cues[0].emotion
    assert cues[0].emotion[0][0] is Emotion.HAPPY


@pytest.mark.usefixtures("voice")
def test_directions_without_words_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_agent.main(["speak", "[nod] [happy]", "-o", str(tmp_path / "out.mp4")]) == 2
    assert "expected words to say" in capsys.readouterr().err
