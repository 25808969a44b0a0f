import asyncio

import pytest

from tetherpy.service.worker.change_gate import BUSY_STREAK, Attention


@pytest.fixture
def attention():
    """Give an attention whose subscriptions are counted and whose wake-ups are noted."""

    class Log:
        listening = 0
        woken = 0

    log = Log()

    def subscribe(callback):
        log.listening += 1
        log.callback = callback

        def remove():
            log.listening -= 1

        return remove

    def on_change():
        log.woken += 1

    log.attention = Attention(subscribe, on_change)
    return log


async def test_listens_once_and_looks_at_once(attention):
    attention.attention.listen()
    attention.attention.looked(all_busy=False)
    assert (attention.listening, attention.woken) == (1, 1)


async def test_busy_streak_ends_listening_and_an_idle_look_begins_it(attention):
    attention.attention.listen()
    for _ in range(BUSY_STREAK):
        assert attention.listening == 1
        attention.attention.looked(all_busy=True)
    assert attention.listening == 0
    attention.attention.looked(all_busy=False)
    assert (attention.listening, attention.woken) == (1, 2)


async def test_looks_interrupted_by_an_idle_one_are_no_streak(attention):
    attention.attention.listen()
    for _ in range(5 * BUSY_STREAK):
        attention.attention.looked(all_busy=True)
        attention.attention.looked(all_busy=False)
    assert attention.listening == 1


async def test_listens_again_when_all_slots_are_busy_for_long(attention):
    attention.attention.listen()
    for _ in range(BUSY_STREAK):
        attention.attention.looked(all_busy=True)
    async with asyncio.timeout(25):
        while not attention.listening:
            await asyncio.sleep(0.001)
    # Something may have been missed, so it counts as a change.
    assert attention.woken == 2


async def test_closed_for_good(attention):
    attention.attention.listen()
    attention.attention.close()
    attention.attention.close()
    attention.attention.looked(all_busy=False)
    assert attention.listening == 0
