"""Optimistic updates that end in any order, with newer data in between.

What is shown is the newest data with the changes that are pending, or were confirmed after that data arrived, in the
order in which they began.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.properties.loop_machine import case_of
from tetherpy import (
    AsyncData,
    AsyncNotifier,
    AsyncNotifierProvider,
    Notifier,
    NotifierProvider,
    ProviderContainer,
)

Log = tuple[str, ...]


class Plain(Notifier[Log]):
    def build(self) -> Log:
        return ("start",)


class Loaded(AsyncNotifier[Log]):
    def build(self) -> Log:
        return ("start",)


PLAIN = NotifierProvider(Plain)
LOADED = AsyncNotifierProvider(Loaded)


def finish(coroutine: Coroutine[Any, Any, object]) -> None:
    with pytest.raises(StopIteration):
        coroutine.send(None)


def appending(text: str) -> Callable[[Log], Log]:
    return lambda log: (*log, text)


class OptimisticMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.data: Log = ("start",)
        #: The text, the block, and whether the change is pending, of all changes that the data may not contain.
        self.changes: list[tuple[str, Any, bool]] = []
        self.count = 0
        self.seen: list[Log] = []

    @initialize(provider=st.sampled_from([PLAIN, LOADED]))
    def begin(self, provider: Any) -> None:
        self.provider = provider
        self.container = ProviderContainer()
        self.container.listen(provider, lambda _, state: self.seen.append(self.plain(state)), fire_immediately=True)
        self.notifier = self.container.read(provider.notifier)

    def plain(self, state: Any) -> Any:
        return state if self.provider is PLAIN else state.value

    @rule()
    def start(self) -> None:
        text = str(self.count)
        self.count += 1
        block = self.notifier.optimistic(appending(text))
        finish(block.__aenter__())
        self.changes.append((text, block, True))

    @rule(data=st.data())
    def succeed(self, data: st.DataObject) -> None:
        if pending := [index for index, change in enumerate(self.changes) if change[2]]:
            index = data.draw(st.sampled_from(pending))
            text, block, _ = self.changes[index]
            self.changes[index] = (text, block, False)
            finish(block.__aexit__(None, None, None))

    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        if pending := [change for change in self.changes if change[2]]:
            change = data.draw(st.sampled_from(pending))
            self.changes.remove(change)
            finish(change[1].__aexit__(OSError, OSError(), None))

    @rule(data=st.data())
    def replace(self, data: st.DataObject) -> None:
        if pending := [index for index, change in enumerate(self.changes) if change[2]]:
            index = data.draw(st.sampled_from(pending))
            _, block, _ = self.changes[index]
            self.count += 1
            self.changes[index] = (f"answer {self.count}", block, True)
            block.replace(appending(f"answer {self.count}"))

    @rule()
    def serve(self) -> None:
        self.count += 1
        self.newer((f"data {self.count}",))
        self.notifier.state = self.data if self.provider is PLAIN else AsyncData(self.data)

    @rule()
    def rebuild(self) -> None:
        self.newer(("start",))
        self.container.invalidate(self.provider)

    def newer(self, data: Log) -> None:
        self.data = data
        self.changes = [change for change in self.changes if change[2]]

    @invariant()
    def shows_what_the_model_shows(self) -> None:
        shown = (*self.data, *(text for text, _, _ in self.changes))
        assert self.plain(self.container.read(self.provider)) == shown
        assert self.seen[-1] == shown
        confirmed = (*self.data, *(text for text, _, pending in self.changes if not pending))
        assert self.plain(self.notifier.confirmed) == confirmed
        assert all(before != after for before, after in zip(self.seen, self.seen[1:], strict=False))

    def teardown(self) -> None:
        for text, block, pending in self.changes:
            if pending:
                finish(block.__aexit__(None, None, None))
                assert text in self.plain(self.notifier.confirmed)
        assert self.notifier.pending_changes is None
        self.container.dispose()


TestOptimistic = case_of(OptimisticMachine, settings(max_examples=60, stateful_step_count=30, deadline=None))
