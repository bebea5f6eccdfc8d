"""What to tell a user when a service fails; never with what was said, nor with keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from livekit.agents import APIConnectionError, APIError, APIStatusError, APITimeoutError

from avatar.errors import EndpointError, VisavisError

if TYPE_CHECKING:
    from agent.config import Config, PartConfig

_WHAT: Final = {
    "stt": ("asking speech to text", "a transcript"),
    "llm": ("asking the LLM", "an answer"),
    "tts": ("asking text to speech", "sound"),
}
_UNAUTHORISED: Final = frozenset({401, 403})


def endpoint_error(kind: str, error: BaseException, config: Config) -> Exception:
    """Returns the error to show for one of livekit's; one of ours stays as it is, and so does a bug.

    Args:
        kind: ``stt_error``, ``llm_error`` or ``tts_error``, or these without the ending.
        error: What was raised.
        config: Says where the service is.
    """
    if isinstance(error, VisavisError) or not isinstance(error, APIError):
        return error if isinstance(error, Exception) else RuntimeError(str(error))
    kind = kind.removesuffix("_error")
    part: PartConfig = getattr(config, kind)
    what, expected = _WHAT[kind]
    hint = ""
    cause = _root(error)
    if isinstance(error, APIStatusError):
        got = f"HTTP {error.status_code}"
        if error.status_code in _UNAUTHORISED and part.key_env:
            hint = f"check the key in {part.key_env}"
        elif error.status_code == 404:
            hint = "check `base_url` and `model`"
    elif isinstance(error, APITimeoutError) or isinstance(cause, TimeoutError) or "imeout" in type(cause).__name__:
        got = f"nothing within {config.timeout:g} s"
    elif isinstance(error, APIConnectionError):
        got = _reason(cause)
        hint = "check `base_url`, and that the server runs" if "base_url" in part.args else ""
    else:
        got = "something else"
    return EndpointError(f"{what}{_where(part)}", expected=expected, got=got, hint=hint)


def no_answer(config: Config) -> EndpointError:
    """Returns the error for an LLM that ends its answer without a word."""
    what, expected = _WHAT["llm"]
    return EndpointError(f"{what}{_where(config.llm)}", expected=expected, got="an empty one")


def _where(part: PartConfig) -> str:
    place = part.args.get("base_url") or part.args.get("model") or ""
    return f" at {place}" if str(place).startswith("http") else f" ({part.name.rpartition('.')[2] or part.name})"


def _root(error: BaseException) -> BaseException:
    seen: list[BaseException] = []
    while error not in seen:
        seen.append(error)
        error = error.__cause__ or error.__context__ or error
    return seen[-1]


def _reason(cause: BaseException) -> str:
    if isinstance(cause, ConnectionRefusedError) or "refused" in str(cause).lower():
        return "a refused connection"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror.lower()
    return "no connection"
