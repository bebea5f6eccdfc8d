from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import numpy as np
from livekit import rtc
from livekit.agents.voice.avatar import AudioSegmentEnd

from avatar.audio import from_int16, to_int16
from avatar.publish.livekit import AvatarVideoGenerator
from avatar.stream import AvatarStream, LiveStream
from tests.fakes import FlashRenderer, LoudnessGenerator, ManualClock, voice

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Item = rtc.VideoFrame | rtc.AudioFrame | AudioSegmentEnd


class Room:
    """Takes what a generator yields, picture by picture."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.live = LiveStream(AvatarStream(LoudnessGenerator(), FlashRenderer()), self.clock)
        self.generator = AvatarVideoGenerator(self.live)
        self.items: list[Item] = []

    async def watch(self, n_pictures: int) -> list[Item]:
        """Returns what came with the next pictures."""
        items: list[Item] = []
        async with aclosing(self.generator.__aiter__()) as source:
            async for item in source:
                if isinstance(item, rtc.VideoFrame):
                    n_pictures -= 1
                    if n_pictures < 0:
                        break
                    self._wait_for_picture()
                    self.clock.advance(0.04)
                items.append(item)
        return items

    def _wait_for_picture(self) -> None:
        stream = self.live.stream
        with stream.changed:
            stream.changed.wait_for(lambda: stream.n_prepared > 0, timeout=10)

    async def say(self, samples: NDArray[np.float32], rate: int = 48_000) -> None:
        data = to_int16(samples)
        for part in np.array_split(data, 7):
            await self.generator.push_audio(rtc.AudioFrame(part.tobytes(), rate, 1, len(part)))


def sound(items: list[Item]) -> NDArray[np.float32]:
    parts = [np.frombuffer(item.data, np.int16) for item in items if isinstance(item, rtc.AudioFrame)]
    return from_int16(np.concatenate(parts)) if parts else np.zeros(0, np.float32)


async def test_without_speech_there_are_only_pictures() -> None:
    room = Room()
    with room.live:
        items = await room.watch(10)
    assert [type(item) for item in items] == [rtc.VideoFrame] * 10
    assert (items[0].width, items[0].height) == (96, 64)
    assert items[0].convert(rtc.VideoBufferType.I420).type == rtc.VideoBufferType.I420


async def test_speech_comes_with_its_pictures_and_its_end_is_told() -> None:
    room = Room()
    samples = voice(1.0)
    with room.live:
        await room.say(samples)
        await room.generator.push_audio(AudioSegmentEnd())
        items = await room.watch(35)
    np.testing.assert_allclose(sound(items), samples, atol=1 / 32768)
    assert sum(isinstance(item, AudioSegmentEnd) for item in items) == 1
    end = next(i for i, item in enumerate(items) if isinstance(item, AudioSegmentEnd))
    assert isinstance(items[end - 1], rtc.AudioFrame)
    assert all(isinstance(item, rtc.VideoFrame) for item in items[end + 1 :])


async def test_a_cleared_buffer_leaves_only_a_fading_end() -> None:
    room = Room()
    with room.live:
        await room.say(voice(4.0))
        await room.watch(20)
        room.generator.clear_buffer()
        items = await room.watch(20)
    assert len(sound(items)) <= 960
    assert not any(isinstance(item, AudioSegmentEnd) for item in items)


async def test_stereo_speech_is_mixed() -> None:
    room = Room()
    samples = voice(0.4)
    both = np.repeat(to_int16(samples), 2)
    with room.live:
        await room.generator.push_audio(rtc.AudioFrame(both.tobytes(), 48_000, 2, len(samples)))
        await room.generator.push_audio(AudioSegmentEnd())
        items = await room.watch(15)
    np.testing.assert_allclose(sound(items), samples, atol=1 / 32768)
