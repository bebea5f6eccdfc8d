from __future__ import annotations

import pytest
from livekit.agents import APIConnectionError, APIError, APIStatusError, APITimeoutError

from agent.config import PartConfig, load_config
from agent.endpoints import endpoint_error, no_answer
from avatar.errors import EndpointError, ModelError


@pytest.fixture
def config():
    llm = PartConfig.model_validate(
        {"class": "livekit.plugins.openai.LLM", "args": {"base_url": "http://here/v1"}, "key_env": "MY_KEY"}
    )
    return load_config().model_copy(update={"llm": llm})


def caused(error, cause):
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "got", "hint"),
    [
        (
            APIStatusError("sk-secret is wrong", status_code=401, body="sk-secret"),
            "HTTP 401",
            "check the key in MY_KEY",
        ),
        (APIStatusError("gone", status_code=404), "HTTP 404", "check `base_url` and `model`"),
        (APIStatusError("broken", status_code=500), "HTTP 500", ""),
        (APITimeoutError(), "nothing within 15 s", ""),
        (caused(APIConnectionError(), TimeoutError()), "nothing within 15 s", ""),
        (caused(APIConnectionError(), ConnectionRefusedError()), "a refused connection", "that the server runs"),
        (caused(APIConnectionError(), OSError(-2, "Name or service not known")), "name or service not known", ""),
        (APIConnectionError(), "no connection", ""),
        (APIError("<html>what the user said</html>"), "something else", ""),
    ],
)
def test_a_service_that_fails_is_one_line_without_secrets(config, error, got, hint):
    shown = endpoint_error("llm_error", error, config)
    assert isinstance(shown, EndpointError)
    assert str(shown) == f"asking the LLM at http://here/v1: expected an answer, got {got}"
    assert hint in shown.hint
    assert "secret" not in str(shown) + shown.hint


def test_an_embedded_part_is_called_by_its_name(config):
    assert "asking speech to text (whisper)" in str(endpoint_error("stt_error", APITimeoutError(), config))


def test_our_own_errors_and_bugs_stay_what_they_are(config):
    ours = ModelError("a", expected="b", got="c")
    bug = ZeroDivisionError()
    assert endpoint_error("tts_error", ours, config) is ours
    assert endpoint_error("tts_error", bug, config) is bug


def test_an_empty_answer_is_an_error_too(config):
    assert str(no_answer(config)).endswith("expected an answer, got an empty one")
