"""What every address of the server has at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import web

from agent.web.contract import error_message
from agent.web.hub import Hub

if TYPE_CHECKING:
    from avatar.errors import VisavisError

HUB: Final = web.AppKey("hub", Hub)
"""Where the application keeps its sessions."""


def error_response(status: int, error: VisavisError, code: str = "refused") -> web.Response:
    """Returns an error as JSON."""
    return web.json_response(error_message(error, code), status=status)
