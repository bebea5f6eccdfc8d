"""The one pipeline from speech to synchronised picture and sound, for live conversation and for files."""

from __future__ import annotations

from avatar.stream.files import speaking_frames
from avatar.stream.listener import PlayoutListener
from avatar.stream.live import LiveStream
from avatar.stream.motion import FILES, LIVE, MotionStream, StreamOptions
from avatar.stream.pictures import AvatarStream

__all__ = [
    "FILES",
    "LIVE",
    "AvatarStream",
    "LiveStream",
    "MotionStream",
    "PlayoutListener",
    "StreamOptions",
    "speaking_frames",
]
