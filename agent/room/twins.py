"""One avatar a job: after a server's restart, the conversation that comes back and the one it would start anew.

A server that was killed knows nothing of its rooms. The avatars in them come back by themselves and so open the rooms
again, which the server takes for fresh ones and asks a worker for an avatar: the same one, or one on another machine.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Final

from livekit import rtc

if TYPE_CHECKING:
    from collections.abc import Mapping

_JOB: Final = "visavis.job"
"""Attribute of our participants: when the conversation began in Unix time, and what its dispatch asked for."""


def job_attributes(metadata: str) -> dict[str, str]:
    """Returns the attributes by which a participant that joins now is told from its twin."""
    return {_JOB: json.dumps([time.time(), metadata])}


def has_elder(room: rtc.Room) -> bool:
    """Whether another avatar in a connected room does what this one does, and has done so for longer."""
    mine = _read(room.local_participant.attributes)
    others = [
        _read(each.attributes)
        for each in room.remote_participants.values()
        if each.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
    ]
    return mine is not None and any(each and each[1] == mine[1] and each[0] < mine[0] for each in others)


def _read(attributes: Mapping[str, str]) -> tuple[float, str] | None:
    try:
        began, metadata = json.loads(attributes.get(_JOB, ""))
        return float(began), str(metadata)
    except (ValueError, TypeError):
        return None
