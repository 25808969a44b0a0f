import asyncio

import pytest

from tetherpy.event_wait import wait_for_event


@pytest.mark.parametrize("seconds", [0.0, 0.001])
async def test_a_wait_ends_at_its_timeout(seconds):
    assert await wait_for_event(asyncio.Event(), seconds) is False


@pytest.mark.parametrize("seconds", [None, 10.0])
async def test_a_wait_ends_when_the_event_is_set(seconds):
    event = asyncio.Event()
    asyncio.get_running_loop().call_soon(event.set)
    assert await wait_for_event(event, seconds) is True


async def test_a_cancelled_wait_is_cancelled():
    waiting = asyncio.create_task(wait_for_event(asyncio.Event(), 10.0))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
