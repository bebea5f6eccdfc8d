"""Coqui's voices on tiny models with random weights, saved as Coqui saves its own: they load, clone, stream and fail as
real ones do, but say nothing that anybody understands."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.io import wavfile
from tokenizers import Tokenizer, models

from agent import coqui
from agent.config import DEFAULT_CONFIG, load_config
from agent.coqui import CoquiEngine, _pieces
from agent.options import CoquiOptions
from avatar.audio import to_int16
from avatar.errors import InputError, ModelError

if TYPE_CHECKING:
    from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    torch, xtts_config, xtts_model, vits_config, vits_model = (
        pytest.importorskip(name, reason="needs the extra `coqui`", exc_type=ImportError)
        for name in (
            "torch",
            "TTS.tts.configs.xtts_config",
            "TTS.tts.models.xtts",
            "TTS.tts.configs.vits_config",
            "TTS.tts.models.vits",
        )
    )

pytestmark = [pytest.mark.coqui, pytest.mark.filterwarnings("ignore")]

LETTERS = "abcdefghijklmnopqrstuvwxyz'.,!?"
AUDIO_TOKENS = 12
"""Random weights never say that they are done, so they are given no more than this."""


@pytest.fixture(scope="module")
def xtts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like XTTS v2's, with 2 layers of 32."""
    folder = tmp_path_factory.mktemp("xtts")
    words = ["[STOP]", "[UNK]", "[SPACE]", "[START]", "[en]", "[de]", *LETTERS]
    tokenizer = Tokenizer(models.BPE({word: index for index, word in enumerate(words)}, []))
    tokenizer.add_special_tokens(words[:6])
    tokenizer.save(str(folder / "vocab.json"))
    config = xtts_config.XttsConfig()
    arguments = config.model_args
    arguments.tokenizer_file = str(folder / "vocab.json")
    arguments.gpt_layers, arguments.gpt_n_heads = 2, 2
    arguments.gpt_n_model_channels = arguments.decoder_input_dim = 32
    arguments.gpt_max_audio_tokens = AUDIO_TOKENS
    arguments.gpt_max_text_tokens = 220
    arguments.gpt_use_perceiver_resampler = True
    config.languages = ["en", "de"]
    torch.manual_seed(0)
    model = xtts_model.Xtts(config)
    model.tokenizer.tokenizer = tokenizer
    model.init_models()
    config.save_json(str(folder / "config.json"))
    torch.save({"model": model.state_dict()}, folder / "model.pth")
    voice = {"gpt_cond_latent": torch.zeros(1, 32, 32), "speaker_embedding": torch.zeros(1, 512, 1)}
    torch.save({"Ana": voice}, folder / "speakers_xtts.pth")
    return folder


@pytest.fixture(scope="module")
def vits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like one of VITS, with 2 layers of 16."""
    folder = tmp_path_factory.mktemp("vits")
    config = vits_config.VitsConfig()
    arguments = config.model_args
    arguments.hidden_channels = 16
    arguments.hidden_channels_ffn_text_encoder = 16
    arguments.num_layers_text_encoder = 1
    arguments.upsample_initial_channel_decoder = 32
    torch.manual_seed(0)
    model = vits_model.Vits.init_from_config(config)
    config.save_json(str(folder / "config.json"))
    torch.save({"model": model.state_dict()}, folder / "model.pth")
    return folder


@pytest.fixture(scope="module")
def loaded(xtts: Path) -> tuple[Any, Any]:
    """XTTS as it is loaded, once: the parts whose size can't be chosen take their time."""
    return coqui._load(CoquiOptions(model=xtts))


@pytest.fixture
def clone(xtts: Path, loaded: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch):
    """Makes an engine of XTTS."""
    monkeypatch.setattr(coqui, "_load", lambda _: loaded)

    def clone(seed: int = 0, **options: Any) -> CoquiEngine:
        return made(xtts, seed, **options)

    return clone


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Two seconds of something like a voice."""
    time = np.arange(32_000) / 16_000
    voice = 0.3 * np.sin(2 * np.pi * 200 * time) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * time))
    path = tmp_path / "voice.wav"
    wavfile.write(path, 16_000, (voice * 32767).astype(np.int16))
    return path


def sound(parts: list[bytes]) -> np.ndarray:
    return np.frombuffer(b"".join(parts), np.int16)


def made(model: Path, seed: int = 0, **options: Any) -> CoquiEngine:
    return CoquiEngine(CoquiOptions.model_validate({"model": model, **options}), seed)


def test_a_cloned_voice_is_heard_while_the_sentence_is_still_being_made(clone, recording: Path):
    engine = clone(reference=[recording], chunk=6, pause=0.1)
    assert engine.sample_rate == 24_000
    parts = list(engine.say("The sea is deep."))
    assert len(parts) >= 2
    assert len(sound(parts[:1])) < len(sound(parts)) / 2
    assert np.abs(sound(parts).astype(int)).max() > 0
    assert not sound(parts[-1:])[-2400:].any()


@pytest.mark.parametrize("text", ["The sea is deep.", "The sea is deep and "])
def test_the_first_sound_leaves_before_the_model_has_made_more(
    clone, loaded: tuple[Any, Any], text: str, monkeypatch: pytest.MonkeyPatch
):
    model = loaded[1]
    stream = model.inference_stream
    made: list[int] = []

    def counted(*arguments: Any, **options: Any):
        for part in stream(*arguments, **options):
            made.append(part.numel())
            yield part

    monkeypatch.setattr(model, "inference_stream", counted)
    saying = clone(speaker="Ana", chunk=4).say(text)
    assert len(next(saying)) > 0
    assert len(made) == 1
    assert len(list(saying)) > 0
    assert len(made) > 1


@pytest.mark.parametrize("text", ["The sea is deep.", "The sea is deep and "])
def test_nothing_that_was_made_is_lost_or_changed_but_the_silence_at_an_open_end(clone, text: str):
    loud, silent = 0.5 * np.ones(400, np.float32), np.zeros(4500, np.float32)
    parts = [loud, silent, silent, loud, silent, silent]
    engine = clone(speaker="Ana", pause=0.25)
    engine._model.speak = lambda _: iter(parts)
    said = sound(list(engine.say(text)))
    whole = np.concatenate([to_int16(part) for part in parts])
    if text.endswith(" "):
        assert 9800 < len(said) < 9800 + 0.1 * engine.sample_rate
        assert np.array_equal(said, whole[: len(said)])
    else:
        assert np.array_equal(said, np.concatenate((whole, np.zeros(6000, np.int16))))


def test_another_recording_is_another_voice_and_the_same_seed_the_same_speech(clone, recording: Path):
    other = recording.with_name("other.wav")
    rate, samples = wavfile.read(recording)
    wavfile.write(other, rate, np.random.default_rng(0).permutation(samples))
    first, again, others, reseeded = (
        sound(list(clone(seed, reference=[path]).say("Hello.")))
        for path, seed in ((recording, 1), (recording, 1), (other, 1), (recording, 2))
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, others)
    assert not np.array_equal(first, reseeded)


def test_one_of_the_models_own_speakers_needs_no_recording(clone):
    assert len(sound(list(clone(speaker="Ana").say("Hello.")))) > 0


def test_vits_speaks_faster_and_softer_when_asked_to(vits: Path):
    plain, fast = (
        sound(list(made(vits, speed=speed, volume=volume, pause=0).say("Hello there, how are you?")))
        for speed, volume in ((1.0, 1.0), (2.0, 0.1))
    )
    assert made(vits).sample_rate == 22_050
    assert 0 < len(fast) < 0.8 * len(plain)
    assert np.abs(fast.astype(int)).max() < np.abs(plain.astype(int)).max()


def test_text_without_words_is_silent(vits: Path):
    assert list(made(vits).say("... 😀")) == []


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({}, "expected recordings of a voice in `tts.args.reference`, or a `speaker` of the model, got neither"),
        ({"speaker": "Bob"}, "got `Bob`"),
        ({"speaker": "Ana", "language": "fr"}, "expected a language of de, en, got `fr`"),
        ({"reference": ["none.wav"]}, "none.wav"),
    ],
)
def test_what_does_not_fit_is_one_line(clone, options: dict, complaint: str):
    with pytest.raises(InputError) as caught:
        clone(**options)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_recording_that_is_too_short_is_one_line(clone, tmp_path: Path):
    wavfile.write(tmp_path / "short.wav", 16_000, np.ones(1600, np.int16))
    with pytest.raises(InputError, match=r"expected at least 1 s of speech, got 0\.1 s"):
        clone(reference=[tmp_path / "short.wav"])


def test_a_folder_without_a_model_is_one_line(tmp_path: Path):
    with pytest.raises(InputError, match=r"config\.json, got no such file"):
        made(tmp_path)


def test_a_damaged_or_foreign_model_is_one_line(vits: Path, tmp_path: Path):
    for name in ("config.json", "model.pth"):
        (tmp_path / name).write_bytes((vits / name).read_bytes())
    (tmp_path / "model.pth").write_bytes(b"rubbish")
    with pytest.raises(ModelError) as caught:
        made(tmp_path)
    assert "\n" not in str(caught.value)
    settings = json.loads((vits / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(settings | {"model": "glow_tts"}))
    with pytest.raises(InputError, match="expected a model of XTTS or VITS, got `glow_tts`"):
        made(tmp_path)


def test_the_configuration_for_coqui_names_files_beside_it():
    config = load_config(DEFAULT_CONFIG.with_name("coqui.yaml"))
    assert config.tts.args["model"] == DEFAULT_CONFIG.with_name("xtts_v2")
    assert config.tts.args["reference"] == [DEFAULT_CONFIG.with_name("voice.wav")]


@pytest.mark.parametrize("text", ["Hello.", "word " * 100, "a" * 450, "One, two; three. " * 30])
def test_long_texts_are_cut_where_they_can_be(text: str):
    pieces = _pieces(text.strip())
    assert max(map(len, pieces)) <= 200
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")
