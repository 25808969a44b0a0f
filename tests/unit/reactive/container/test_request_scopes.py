"""Providers with a scope live in the nearest container of that scope, and nowhere else."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from tests.unit.reactive.matrix import Variant, ignore, settled, variants
from tetherpy.reactive import Family, FutureProvider, Provider, ProviderContainer, Ref, StateProvider
from tetherpy.reactive.errors import NotScopedError, OutsideScopeError, ProviderError, ReactiveArgumentError, ScopeError


class Session:
    """One object per build."""


@Provider.options(scope="request")
def session_provider(ref: Ref) -> Session:
    return Session()


def owners(provider: Any, *containers: ProviderContainer) -> list[bool]:
    return [
        provider in container.elements and container.elements[provider].host is container for container in containers
    ]


# -- where it lives ------------------------------------------------------------------------------


@variants()
async def test_a_provider_with_a_scope_lives_in_the_nearest_container_of_the_scope(
    variant: Variant, container: ProviderContainer
) -> None:
    built: list[int] = []

    def create(ref: Any) -> int:
        built.append(1)
        return len(built)

    provider = variant.declare(create, scope="request")
    with container.child(scope="request") as first, container.child(scope="request") as second, first.child() as inner:
        values: list[int] = []
        for place in (first, second, inner):
            place.listen(provider, ignore)
            values.append(await settled(place, provider))
        assert values == [1, 2, 1]
        assert owners(provider, container, first, second, inner) == [False, True, True, False]
        assert first.explain(provider).scope == "request"
        assert "scope 'request'" in str(first.explain(provider))
        assert not container.exists(provider)
        assert first.exists(provider)


@variants()
async def test_read_watch_listen_and_select_outside_the_scope_are_errors(
    variant: Variant, container: ProviderContainer
) -> None:
    provider = variant.declare(lambda ref: 1, scope="request")
    for use in (
        lambda: container.read(provider),
        lambda: container.listen(provider, ignore),
        lambda: container.read(provider.select(str)),
        lambda: container.child(scope="other").read(provider),
        lambda: container.refresh(provider),
    ):
        with pytest.raises(OutsideScopeError, match=r"container\.child\(scope='request'\)") as caught:
            use()
        assert isinstance(caught.value, ScopeError)
        assert caught.value.chain == (provider,)
        assert caught.value.scopes == ("request",)
    assert not container.elements


def test_scopes_of_different_names_are_nested(container: ProviderContainer) -> None:
    tenant_provider = Provider(lambda ref: object(), scope="tenant")
    both_provider = Provider.options(scope="request")(
        lambda ref: (ref.watch(tenant_provider), ref.watch(session_provider))
    )
    tenant = container.child(scope="tenant")
    first, second = tenant.child(scope="request"), tenant.child(scope="request")
    assert first.read(both_provider)[0] is second.read(both_provider)[0] is tenant.read(tenant_provider)
    assert first.read(both_provider)[1] is not second.read(both_provider)[1]
    with pytest.raises(OutsideScopeError, match="'request'"):
        tenant.read(session_provider)
    inner = first.child(scope="request")
    assert inner.read(session_provider) is not first.read(session_provider)


def test_a_root_may_begin_a_scope() -> None:
    with ProviderContainer.test(scope="request") as container:
        assert container.read(session_provider) is container.read(session_provider)


def test_a_value_of_the_scope_ends_with_its_container(container: ProviderContainer) -> None:
    ended: list[object] = []

    @Provider.options(scope="request")
    def resource_provider(ref: Ref) -> int:
        ref.on_dispose(lambda: ended.append(ref.container))
        return 1

    request = container.child(scope="request")
    request.child().read(resource_provider)
    request.dispose()
    assert ended == [request]
    assert resource_provider not in container.elements


# -- who may use it ------------------------------------------------------------------------------


def test_a_provider_without_a_scope_that_uses_one_is_an_error_with_the_chain(
    container: ProviderContainer, reported: list[BaseException]
) -> None:
    greeting = Provider(lambda ref: ref.watch(session_provider), name="greeting")
    page = Provider(lambda ref: ref.watch(greeting), name="page")
    request = container.child(scope="request")
    request.read(session_provider)
    with pytest.raises(ProviderError) as caught:
        request.read(page)
    root = caught.value.root
    assert isinstance(root, OutsideScopeError)
    assert root.chain == (page, greeting, session_provider)
    assert "Provider(page) -> Provider(greeting) -> Provider(session_provider)" in str(root)
    assert "scope='request'" in str(root)
    assert reported == [root]
    reported.clear()
    assert session_provider not in container.elements


@pytest.mark.parametrize("how", ["watch", "read", "listen", "after an await"])
async def test_every_use_by_a_provider_outside_the_scope_is_an_error(
    how: str, container: ProviderContainer, reported: list[BaseException]
) -> None:
    @FutureProvider
    async def user(ref: Ref) -> object:
        match how:
            case "watch":
                return ref.watch(session_provider)
            case "read":
                return ref.read(session_provider)
            case "listen":
                return ref.listen(session_provider, ignore)
            case _:
                await asyncio.sleep(0)
                return ref.watch(session_provider.select(str))

    request = container.child(scope="request", on_error=ignore)
    with pytest.raises(OutsideScopeError) as caught:
        await request.read(user.future)
    assert caught.value.provider is session_provider
    if how in {"watch", "after an await"}:
        assert caught.value.chain == (user, session_provider)
    reported.clear()


def test_a_provider_that_lists_a_dependency_with_a_scope_lives_in_the_scope(container: ProviderContainer) -> None:
    greeting = Provider(lambda ref: ref.watch(session_provider), dependencies=[session_provider])
    page = Provider(lambda ref: ref.watch(greeting), dependencies=[greeting])
    request = container.child(scope="request")
    assert request.read(page) is request.read(session_provider)
    assert owners(page, container, request) == [False, True]
    with pytest.raises(OutsideScopeError):
        container.read(page)


def test_a_provider_of_the_scope_follows_the_values_of_the_root(container: ProviderContainer) -> None:
    number = StateProvider(lambda ref: 1)
    double = Provider(lambda ref: ref.watch(number) * 2, scope="request")
    request = container.child(scope="request")
    seen: list[int] = []
    request.listen(double, lambda _, value: seen.append(value), fire_immediately=True)
    container.read(number.notifier).state = 5
    assert (seen, request.read(double)) == ([2, 10], 10)


# -- families and overrides ----------------------------------------------------------------------


def test_members_of_a_family_have_its_scope(container: ProviderContainer) -> None:
    @Provider.options(scope="request").family
    def item_provider(ref: Ref, number: int) -> object:
        return object()

    assert isinstance(item_provider, Family)
    assert item_provider.scope == item_provider(1).scope == "request"
    first, second = container.child(scope="request"), container.child(scope="request")
    assert first.read(item_provider(1)) is not second.read(item_provider(1))
    with pytest.raises(OutsideScopeError):
        container.read(item_provider(1))
    assert first.all_providers(family=item_provider) == [item_provider(1)]
    first.invalidate(item_provider)


def test_an_override_in_the_root_replaces_the_function_and_not_the_scope() -> None:
    made: list[Session] = []

    def create(ref: Ref) -> Session:
        made.append(Session())
        return made[-1]

    with ProviderContainer(overrides=[session_provider.override_with(create)]) as root:
        first, second = root.child(scope="request"), root.child(scope="request")
        assert [first.read(session_provider), second.read(session_provider)] == made
        assert len(made) == 2
        with pytest.raises(OutsideScopeError):
            root.read(session_provider)
        other = Session()
        root.update_overrides([session_provider.override_with_value(other)])
        assert first.read(session_provider) is second.read(session_provider) is other


def test_the_container_of_a_scope_overrides_its_providers(container: ProviderContainer) -> None:
    greeting = Provider(lambda ref: ref.watch(session_provider), scope="request")
    mine = Session()
    request = container.child(scope="request", overrides=[session_provider.override_with_value(mine)])
    assert request.read(greeting) is mine
    assert container.child(scope="request").read(greeting) is not mine


@pytest.mark.parametrize("scope", [None, "other"])
def test_another_child_cannot_override_them(scope: str | None, container: ProviderContainer) -> None:
    request = container.child(scope="request")
    with pytest.raises(NotScopedError, match="scope"):
        request.child(scope=scope, overrides=[session_provider.override_with_value(Session())])


@pytest.mark.parametrize("scope", ["", 1, b"request"])
def test_the_name_of_a_scope_is_a_text(scope: Any, container: ProviderContainer) -> None:
    for declare in (
        lambda: Provider(lambda ref: 1, scope=scope),
        lambda: StateProvider.options(scope=scope),
        lambda: container.child(scope=scope),
    ):
        with pytest.raises(ReactiveArgumentError, match="scope"):
            declare()


# -- separate children ---------------------------------------------------------------------------


def test_a_separate_child_shares_what_its_parent_has_built(container: ProviderContainer) -> None:
    pool = Provider(lambda ref: object())
    repository = Provider(lambda ref: (object(), ref.watch(pool)))
    container.read(pool)
    first, second = container.child(separate=True), container.child(separate=True)
    assert first.read(repository)[1] is second.read(repository)[1] is container.read(pool)
    assert first.read(repository)[0] is not second.read(repository)[0]
    assert owners(repository, container, first, second) == [False, True, True]


def test_an_override_in_a_separate_child_reaches_what_uses_it(container: ProviderContainer) -> None:
    pool = Provider(lambda ref: "real")
    repository = Provider(lambda ref: ref.watch(pool.select(str.upper)))
    assert container.read(repository) == "REAL"
    with container.child(separate=True, overrides=[pool.override_with_value("fake")]) as child:
        assert child.read(repository) == "FAKE"
        assert child.child().read(repository) == "FAKE"
    assert container.read(repository) == "REAL"


@pytest.mark.parametrize("depth", [0, 1], ids=["itself", "from a child"])
def test_a_separate_child_sees_what_it_has_built(depth: int, container: ProviderContainer) -> None:
    builds: list[int] = []

    def create(ref: Ref, key: int) -> int:
        builds.append(key)
        return len(builds)

    family = Provider.family(create)
    member = family(1)
    place = container.child(separate=True)
    for _ in range(depth):
        place = place.child()
    assert place.read(member) == 1
    assert place.exists(member)
    assert place.explain(member).state == "CLEAN"
    assert place.refresh(member) == 2
    place.invalidate(member)
    assert place.read(member) == 3
    place.invalidate(family)
    assert place.read(member) == 4
    assert not container.exists(member)


def test_a_separate_child_changes_only_what_it_sees(container: ProviderContainer) -> None:
    pool = Provider(lambda ref: "real")
    repository = Provider(lambda ref: (ref.watch(pool), object()))
    shared = Provider(lambda ref: object())
    real, first = container.read(repository), container.read(shared)
    child = container.child(separate=True, overrides=[pool.override_with_value("fake")])
    assert not child.exists(repository)
    child.invalidate(repository)
    fake = child.read(repository)
    child.invalidate(repository)
    assert container.read(repository) is real
    assert fake[0] == child.read(repository)[0] == "fake"
    assert child.read(repository) is not fake
    assert child.exists(shared)
    assert child.refresh(shared) is container.read(shared) is not first


# -- nothing stays -------------------------------------------------------------------------------


async def test_a_thousand_requests_leave_nothing_behind(container: ProviderContainer) -> None:
    config = Provider.auto_dispose(lambda ref: 1)
    entered = Provider(lambda ref: (ref.watch(config), object()), scope="request")
    kept = Provider(lambda ref: 1)
    container.read(kept)

    async def request() -> None:
        async with container.child(scope="request") as place:
            place.listen(kept, ignore)
            place.listen(entered, ignore)
            await asyncio.sleep(0)

    for _ in range(20):
        await asyncio.gather(*(request() for _ in range(50)))
    await container.pump()
    gc.collect()
    assert container.children == ()
    assert list(container.elements) == [kept]
    assert not container.elements[kept].listeners
