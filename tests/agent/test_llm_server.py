from __future__ import annotations

import json
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

from agent.config import load_config
from agent.llm_server import LlamaServer, sampling
from agent.options import LlamaOptions
from agent.persona import load_persona
from avatar.errors import InputError, ModelError

OPENING = load_persona(load_config().persona).opening()


@pytest.fixture(scope="module")
def server():
    server = LlamaServer(LlamaOptions())
    yield server
    server.close()


def ask(server, question, key=None):
    messages = [{"role": role, "content": text} for role, text in [*OPENING, ("user", question)]]
    body = {"messages": messages, "max_tokens": 40, "temperature": 0, **sampling(LlamaOptions(), 0)}
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {server.key if key is None else key}"}
    with urlopen(Request(f"{server.base_url}/chat/completions", json.dumps(body).encode(), headers)) as answer:  # noqa: S310 - our own server
        return json.load(answer)


@pytest.mark.model
def test_the_embedded_model_knows_the_capital_of_france(server):
    assert "Paris" in ask(server, "What is the capital of France?")["choices"][0]["message"]["content"]


@pytest.mark.model
def test_what_every_conversation_begins_with_is_read_only_once(server):
    server.warm_up(OPENING)
    timings = ask(server, "What is the capital of Spain?")["timings"]
    assert timings["cache_n"] > 5 * timings["prompt_n"]


@pytest.mark.model
def test_it_listens_on_the_loopback_only_and_answers_nobody_else(server):
    assert urlsplit(server.base_url).hostname == "127.0.0.1"
    with pytest.raises(HTTPError, match="401") as caught:
        ask(server, "Hello?", key="wrong")
    caught.value.close()


@pytest.mark.model
def test_a_closed_server_is_gone():
    server = LlamaServer(LlamaOptions(context=256))
    server.close()
    with pytest.raises(URLError):
        ask(server, "Hello?")


def test_a_missing_model_is_one_line(tmp_path):
    with pytest.raises(InputError) as caught:
        LlamaServer(LlamaOptions(model=tmp_path / "none.gguf"))
    assert "none.gguf" in str(caught.value)


def test_a_damaged_model_is_one_line(tmp_path):
    (tmp_path / "bad.gguf").write_bytes(b"rubbish" * 100)
    with pytest.raises(ModelError) as caught:
        LlamaServer(LlamaOptions(model=tmp_path / "bad.gguf"))
    assert "bad.gguf" in str(caught.value)
