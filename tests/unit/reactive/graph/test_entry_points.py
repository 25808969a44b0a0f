"""Where another thread may begin a build, and what the contexts of listeners keep apart."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context, ContextVar
from threading import Thread
from typing import Any

import pytest

from tetherpy import Notifier, NotifierProvider, Provider, ProviderContainer, Ref, StateProvider
from tetherpy.reactive import WrongThreadError

source = Provider(lambda ref: 1)


class Counter(Notifier[int]):
    def build(self) -> int:
        return 0


counter = NotifierProvider(Counter)
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
def test_another_thread_builds_nothing(use: Callable[[Ref], object], is_mounted: bool) -> None:
    """A build may hand its Ref to a thread; whatever the thread asks for is refused, mounted or not."""
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


def test_listeners_without_variables_share_none() -> None:
    """What a listener sets is seen neither by the one who made the change nor at the next change."""
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
def test_equal_arguments_of_other_types_mean_another_member(one: object, other: object) -> None:
    def create(ref: Ref, value: object) -> object:
        return value

    family = Provider.family(create)
    members = [family(one), family(other), family(one), family(other)]
    assert members[0] is members[2]
    assert members[1] is members[3]
    assert members[0] is not members[1]
