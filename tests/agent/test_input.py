from __future__ import annotations

import numpy as np
import pytest

from agent.input import PushedInput


async def test_sound_comes_out_as_it_was_pushed():
    ears = PushedInput()
    ears.push(np.array([0, 0.5, -1, 2], np.float32), 16_000)
    frame = await anext(ears)
    assert frame.sample_rate == 16_000
    np.testing.assert_array_equal(np.frombuffer(frame.data, np.int16), [0, 16384, -32768, 32767])


async def test_closed_ears_hear_nothing_more():
    ears = PushedInput()
    ears.push(np.zeros(4, np.float32))
    ears.close()
    ears.push(np.zeros(4, np.float32))
    await anext(ears)
    with pytest.raises(StopAsyncIteration):
        await anext(ears)
