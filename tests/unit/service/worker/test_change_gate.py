import pytest

from tests.support.waiting import until
from tetherpy.service.worker.change_gate import BUSY_STREAK, ChangeGate


@pytest.fixture
def change_gate():
    """Return a change gate that counts subscriptions and wake-ups."""

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


async def test_the_gate_subscribes_once_and_polls_once(change_gate):
    change_gate.change_gate.listen()
    change_gate.change_gate.on_fetched(all_busy=False)
    assert (change_gate.listening, change_gate.woken) == (1, 1)


async def test_successive_polls_with_jobs_end_the_subscription_and_an_empty_poll_starts_it(change_gate):
    change_gate.change_gate.listen()
    for _ in range(BUSY_STREAK):
        assert change_gate.listening == 1
        change_gate.change_gate.on_fetched(all_busy=True)
    assert change_gate.listening == 0
    change_gate.change_gate.on_fetched(all_busy=False)
    assert (change_gate.listening, change_gate.woken) == (1, 2)


async def test_polls_with_an_empty_one_in_between_are_not_successive(change_gate):
    change_gate.change_gate.listen()
    for _ in range(5 * BUSY_STREAK):
        change_gate.change_gate.on_fetched(all_busy=True)
        change_gate.change_gate.on_fetched(all_busy=False)
    assert change_gate.listening == 1


async def test_the_gate_subscribes_again_when_all_slots_are_busy_for_long(change_gate):
    change_gate.change_gate.listen()
    for _ in range(BUSY_STREAK):
        change_gate.change_gate.on_fetched(all_busy=True)
    await until(lambda: change_gate.listening)
    # A change may have been missed, so the new subscription counts as one.
    assert change_gate.woken == 2


async def test_a_closed_gate_stays_closed(change_gate):
    change_gate.change_gate.listen()
    change_gate.change_gate.close()
    change_gate.change_gate.close()
    change_gate.change_gate.on_fetched(all_busy=False)
    assert change_gate.listening == 0
