"""ProviderObserver: the events an observer receives, their arguments and order, and the reporting container."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.reactive.matrix import NOTIFIERS, SYNC, Variant, ignore, settled, variants
from tetherpy.reactive import (
    AsyncData,
    AsyncError,
    AsyncLoading,
    FutureProvider,
    Provider,
    ProviderContainer,
    ProviderObserver,
    ProviderObserverContext,
    Ref,
    StateProvider,
    StreamProvider,
)
from tetherpy.reactive.errors import ProviderError


class Observer(ProviderObserver):
    """Records each call as ``(observer, event, provider or container, values...)``."""

    def __init__(self, name: str, log: list[Any], fails: bool = False) -> None:
        self.name = name
        self.log = log
        self.fails = fails
        self.contexts: list[ProviderObserverContext] = []

    def write(self, event: str, context: ProviderObserverContext, *values: Any) -> None:
        self.contexts.append(context)
        subject = context.container if context.provider is None else context.provider
        self.log.append((self.name, event, subject, *values))
        if self.fails:
            raise LookupError(self.name)

    def did_create_provider_container(self, context: ProviderObserverContext) -> None:
        self.write("create", context)

    def did_dispose_provider_container(self, context: ProviderObserverContext) -> None:
        self.write("end", context)

    def did_add_provider(self, context: ProviderObserverContext, value: Any) -> None:
        self.write("add", context, value)

    def did_update_provider(self, context: ProviderObserverContext, previous: Any, value: Any) -> None:
        self.write("update", context, previous, value)

    def provider_did_fail(self, context: ProviderObserverContext, error: Exception) -> None:
        self.write("fail", context, error)

    def did_dispose_provider(self, context: ProviderObserverContext) -> None:
        self.write("dispose", context)

    def did_unmount_provider(self, context: ProviderObserverContext) -> None:
        self.write("unmount", context)


def taken(log: list[Any]) -> list[Any]:
    entries = list(log)
    log.clear()
    return entries


def observed(*names: str, **options: Any) -> tuple[ProviderContainer, list[Any]]:
    log: list[Any] = []
    container = ProviderContainer(
        observers=[Observer(name, log) for name in names or ("o",)],
        on_error=options.pop("on_error", lambda error, provider: None),
        **options,
    )
    log.clear()
    return container, log


async def test_an_observer_may_define_no_methods() -> None:
    errors: list[Any] = []
    with ProviderContainer(observers=[ProviderObserver()], on_error=lambda *error: errors.append(error)) as container:
        provider = StateProvider(lambda ref: 0)
        container.listen(provider, ignore)
        container.read(provider.notifier).state += 1
        container.invalidate(provider)
    assert errors == []


# -- adding --------------------------------------------------------------------------------------


@variants(*SYNC)
async def test_the_first_build_is_reported_with_its_value(variant: Variant) -> None:
    container, log = observed("a", "b")
    provider = variant.declare(lambda ref: 42)
    assert container.read(provider) == 42
    assert log == [("a", "add", provider, 42), ("b", "add", provider, 42)]
    container.read(provider)
    assert len(log) == 2


async def test_a_failed_first_build_is_reported_without_a_value_and_then_as_a_failure() -> None:
    container, log = observed("a", "b")
    error = OSError("no")

    @Provider
    def provider(ref: Ref) -> int:
        raise error

    with pytest.raises(ProviderError):
        container.read(provider)
    assert log == [
        ("a", "add", provider, None),
        ("b", "add", provider, None),
        ("a", "fail", provider, error),
        ("b", "fail", provider, error),
    ]


# -- updating ------------------------------------------------------------------------------------


@variants("StateProvider", "NotifierProvider", auto_dispose=False)
async def test_a_state_change_is_reported_after_listeners_ran(variant: Variant) -> None:
    container, log = observed("a", "b")
    provider = variant.declare(lambda ref: 0)
    container.listen(provider, lambda previous, value: log.append((previous, value)))
    taken(log)
    container.read(provider.notifier).state = 1
    assert taken(log) == [(0, 1), ("a", "update", provider, 0, 1), ("b", "update", provider, 0, 1)]
    container.read(provider.notifier).state = 1
    assert log == []


async def test_a_derived_value_is_reported_when_it_differs() -> None:
    container, log = observed()
    number = StateProvider(lambda ref: 0)
    negative = Provider(lambda ref: ref.watch(number) < 0)
    container.listen(negative, lambda previous, value: log.append((previous, value)))
    taken(log)

    container.read(number.notifier).state = 1
    await container.pump()
    told = taken(log)
    assert ("o", "update", number, 0, 1) in told
    assert ("o", "dispose", negative) in told
    assert len(told) == 2

    container.read(number.notifier).state = -10
    await container.pump()
    assert taken(log) == [
        ("o", "update", number, 1, -10),
        ("o", "dispose", negative),
        (False, True),
        ("o", "update", negative, False, True),
    ]


async def test_after_an_error_the_previous_value_is_missing() -> None:
    container, log = observed()
    number = StateProvider(lambda ref: 0)
    error = OSError("no")

    @Provider
    def provider(ref: Ref) -> int:
        value = ref.watch(number)
        if value == 1:
            raise error
        return value

    container.listen(provider, ignore)
    for value in (1, 2):
        taken(log)
        container.read(number.notifier).state = value
        await container.pump()
        told = [entry for entry in log if entry[2] is provider and entry[1] != "dispose"]
        if value == 1:
            assert told == [("o", "update", provider, 0, None), ("o", "fail", provider, error)]
        else:
            assert told == [("o", "update", provider, None, 2)]


# -- failing -------------------------------------------------------------------------------------


async def test_an_asynchronous_provider_that_fails_immediately_is_reported_in_the_same_order() -> None:
    container, log = observed()
    error = OSError("no")

    @FutureProvider
    def provider(ref: Ref) -> int:
        raise error

    container.read(provider)
    assert log == [("o", "add", provider, AsyncError(error)), ("o", "fail", provider, error)]


@pytest.mark.parametrize("kind", ["future", "stream"])
async def test_a_failed_asynchronous_build_is_reported(kind: str) -> None:
    container, log = observed()
    error = OSError("no")

    async def fails(ref: Ref) -> int:
        raise error

    async def stream_fails(ref: Ref) -> Any:
        raise error
        yield 0

    provider: Any = FutureProvider(fails) if kind == "future" else StreamProvider(stream_fails)
    container.listen(provider, ignore)
    with pytest.raises(OSError, match="no"):
        await container.read(provider.future)
    assert log == [
        ("o", "add", provider, AsyncLoading()),
        ("o", "update", provider, AsyncLoading(), AsyncError(error)),
        ("o", "fail", provider, error),
    ]


async def test_a_propagated_error_is_reported_for_its_origin_only() -> None:
    container, log = observed()

    @Provider
    def source(ref: Ref) -> int:
        raise OSError("no")

    user = Provider(lambda ref: ref.watch(source))
    with pytest.raises(ProviderError):
        container.read(user)
    assert [entry[2] for entry in log if entry[1] == "fail"] == [source]


# -- ending --------------------------------------------------------------------------------------


@variants(*SYNC, auto_dispose=False)
async def test_the_end_of_a_build_is_reported_once(variant: Variant) -> None:
    container, log = observed()
    dep = StateProvider(lambda ref: 0)
    provider = variant.declare(lambda ref: ref.watch(dep) * 0)
    container.read(provider)
    taken(log)

    container.invalidate(provider)
    container.invalidate(provider)
    assert taken(log) == [("o", "dispose", provider)]
    container.read(provider)
    assert taken(log) == []

    container.read(dep.notifier).state += 1
    container.read(provider)
    assert [entry for entry in taken(log) if entry[2] is provider] == [("o", "dispose", provider)]

    container.dispose()
    assert [entry for entry in log if entry[2] is provider] == [
        ("o", "dispose", provider),
        ("o", "unmount", provider),
    ]


@variants(auto_dispose=True)
async def test_auto_dispose_is_reported(variant: Variant) -> None:
    container, log = observed()
    provider = variant.declare(lambda ref: 0)
    subscription = container.listen(provider, ignore)
    await settled(container, provider)
    taken(log)
    subscription.close()
    await container.pump()
    assert log == [("o", "dispose", provider), ("o", "unmount", provider)]
    await container.aclose()


async def test_disposal_of_a_container_is_reported_in_order() -> None:
    container, log = observed()
    used = Provider(lambda ref: ref.on_dispose(lambda: log.append("undone")))
    user = Provider(lambda ref: ref.watch(used))
    container.read(user)
    taken(log)
    container.dispose()
    assert [entry for entry in log if entry == "undone" or entry[1] in {"dispose", "end"}] == [
        "undone",  # observers are called after the propagation
        ("o", "dispose", user),
        ("o", "dispose", used),
        ("o", "end", container),
    ]


# -- scopes --------------------------------------------------------------------------------------


async def test_observers_of_a_child_container_run_before_those_of_its_parents() -> None:
    log: list[Any] = []
    provider = StateProvider(lambda ref: 0, dependencies=[])
    with ProviderContainer(observers=[Observer("root", log)]) as root:
        middle = ProviderContainer(parent=root, observers=[Observer("middle", log)])
        child = ProviderContainer(
            parent=middle, overrides=[provider.override_with_value(42)], observers=[Observer("child", log)]
        )
        assert taken(log)[-3:] == [(name, "create", child) for name in ("child", "middle", "root")]
        child.read(provider)
        assert taken(log) == [(name, "add", provider, 42) for name in ("child", "middle", "root")]
        middle.read(provider)
        assert taken(log) == [("root", "add", provider, 0)]
        child.read(provider.notifier).state += 1
        assert taken(log) == [(name, "update", provider, 42, 43) for name in ("child", "middle", "root")]
        middle.read(provider.notifier).state += 1
        assert taken(log) == [("root", "update", provider, 0, 1)]


async def test_a_failure_in_a_child_container_is_reported_there_and_in_its_parents() -> None:
    log: list[Any] = []
    error = OSError("no")
    dep = StateProvider(lambda ref: 0)
    scoped = Provider(lambda ref: 0, dependencies=[])

    def fails(ref: Ref) -> int:
        if ref.watch(dep):
            raise error
        return 42

    with ProviderContainer(observers=[Observer("root", log)], on_error=lambda error, provider: None) as root:
        child = ProviderContainer(
            parent=root, overrides=[scoped.override_with(fails)], observers=[Observer("child", log)]
        )
        child.listen(scoped, ignore)
        taken(log)
        child.read(dep.notifier).state += 1
        await child.pump()
        assert taken(log) == [
            ("root", "update", dep, 0, 1),
            *((name, "dispose", scoped) for name in ("child", "root")),
            *((name, "update", scoped, 42, None) for name in ("child", "root")),
            *((name, "fail", scoped, error) for name in ("child", "root")),
        ]


# -- context and errors --------------------------------------------------------------------------


@variants(*NOTIFIERS, auto_dispose=False)
async def test_the_context_has_the_provider_and_the_container(variant: Variant) -> None:
    observer = Observer("o", [])
    async with ProviderContainer(observers=[observer]) as container:
        provider = variant.declare(lambda ref: 0)
        container.listen(provider, ignore)
        notifier = container.read(provider.notifier)
        notifier.state = AsyncData(1) if variant.is_async else 1
        context = observer.contexts[-1]
        assert context == ProviderObserverContext(container, provider, None, notifier)


async def test_an_error_in_an_observer_affects_no_other_observer(reported: list[BaseException]) -> None:
    log: list[Any] = []
    observers = [Observer("a", log, fails=True), Observer("b", log, fails=True), Observer("c", log)]
    number = StateProvider(lambda ref: 0)

    @Provider
    def failing(ref: Ref) -> int:
        raise OSError("no")

    def complaints() -> list[str]:
        names = [str(error) for error in reported if isinstance(error, LookupError)]
        reported.clear()
        return names

    container = ProviderContainer(observers=observers, on_error=lambda error, provider: reported.append(error))
    assert complaints() == ["a", "b"]
    steps: list[Any] = [
        lambda: container.read(number),
        lambda: setattr(container.read(number.notifier), "state", 1),
        lambda: container.invalidate(number),
    ]
    taken(log)
    for step in steps:
        step()
        assert [name for name, *_ in taken(log)] == ["a", "b", "c"]
        assert complaints() == ["a", "b"]
    with pytest.raises(ProviderError):
        container.read(failing)
    assert [name for name, *_ in taken(log)] == ["a", "b", "c"] * 2
    assert complaints() == ["a", "b"] * 2
    container.dispose()
    assert "c" in {name for name, *_ in log}
