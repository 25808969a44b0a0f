"""Containers: reading, existence, invalidation, pumping, parents and children, and disposal."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from tests.unit.reactive.matrix import ASYNC, Variant, ignore, known, settled, variants
from tests.unit.reactive.recording import numbered, recording_builds, recording_disposal
from tetherpy.reactive import AsyncData, AsyncLoading, FutureProvider, Provider, ProviderContainer, Ref, StateProvider
from tetherpy.reactive.errors import ContainerDisposedError, ProviderError

# -- reading -------------------------------------------------------------------------------------


@variants(auto_dispose=False)
async def test_a_value_is_created_once_for_many_reads(variant: Variant, container: ProviderContainer) -> None:
    builds: list[object] = []

    def create(ref: Ref) -> object:
        builds.append(object())
        return builds[-1]

    provider = variant.declare(create)
    child = ProviderContainer(parent=container)
    first = await settled(container, provider)
    assert await settled(container, provider) is first
    assert await settled(child, provider) is first
    assert len(builds) == 1


async def test_a_dependency_is_not_built_before_it_is_used(container: ProviderContainer) -> None:
    dep = Provider(lambda ref: 0, dependencies=[])
    provider = Provider(lambda ref: 0, dependencies=[dep])
    container.read(provider)
    assert container.all_providers() == [provider]


async def test_nothing_is_rebuilt_without_listeners(container: ProviderContainer) -> None:
    builds: list[int] = []
    dep = StateProvider(lambda ref: 0)
    provider = recording_builds(builds, lambda ref: ref.watch(dep))
    container.read(provider)
    container.read(dep.notifier).state = 1
    await container.pump()
    assert builds == [0]
    assert container.read(provider) == 1


async def test_indirect_listeners_refresh_a_provider(container: ProviderContainer) -> None:
    dep = StateProvider(lambda ref: 0)
    derived = Provider(lambda ref: ref.watch(dep))
    heard: list[int] = []

    @Provider
    def listener(ref: Ref) -> None:
        ref.listen(derived.select(lambda value: value * 10), lambda previous, value: heard.append(value))

    container.listen(listener, lambda previous, value: None)
    container.read(dep.notifier).state = 1
    await container.pump()
    assert heard == [10]


async def test_each_read_of_a_failed_provider_raises_and_only_the_first_builds(
    container: ProviderContainer, reported: list[BaseException]
) -> None:
    builds: list[int] = []

    @Provider
    def provider(ref: Ref) -> int:
        builds.append(0)
        raise OSError("no")

    for _ in range(2):
        with pytest.raises(ProviderError) as caught:
            container.read(provider)
        assert caught.value.provider is provider
        assert isinstance(caught.value.__cause__, OSError)
    assert len(builds) == len(reported) == 1
    reported.clear()


# -- refreshing and invalidating -----------------------------------------------------------------


@variants(auto_dispose=False)
async def test_refresh_builds_immediately_and_invalidate_on_the_next_turn(
    variant: Variant, container: ProviderContainer
) -> None:
    builds: list[int] = []
    provider = variant.declare(numbered(builds))
    assert await settled(container, provider) == 0

    refreshed = container.refresh(provider)
    if variant.kind == "StreamProvider-rx":
        assert refreshed == AsyncData(1)
    elif variant.is_async:
        assert refreshed.is_refreshing
    else:
        assert refreshed == 1
    assert await settled(container, provider) == 1

    container.listen(provider, ignore)
    container.invalidate(provider)
    container.invalidate(provider)
    assert builds == [0, 1]
    await container.pump()
    assert await settled(container, provider) == 2
    assert builds == [0, 1, 2]


@pytest.mark.parametrize("as_reload", [False, True])
@variants(*(kind for kind in ASYNC if kind != "StreamProvider-rx"), auto_dispose=False)
async def test_invalidate_as_reload_shows_loading(
    variant: Variant, as_reload: bool, container: ProviderContainer
) -> None:
    provider = variant.declare(lambda ref: 0)
    await settled(container, provider)
    container.invalidate(provider, as_reload=as_reload)
    state = container.read(provider)
    assert isinstance(state, AsyncLoading if as_reload else AsyncData)
    assert (state.is_reloading, state.is_refreshing, state.value) == (as_reload, not as_reload, 0)


async def test_invalidate_does_not_create_an_element(container: ProviderContainer) -> None:
    provider = Provider(lambda ref: 0)
    family = Provider.family(lambda ref, key: key)
    container.invalidate(provider)
    container.invalidate(family)
    container.invalidate(family(1))
    container.read(Provider(lambda ref: ref)).invalidate(provider)
    assert not container.exists(provider)
    assert not container.exists(family(1))


async def test_refreshing_an_unbuilt_provider_builds_it_once(container: ProviderContainer) -> None:
    builds: list[int] = []

    @Provider
    def provider(ref: Ref) -> int:
        builds.append(0)
        return 0

    assert container.refresh(provider) == 0
    container.invalidate(provider)
    assert container.refresh(provider) == 0
    assert len(builds) == 2


async def test_invalidating_a_family_affects_only_its_members(container: ProviderContainer) -> None:
    builds: list[object] = []

    @Provider.family
    def family(ref: Ref, key: int) -> int:
        builds.append(key)
        return key

    @Provider
    def other(ref: Ref) -> int:
        builds.append("other")
        return 0

    for provider in (family(0), family(1), other):
        container.listen(provider, ignore)
    builds.clear()
    container.invalidate(family)
    container.invalidate(family)
    await container.pump()
    assert builds == [0, 1]


async def test_a_child_container_can_invalidate_providers_of_its_parent(container: ProviderContainer) -> None:
    scoped = Provider(lambda ref: 0, dependencies=[])
    family = Provider.family(lambda ref, key: object())
    provider = Provider(lambda ref: object())
    using = Provider(lambda ref: ref.watch(family(0)))
    middle = ProviderContainer(parent=container, overrides=[scoped.override_with_value(1)])
    leaf = ProviderContainer(parent=middle, overrides=[scoped.override_with_value(2)])
    sibling = ProviderContainer(parent=middle, overrides=[scoped.override_with_value(3)])

    def states() -> list[object]:
        shared = [container.read(p) for p in (family(1), provider)]
        return [leaf.read(using), *shared]

    before = states()
    sibling.invalidate(family)
    sibling.invalidate(provider)
    assert all(a is not b for a, b in zip(before, states(), strict=True))

    before = states()
    leaf.invalidate(family(1))
    after = states()
    assert [a is b for a, b in zip(before, after, strict=True)] == [True, False, True]


async def test_a_child_container_cannot_invalidate_providers_of_other_containers(container: ProviderContainer) -> None:
    builds: list[int] = []

    @Provider.options(dependencies=[])
    def scoped(ref: Ref) -> int:
        builds.append(0)
        return 0

    one = ProviderContainer(parent=container, overrides=[scoped.override_with_value(1)])
    other = ProviderContainer(parent=container, overrides=[scoped.override_with(lambda ref: builds.append(1))])
    other.read(scoped)
    one.invalidate(scoped)
    other.read(scoped)
    assert builds == [1]


async def test_invalidating_a_family_affects_only_the_nearest_override(container: ProviderContainer) -> None:
    builds: list[str] = []

    @Provider.options(dependencies=[]).family
    def family(ref: Ref, key: int) -> None:
        builds.append("root")

    scope = ProviderContainer(
        parent=container, overrides=[family.override_with(lambda ref, key: builds.append("scope"))]
    )
    container.listen(family(0), ignore)
    scope.listen(family(1), ignore)
    builds.clear()
    scope.invalidate(family)
    await container.pump()
    assert builds == ["scope"]


async def test_invalidating_a_family_affects_members_that_followed_an_override(container: ProviderContainer) -> None:
    log: list[str] = []
    dep = Provider(lambda ref: 0, dependencies=[])

    @Provider.options(dependencies=[dep]).family
    def family(ref: Ref, key: int) -> int:
        value = ref.watch(dep)
        ref.on_dispose(lambda: log.append(f"{key} with {value}"))
        return key + value

    scope = ProviderContainer(parent=container, overrides=[dep.override_with_value(42)])
    for where in (container, scope):
        where.read(family(1))
    scope.invalidate(family)
    assert log == ["1 with 42"]


# -- existing providers -------------------------------------------------------------------------------


@variants()
async def test_exists_is_true_only_after_a_build(variant: Variant, container: ProviderContainer) -> None:
    provider = variant.declare(lambda ref: 0)
    assert not container.exists(provider)
    assert container.all_providers() == []
    container.read(provider)
    assert container.exists(provider)
    assert container.all_providers() == [provider]


async def test_exists_checks_the_container_that_owns_the_provider(container: ProviderContainer) -> None:
    shared = Provider(lambda ref: 0)
    scoped = Provider(lambda ref: 0, dependencies=[])
    reader = Provider(lambda ref: ref)
    child = ProviderContainer(parent=container, overrides=[scoped.override_with_value(1)])
    ref = child.read(reader)
    assert not ref.exists(shared)

    child.read(shared)
    assert child.exists(shared)
    assert container.exists(shared)
    assert ref.exists(shared)
    assert not child.exists(scoped)

    child.read(scoped)
    assert child.exists(scoped)
    assert not container.exists(scoped)


async def test_all_providers_lists_all_visible_providers(container: ProviderContainer) -> None:
    family = Provider.options(auto_dispose=True, dependencies=[]).family(lambda ref, key: key)
    other = Provider.family(lambda ref, key: key)
    shared = Provider(lambda ref: 0)
    child = ProviderContainer(parent=container, overrides=[family(2).override_with_value(42)])

    container.listen(family(0), ignore)
    subscription = child.listen(family(1), ignore)
    child.listen(family(2), ignore)
    container.read(other(3))
    container.read(shared)

    assert set(child.all_providers()) == {family(0), family(1), family(2), other(3), shared}
    assert set(child.all_providers(family=family)) == {family(0), family(1), family(2)}
    assert set(container.all_providers(family=family)) == {family(0), family(1)}
    assert container.all_providers(family=other) == [other(3)]

    subscription.close()
    await container.pump()
    assert set(child.all_providers(family=family)) == {family(0), family(2)}


# -- pump ----------------------------------------------------------------------------------------


async def test_pump_also_waits_for_parent_containers(container: ProviderContainer) -> None:
    heard: list[tuple[str, int]] = []
    dep = StateProvider(lambda ref: 0)
    shared = Provider(lambda ref: ref.watch(dep))
    scoped = Provider(lambda ref: -1, dependencies=[])
    child = ProviderContainer(parent=container, overrides=[scoped.override_with(lambda ref: ref.watch(dep))])
    child.listen(shared, lambda previous, value: heard.append(("shared", value)))
    child.listen(scoped, lambda previous, value: heard.append(("scoped", value)))

    for source in (container, child):
        source.read(dep.notifier).state += 1
        assert heard == []
        await child.pump()
        assert set(heard) == {("shared", container.read(dep)), ("scoped", container.read(dep))}
        heard.clear()


# -- parents, children, ends ---------------------------------------------------------------------


async def test_a_container_has_depth_root_and_parent(container: ProviderContainer) -> None:
    middle = ProviderContainer(parent=container)
    leaf = ProviderContainer(parent=middle)
    assert [c.depth for c in (container, middle, leaf)] == [0, 1, 2]
    assert [c.root for c in (container, middle, leaf)] == [container] * 3
    assert [c.parent for c in (container, middle, leaf)] == [None, container, middle]


async def test_a_disposed_container_refuses_children_and_ignores_a_second_disposal() -> None:
    container = ProviderContainer()
    provider = Provider(lambda ref: 0)
    container.dispose()
    container.dispose()
    await container.aclose()
    assert container.disposed
    uses: list[Any] = [
        lambda: ProviderContainer(parent=container),
        lambda: container.read(provider),
        lambda: container.listen(provider, ignore),
        lambda: container.refresh(provider),
        lambda: container.invalidate(provider),
        lambda: container.exists(provider),
        lambda: container.all_providers(),
        lambda: container.update_overrides([]),
        lambda: container.explain(provider),
    ]
    for use in uses:
        with pytest.raises(ContainerDisposedError) as caught:
            use()
        assert caught.value.container is container


async def test_children_are_disposed_before_the_parent_which_stays_usable() -> None:
    log: list[str] = []

    def logs(name: str) -> Any:
        def create(ref: Ref) -> int:
            ref.on_dispose(lambda: log.append(name))
            return 0

        return create

    provider = Provider(logs("root"), dependencies=[])
    root = ProviderContainer()
    child = ProviderContainer(parent=root, overrides=[provider.override_with(logs("child"))])
    other = ProviderContainer(parent=root, overrides=[provider.override_with(logs("other"))])
    for container in (root, child, other):
        container.listen(provider, ignore)

    other.dispose()
    assert log == ["other"]
    assert (child.disposed, root.disposed) == (False, False)

    root.dispose()
    assert log == ["other", "child", "root"]
    assert (child.disposed, root.disposed) == (True, True)


async def test_disposal_of_a_child_keeps_providers_of_its_parent(container: ProviderContainer) -> None:
    log: list[Any] = []
    dep = StateProvider(lambda ref: 0)
    provider = recording_disposal(log, build=lambda ref: ref.watch(dep), declare=Provider)
    child = ProviderContainer(parent=container)
    child.listen(provider, ignore)
    container.listen(provider, lambda previous, value: log.append((previous, value)))
    child.dispose()
    assert log == []

    container.read(dep.notifier).state += 1
    await container.pump()
    assert log == ["disposed", (0, 1)]


async def test_a_container_builds_nothing_during_its_disposal() -> None:
    builds: list[int] = []
    provider = Provider(lambda ref: builds.append(0), dependencies=[])
    root = ProviderContainer()
    child = ProviderContainer(parent=root, overrides=[provider.override_with(lambda ref: builds.append(1))])
    child.update_overrides([provider.override_with(lambda ref: builds.append(2))])
    root.dispose()
    assert builds == []


async def test_disposal_of_a_child_drops_its_pending_work(container: ProviderContainer) -> None:
    builds: list[int] = []
    dep = StateProvider(lambda ref: 0)
    scoped = Provider(lambda ref: -1, dependencies=[], auto_dispose=True)
    child = ProviderContainer(
        parent=container, overrides=[scoped.override_with(lambda ref: builds.append(ref.watch(dep)))]
    )
    child.listen(scoped, ignore)
    child.read(scoped)
    container.read(dep.notifier).state += 1
    child.dispose()
    await container.pump()
    assert builds == [0]


GRAPHS: dict[str, dict[str, str]] = {
    "linear": {"a": "", "b": "a", "c": "b"},
    "diamond": {"a": "", "b": "a", "c": "a", "d": "bc"},
    "linked diamond": {"a": "", "b": "a", "c": "ab", "d": "bc"},
    "triangle on a stick": {"a": "", "b": "a", "c": "b", "d": "bc"},
    "long side": {"a": "", "b": "a", "c": "a", "d": "b", "e": "cd"},
    "mesh": {"a": "", "b": "a", "e": "b", "d": "be", "c": "ab", "f": "ce", "g": "cf"},
}
"""Providers by name, each with the names of the providers it watches."""


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
async def test_providers_are_disposed_before_their_dependencies(graph: dict[str, str]) -> None:
    log: list[str] = []
    providers: dict[str, Any] = {}

    def node(name: str) -> Any:
        def create(ref: Ref) -> str:
            ref.on_dispose(lambda: log.append(name))
            for source in graph[name]:
                ref.watch(providers[source].select(str) if source == "b" else providers[source])
            return name

        return Provider(create, name=name)

    providers.update({name: node(name) for name in graph})
    for order in itertools.islice(itertools.permutations(graph), 0, None, 1 if len(graph) < 6 else 97):
        container = ProviderContainer()
        for name in order:
            container.read(providers[name])
        container.dispose()
        assert sorted(log) == sorted(graph)
        for name, sources in graph.items():
            assert all(log.index(name) < log.index(source) for source in sources), (order, log)
        log.clear()


async def test_providers_are_disposed_before_dependencies_in_other_containers() -> None:
    log: list[str] = []

    def logs(name: str, *sources: Any) -> Any:
        def create(ref: Ref) -> str:
            ref.on_dispose(lambda: log.append(name))
            for source in sources:
                ref.watch(source)
            return name

        return create

    root = ProviderContainer()
    a = Provider(logs("a"))
    b = Provider(logs("b"), dependencies=[])
    c = Provider(logs("c", a, b), dependencies=[b])
    child = ProviderContainer(parent=root, overrides=[b.override_with(logs("b of the child"))])
    child.read(c)
    root.read(c)
    root.dispose()
    assert log == ["c", "b of the child", "c", "b", "a"]


async def test_disposers_of_a_failed_build_run_too(reported: list[BaseException]) -> None:
    log: list[str] = []
    container = ProviderContainer(on_error=lambda error, provider: reported.append(error))

    @Provider
    def provider(ref: Ref) -> int:
        ref.on_dispose(lambda: log.append("disposed"))
        raise OSError("no")

    with pytest.raises(ProviderError):
        container.read(provider)
    assert log == []
    container.dispose()
    assert log == ["disposed"]


async def test_ref_container_is_the_owner_of_the_provider(container: ProviderContainer) -> None:
    shared = Provider(lambda ref: ref)
    scoped = Provider(lambda ref: ref, dependencies=[])
    child = ProviderContainer(parent=container, overrides=[scoped.override_with(lambda ref: ref)])
    assert child.read(shared).container is container
    assert child.read(scoped).container is child


# -- retry and errors are inherited --------------------------------------------------------------


async def test_a_child_container_inherits_retry_and_on_error(reported: list[BaseException]) -> None:
    asked: list[int] = []

    def retry(count: int, error: Exception) -> None:
        asked.append(count)

    root = ProviderContainer(retry=retry, on_error=lambda error, provider: reported.append(error))
    child = ProviderContainer(parent=root)
    scoped = Provider(lambda ref: 0, dependencies=[])
    leaf = ProviderContainer(parent=child, overrides=[scoped.override_with(lambda ref: 1 // 0)])
    with pytest.raises(ProviderError):
        leaf.read(scoped)
    assert asked == [0]
    assert [type(error) for error in reported] == [ZeroDivisionError]
    root.dispose()


async def test_the_error_of_a_dependency_is_reported_once(
    container: ProviderContainer, reported: list[BaseException]
) -> None:
    @FutureProvider
    async def source(ref: Ref) -> int:
        raise OSError("no")

    plain = Provider(lambda ref: ref.watch(source).require_value)

    @FutureProvider
    async def derived(ref: Ref) -> int:
        return await ref.watch(source.future)

    with pytest.raises(OSError, match="no"):
        await container.read(derived.future)
    with pytest.raises(ProviderError):
        container.read(plain)
    assert {str(error) for error in reported} == {"no"}
    reported.clear()


@variants(auto_dispose=False)
async def test_a_child_container_uses_the_overrides_of_its_root(variant: Variant) -> None:
    provider = variant.declare(lambda ref: "original")
    async with ProviderContainer(overrides=[variant.overridden(provider, lambda ref: "replacement")]) as root:
        child = ProviderContainer(parent=root)
        assert await settled(child, provider) == "replacement"
        assert known(root.read(provider), variant) == "replacement"


async def test_closing_a_parent_waits_for_its_children_and_collects_their_errors() -> None:
    log: list[str] = []

    async def leave() -> None:
        await asyncio.sleep(0)
        log.append("left")
        raise OSError("stuck")

    def of_the_child(ref: Ref) -> int:
        ref.on_dispose(leave)
        return 2

    resource = Provider(lambda ref: 1, name="resource", dependencies=[])
    parent = ProviderContainer()
    child = ProviderContainer(parent=parent, overrides=[resource.override_with(of_the_child)])
    assert child.read(resource) == 2
    with pytest.raises(ExceptionGroup) as caught:
        await parent.aclose()
    assert log == ["left"]
    assert [str(error) for error in caught.value.exceptions] == ["stuck"]
    assert child.disposed


@pytest.mark.parametrize("is_child", [False, True])
def test_an_observer_that_fails_at_the_close_of_a_container_keeps_nothing_open(is_child: bool) -> None:
    reported: list[BaseException] = []
    root = ProviderContainer(on_error=lambda error, provider: reported.append(error))
    container = root.child() if is_child else root
    total = StateProvider(lambda ref: 0)
    other = StateProvider(lambda ref: 0)
    completed: list[str] = []
    refused = ValueError("the screen is gone")

    def fail() -> None:
        raise refused

    container.observe(total).subscribe(on_completed=fail)
    container.observe(other).subscribe(on_completed=lambda: completed.append("other"))
    container.dispose()
    assert container.disposed
    assert completed == ["other"]
    assert reported == [refused]
    root.dispose()
