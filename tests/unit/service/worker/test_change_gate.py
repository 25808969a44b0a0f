import asyncio

import pytest

from tetherpy.service.worker.change_gate import BUSY_STREAK, ChangeGate


@pytest.fixture
def change_gate():
    """Return a change gate whose subscriptions and wake-ups are counted."""

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

    log.change_gate = ChangeGate(subscribe, on_change)
    return log


async def test_listens_once_and_looks_at_once(change_gate):
    change_gate.change_gate.listen()
    change_gate.change_gate.on_fetched(all_busy=False)
    assert (change_gate.listening, change_gate.woken) == (1, 1)


async def test_busy_streak_ends_listening_and_an_idle_look_begins_it(change_gate):
    change_gate.change_gate.listen()
    for _ in range(BUSY_STREAK):
        assert change_gate.listening == 1
        change_gate.change_gate.on_fetched(all_busy=True)
    assert change_gate.listening == 0
    change_gate.change_gate.on_fetched(all_busy=False)
    assert (change_gate.listening, change_gate.woken) == (1, 2)


async def test_looks_interrupted_by_an_idle_one_are_no_streak(change_gate):
    change_gate.change_gate.listen()
    for _ in range(5 * BUSY_STREAK):
        change_gate.change_gate.on_fetched(all_busy=True)
        change_gate.change_gate.on_fetched(all_busy=False)
    assert change_gate.listening == 1


async def test_listens_again_when_all_slots_are_busy_for_long(change_gate):
    change_gate.change_gate.listen()
    for _ in range(BUSY_STREAK):
        change_gate.change_gate.on_fetched(all_busy=True)
    async with asyncio.timeout(25):
        while not change_gate.listening:
            await asyncio.sleep(0.001)
    # Something may have been missed, so it counts as a change.
    assert change_gate.woken == 2


async def test_closed_for_good(change_gate):
    change_gate.change_gate.listen()
    change_gate.change_gate.close()
    change_gate.change_gate.close()
    change_gate.change_gate.on_fetched(all_busy=False)
    assert change_gate.listening == 0
