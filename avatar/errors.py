"""Errors that a user can act on."""

from __future__ import annotations


class VisavisError(Exception):
    """An error shown to the user as one line, without a traceback.

    The message has the form ``what failed: expected X, got Y``; the hint, if any, is printed on a second line.

    Args:
        what: What failed, e.g. ``"reading photo.jpg"``.
        expected: What would have worked.
        got: What was there instead.
        hint: What the user can do about it, or an empty string.
    """

    def __init__(self, what: str, *, expected: str, got: str, hint: str = "") -> None:
        super().__init__(f"{what}: expected {expected}, got {got}")
        self.hint = hint


class InputError(VisavisError):
    """What the user gave can't be used: a file, a photo, a value, a configuration."""


class ModelError(VisavisError):
    """A model file is missing or damaged."""


class EndpointError(VisavisError):
    """A service that the configuration names refused or can't be reached."""


class OutputError(VisavisError):
    """The result can't be written."""
