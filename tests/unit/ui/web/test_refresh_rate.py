"""The rate of page updates, with a test clock."""

import asyncio
from contextlib import aclosing

import pytest
from reactivex.subject import BehaviorSubject

from tetherpy.ui.web.refresh_rate import BURST, LONGEST_REST, SHORTEST_REST, STEADY_REST, RefreshLimiter, asked, paced


def test_rare_changes_are_sent_almost_at_once():
    rests = RefreshLimiter()
    assert {rests.after(0.0, now) for now in range(100)} == {SHORTEST_REST}


def test_continuous_changes_are_sent_eight_times_a_second():
    rests, now, given = RefreshLimiter(), 0.0, []
    for _ in range(100):
        given.append(rests.after(0.0, now))
        now += given[-1]
    assert set(given[: BURST - 2]) == {SHORTEST_REST}
    assert given[-40:].count(STEADY_REST) >= 35
    assert rests.after(0.0, now + 10) == SHORTEST_REST


def test_a_slow_query_limits_its_rate_in_proportion_and_up_to_a_bound():
    assert RefreshLimiter().after(0.03, 0) == pytest.approx(0.3)
    assert RefreshLimiter().after(60.0, 0) == LONGEST_REST
    assert RefreshLimiter(1.0).after(0.0, 0) == 1.0


async def test_a_newer_value_replaces_one_that_is_not_yet_sent():
    values = BehaviorSubject(0)
    async with aclosing(paced(values)) as seen:
        assert await anext(seen) == 0
        for number in range(1, 50):
            values.on_next(number)
        assert await anext(seen) == 49


class Store:
    """Reports changes when the test says so."""

    def __init__(self):
        self.callbacks = []

    def on_change(self, callback, closed):
        self.callbacks.append((callback, closed))
        return lambda: self.callbacks.remove((callback, closed))

    def change(self):
        for callback, _ in self.callbacks:
            callback()


async def test_several_changes_during_a_query_cause_one_more_query():
    store, asked_times = Store(), 0

    async def ask():
        nonlocal asked_times
        asked_times += 1
        return asked_times

    async with aclosing(asked(store, ask)) as answers:
        assert await anext(answers) == 1
        for _ in range(20):
            store.change()
        assert await anext(answers) == 2
        again = asyncio.ensure_future(anext(answers))
        await asyncio.sleep(SHORTEST_REST * 3)
        assert not again.done()
        store.change()
        assert await again == 3
    assert store.callbacks == []


async def test_the_query_is_repeated_in_time_without_changes():
    async def ask():
        return "answer"

    async with aclosing(asked(Store(), ask, at_latest=0.01)) as answers:
        for _ in range(3):
            assert await anext(answers) == "answer"


async def test_a_store_that_closes_ends_the_stream_with_the_error():
    store = Store()

    async def ask():
        return "answer"

    async with aclosing(asked(store, ask)) as answers:
        await anext(answers)
        store.callbacks[0][1](RuntimeError("closed"))
        with pytest.raises(RuntimeError, match="closed"):
            await anext(answers)
