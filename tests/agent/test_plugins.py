from __future__ import annotations

import sys
from types import ModuleType

import pytest
from livekit.agents import llm, vad

from agent.config import PartConfig
from agent.plugins import make_plugin
from avatar.errors import InputError
from tests.agent.fakes import LoudnessVAD


class Loaded(LoudnessVAD):
    @classmethod
    def load(cls, *, min_silence: float = 0.5):
        return cls(min_silence)


class Remote(llm.LLM):
    def __init__(self, *, model: str = "m", base_url: str = "", api_key: str = "") -> None:
        super().__init__()
        if model == "bad":
            raise ValueError("no such model\nsecond line")
        self.base_url, self.api_key = base_url, api_key

    def chat(self, **_kwargs):
        raise NotImplementedError


@pytest.fixture(autouse=True)
def plugin(monkeypatch):
    """A plugin `livekit.plugins.imaginary` with two classes and something else."""
    module = ModuleType("livekit.plugins.imaginary")
    module.Loaded, module.Remote, module.number = Loaded, Remote, 3
    monkeypatch.setitem(sys.modules, "livekit.plugins.imaginary", module)


def part(name: str, key_env: str | None = None, **args: object) -> PartConfig:
    return PartConfig.model_validate({"class": f"livekit.plugins.{name}", "args": args, "key_env": key_env})


def error_of(kind, config, base):
    with pytest.raises(InputError) as caught:
        make_plugin(kind, config, base)
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_class_is_made_with_its_arguments():
    made = make_plugin("llm", part("imaginary.Remote", base_url="http://here"), llm.LLM)
    assert made.base_url == "http://here"


def test_a_class_with_a_loader_is_loaded():
    assert make_plugin("vad", part("imaginary.Loaded", min_silence=0.7), vad.VAD).min_silence == 0.7


def test_the_real_silero_plugin_can_be_named():
    made = make_plugin("vad", part("silero.VAD", min_silence_duration=0.3), vad.VAD)
    assert made.model == "silero"


def test_an_unknown_argument_is_named_with_the_nearest():
    error = error_of("llm", part("imaginary.Remote", base_ulr="x"), llm.LLM)
    assert "got `base_ulr`" in str(error)
    assert error.hint == "did you mean `base_url`?"


def test_a_plugin_that_is_not_installed_comes_with_the_command_that_installs_it():
    error = error_of("tts", part("nowhere_tts.TTS"), llm.LLM)
    assert "nowhere_tts to be installed" in str(error)
    assert error.hint == "uv pip install livekit-plugins-nowhere-tts"


def test_an_unknown_class_is_named_with_the_nearest():
    error = error_of("llm", part("imaginary.Remot"), llm.LLM)
    assert "got `Remot`" in str(error)
    assert error.hint == "did you mean `Remote`?"


def test_a_class_for_another_part_is_refused():
    assert "a class for `vad`" in str(error_of("vad", part("imaginary.Remote"), vad.VAD))
    assert "a class for `vad`" in str(error_of("vad", part("imaginary.number"), vad.VAD))


def test_a_constructors_refusal_is_one_line():
    assert str(error_of("llm", part("imaginary.Remote", model="bad"), llm.LLM)).endswith("got no such model")


def test_the_key_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("IMAGINARY_KEY", "sk-1")
    made = make_plugin("llm", part("imaginary.Remote", "IMAGINARY_KEY"), llm.LLM)
    assert made.api_key == "sk-1"


def test_a_missing_key_names_the_variable(monkeypatch):
    monkeypatch.delenv("IMAGINARY_KEY", raising=False)
    error = error_of("llm", part("imaginary.Remote", "IMAGINARY_KEY"), llm.LLM)
    assert "IMAGINARY_KEY" in str(error)
    assert "llm.key_env" in error.hint


def test_a_server_of_ones_own_needs_no_key():
    assert make_plugin("llm", part("imaginary.Remote", base_url="http://here"), llm.LLM).api_key == "none"
