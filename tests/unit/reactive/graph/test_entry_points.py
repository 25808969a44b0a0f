"""The entry points refuse other threads, and listeners have separate contexts."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context, ContextVar
from threading import Thread
from typing import Any

import pytest

from tests.unit.reactive.declared import counter
from tetherpy import Provider, ProviderContainer, Ref, StateProvider
from tetherpy.reactive import WrongThreadError

source = Provider(lambda ref: 1)


request: ContextVar[str] = ContextVar("request", default="none")


USES: list[Callable[[Ref], object]] = [
    lambda ref: ref.watch(source),
    lambda ref: ref.read(source),
    lambda ref: ref.listen(source, print),
    lambda ref: ref.watch(counter),
    lambda ref: ref.watch(counter.notifier),
    lambda ref: ref.read(counter.notifier),
    lambda ref: ref.watch(source.select(str)),
]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("is_mounted", [False, True])
def test_another_thread_cannot_build(use: Callable[[Ref], object], is_mounted: bool) -> None:
    """A build may give its Ref to a thread: each call there is refused, whether the provider was built or not."""
    raised: list[BaseException] = []

    def elsewhere(ref: Ref) -> None:
        try:
            use(ref)
        except BaseException as error:
            raised.append(error)

    def build(ref: Ref) -> None:
        thread = Thread(target=elsewhere, args=(ref,))
        thread.start()
        thread.join()

    with ProviderContainer() as container:
        if is_mounted:
            for provider in (source, counter):
                container.read(provider)
                container.invalidate(provider)
        container.read(Provider(build))
    assert [type(error) for error in raised] == [WrongThreadError]


def test_listeners_share_no_context_variables() -> None:
    """A variable that a listener sets is visible neither to the caller nor at the next change."""
    state = StateProvider(lambda ref: 0)
    seen: list[str] = []

    def listen(previous: Any, value: Any) -> None:
        seen.append(request.get())
        request.set(f"listener {value}")

    def change() -> None:
        with ProviderContainer() as container:
            container.listen(state, listen)
            controller = container.read(state.notifier)
            controller.state = 1
            assert request.get() == "none"
            request.set("caller")
            controller.state = 2
            assert request.get() == "caller"

    Context().run(change)
    assert seen == ["none", "none"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, True),
        ((1, 2), (1, 2.0)),
        ((1, (2,)), (1, (True,))),
        (frozenset({1}), frozenset({True})),
    ],
)
def test_equal_arguments_of_different_types_are_different_members(one: object, other: object) -> None:
    def create(ref: Ref, value: object) -> object:
        return value

    family = Provider.family(create)
    members = [family(one), family(other), family(one), family(other)]
    assert members[0] is members[2]
    assert members[1] is members[3]
    assert members[0] is not members[1]
