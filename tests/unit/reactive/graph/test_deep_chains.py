"""Cold chains of any length can be read, and an exhausted stack is not an error of a provider."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing, suppress
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.reactive.matrix import ignore
from tetherpy.reactive import FutureProvider, Provider, ProviderContainer, Ref, StateProvider
from tetherpy.reactive.errors import CircularDependencyError, ProviderError
from tetherpy.reactive.graph.invariants import check_graph

pytestmark = pytest.mark.slow

start = StateProvider(lambda ref: 0)


def chain(length: int, builds: list[int] | None = None) -> list[Any]:
    providers: list[Any] = [start]

    def link(place: int, source: Any) -> Any:
        def create(ref: Ref) -> int:
            value = ref.watch(source) + 1
            if builds is not None:
                builds.append(place)
            return value

        return Provider(create)

    for place in range(length):
        providers.append(link(place, providers[-1]))
    return providers


def observed(container: ProviderContainer, provider: Any) -> Any:
    seen: list[Any] = []
    container.observe(provider).subscribe(seen.append)
    return seen[0]


USES: dict[str, Callable[[ProviderContainer, Any], Any]] = {
    "read": lambda container, provider: container.read(provider),
    "listen": lambda container, provider: container.listen(provider, ignore).read(),
    "watch": lambda container, provider: container.read(Provider(lambda ref: ref.watch(provider))),
    "watch, later": lambda container, provider: container.read(Provider(lambda ref: ref)).watch(provider),
    "observe": observed,
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("length", [400, 2_500])
def test_a_cold_chain_is_built_once(length: int, use: str) -> None:
    builds: list[int] = []
    provider = chain(length, builds)[-1]
    reported: list[BaseException] = []
    with ProviderContainer(on_error=lambda error, provider: reported.append(error)) as container:
        assert USES[use](container, provider) == length
        assert sorted(builds) == list(range(length)), "each interrupt ended one build"
        builds.clear()
        container.read(start.notifier).state = 5
        assert container.read(provider) == length + 5
        assert len(builds) == length
    assert reported == []


def test_a_cold_chain_of_50_000_providers_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tetherpy.reactive.graph.invariants.enabled", False)
    with ProviderContainer() as container:
        assert container.read(chain(50_000)[-1]) == 50_000


def test_a_chain_that_grows_while_it_has_a_listener_is_built() -> None:
    long = chain(2_000)[-1]
    wanted = StateProvider(lambda ref: False)
    shown = Provider(lambda ref: ref.watch(long) if ref.watch(wanted) else 0)
    heard: list[int] = []
    with ProviderContainer() as container:
        container.listen(shown, lambda _, value: heard.append(value))
        container.read(wanted.notifier).state = True
        assert heard == [2_000]


def test_the_error_of_the_first_provider_is_that_of_the_chain() -> None:
    def broken(ref: Ref) -> int:
        raise OSError("no")

    providers: list[Any] = [Provider(broken)]
    for _ in range(1_000):
        providers.append(Provider(lambda ref, source=providers[-1]: ref.watch(source) + 1))
    reported: list[BaseException] = []
    with ProviderContainer(on_error=lambda error, provider: reported.append(error)) as container:
        with pytest.raises(ProviderError):
            container.read(providers[-1])
        assert [type(error) for error in reported] == [OSError]


@pytest.mark.parametrize("length", [2, 100, 121, 250, 1_000])
def test_a_loop_of_any_length_is_an_error_that_names_it(length: int) -> None:
    providers: list[Any] = []
    for place in range(length):
        providers.append(Provider(lambda ref, place=place: ref.watch(providers[(place + 1) % length])))
    with ProviderContainer(on_error=lambda error, provider: None) as container:
        for _ in range(2):
            with pytest.raises((CircularDependencyError, ProviderError)) as caught:
                container.read(providers[0])
            error: BaseException = caught.value
            while not isinstance(error, CircularDependencyError) and error.__cause__ is not None:
                error = error.__cause__
            assert isinstance(error, CircularDependencyError)
            assert len(error.args[0]) < 2_000
            assert set(providers) == set(error.cycle)
            assert error.cycle[0] is error.cycle[-1]
            assert len(error.cycle) == length + 1
        assert container.read(Provider(lambda ref: 3)) == 3


def test_a_build_that_catches_exceptions_may_be_deep_in_a_chain() -> None:
    providers: list[Any] = [start]

    def link(source: Any) -> Any:
        def create(ref: Ref) -> int:
            try:
                return ref.watch(source) + 1
            except Exception:
                return -1_000_000

        return Provider(create)

    for _ in range(1_000):
        providers.append(link(providers[-1]))
    with ProviderContainer() as container:
        assert container.read(providers[-1]) == 1_000


def deep_in_the_stack(fn: Callable[[], Any]) -> None:
    """Call a function repeatedly, each time with less room on the stack."""

    def descend() -> None:
        try:
            fn()
            descend()
        except RecursionError:
            return

    descend()


def test_an_exhausted_stack_is_not_kept_as_an_error() -> None:
    count = [0]

    def create(ref: Ref) -> int:
        count[0] += 1
        return ref.watch(start) + 1

    reported: list[BaseException] = []
    with ProviderContainer(on_error=lambda error, provider: reported.append(error)) as container:
        sources = [Provider(create) for _ in range(1_200)]
        providers = [Provider(lambda ref, source=source: ref.watch(source) + 1) for source in sources]
        remaining = iter(providers)
        failed: list[Any] = []

        def use() -> None:
            provider = next(remaining)
            try:
                container.read(provider)
            except RecursionError:
                failed.append(provider)
                raise

        deep_in_the_stack(use)
        assert failed
        assert [container.read(provider) for provider in failed] == [2] * len(failed)
        container.read(start.notifier).state = 1
        assert [container.read(provider) for provider in providers] == [3] * len(providers)
    assert reported == []


def _plain(ref: Ref, source: Any) -> int:
    return ref.watch(source) + 1


def _catches(ref: Ref, source: Any) -> int:
    try:
        return ref.watch(source) + 1
    except BaseException:
        return WRONG


def _raises_another(ref: Ref, source: Any) -> int:
    try:
        return ref.watch(source) + 1
    except BaseException as error:
        raise ValueError("no") from error


def _suppresses(ref: Ref, source: Any) -> int:
    value = WRONG
    with suppress(BaseException):
        value = ref.watch(source) + 1
    return value


def _goes_on(ref: Ref, source: Any) -> int:
    value = _catches(ref, source)
    with suppress(BaseException):
        ref.watch(Provider(lambda ref: ref.watch(source)))
    return value


def _reads_in_a_listener(ref: Ref, source: Any) -> int:
    heard: list[int] = []
    ref.listen(start, lambda previous, value: heard.append(ref.watch(source)), fire_immediately=True)
    return heard[0] + 1 if heard else WRONG


WRONG = -1_000_000
SWALLOWING = [_catches, _raises_another, _suppresses, _goes_on, _reads_in_a_listener]


@pytest.mark.parametrize("build", SWALLOWING)
def test_a_build_that_catches_base_exceptions_may_be_deep_in_a_chain(build: Callable[[Ref, Any], int]) -> None:
    providers: list[Any] = [start]
    for place in range(400):
        providers.append(
            Provider(lambda ref, source=providers[-1], one=(_plain if place % 20 else build): one(ref, source))
        )
    reported: list[BaseException] = []
    with ProviderContainer(on_error=lambda error, provider: reported.append(error)) as container:
        container.listen(providers[-1], ignore)
        assert container.read(providers[-1]) == 400
        container.read(start.notifier).state = 1
        assert container.read(providers[-1]) == 401
    assert reported == []


def test_ctrl_c_during_the_unwinding_of_builds_is_raised() -> None:
    pressed = [True]
    deep = chain(400)[-1]

    def create(ref: Ref) -> int:
        try:
            return ref.watch(deep)
        finally:
            if pressed.pop():
                raise KeyboardInterrupt

    shown = Provider(create)
    with ProviderContainer() as container:
        with pytest.raises(KeyboardInterrupt):
            container.read(shown)
        pressed.extend([False] * 10)
        assert container.read(shown) == 400


def test_a_chain_of_listening_builds_is_paused_and_resumed() -> None:
    providers: list[Any] = [start]
    for _ in range(1_200):

        def create(ref: Ref, source: Any = providers[-1]) -> int:
            ref.listen(source, ignore)
            return ref.read(source) + 1

        providers.append(Provider(create))
    with ProviderContainer() as container:
        subscription = container.listen(providers[-1], ignore)
        assert subscription.read() == 1_200
        assert container.elements[start].active == 1
        subscription.pause()
        assert container.elements[start].active == 0
        subscription.resume()
        assert container.elements[start].active == 1
        subscription.close()
        assert container.elements[start].active == 0


async def test_a_source_that_is_watched_again_after_an_await_may_be_deep() -> None:
    long = chain(400)[-1]
    is_long = StateProvider(lambda ref: False)
    changing = Provider(lambda ref: ref.watch(long) if ref.watch(is_long) else 0)
    reached, changed = asyncio.Event(), asyncio.Event()
    seen: list[int] = []

    @FutureProvider
    async def shown(ref: Ref) -> int:
        ref.watch(changing)
        reached.set()
        await changed.wait()
        seen.append(ref.watch(changing))
        return 1

    async with ProviderContainer() as container:
        future = container.read(shown.future)
        await reached.wait()
        container.read(is_long.notifier).state = True
        container.invalidate(changing)
        changed.set()
        assert await future == 1
    assert set(seen) == {400}


@pytest.mark.parametrize("from_view", [False, True])
@pytest.mark.parametrize("is_loop", [False, True])
def test_each_build_may_watch_a_provider_that_it_has_just_declared(is_loop: bool, from_view: bool) -> None:
    providers: list[Any] = [Provider(lambda ref: ref.watch(providers[-1].select(int))) if is_loop else start]
    for _ in range(400):
        providers.append(Provider(lambda ref, source=providers[-1]: ref.watch(source.select(int)) + 1))
    shown = providers[-1].select(int) if from_view else providers[-1]
    with ProviderContainer(on_error=lambda error, provider: None) as container:
        if is_loop:
            with pytest.raises((CircularDependencyError, ProviderError)):
                container.read(shown)
        else:
            container.listen(shown, ignore)
            assert container.read(shown) == 400


def within(frames: int, fn: Callable[[], Any]) -> Any:
    """Call a function a number of frames deeper in the stack."""
    return fn() if not frames else within(frames - 1, fn)


def heard(ref: Ref, container: ProviderContainer, source: Any) -> Any:
    values: list[Any] = []
    ref.listen(start, lambda _, value: values.append(container.read(source)), fire_immediately=True)
    return values[-1]


def listened(ref: Ref, container: ProviderContainer, source: Any) -> Any:
    values: list[Any] = []
    ref.listen(source, lambda _, value: values.append(value), fire_immediately=True)
    return values[-1]


FRAMES: dict[str, Callable[[Ref, ProviderContainer, Any], Any]] = {
    "watch": lambda ref, container, source: ref.watch(source),
    "read": lambda ref, container, source: ref.read(source),
    "view": lambda ref, container, source: ref.watch(source.select(lambda value: value)),
    "listen": listened,
    "read in a callback": heard,
}


@pytest.mark.parametrize("way", FRAMES)
@pytest.mark.parametrize(("length", "frames"), [(107, 2), (110, 5), (300, 10), (30, 300)])
def test_builds_with_many_frames_are_nested_less_deeply(length: int, frames: int, way: str) -> None:
    """Python's limit is reached before that of nested builds: the rest is built from a shallow stack."""
    reported: list[BaseException] = []
    container = ProviderContainer(on_error=lambda error, provider: reported.append(error))
    provider: Any = start
    for _ in range(length):

        def create(ref: Ref, source: Any = provider) -> int:
            return int(within(frames, lambda: FRAMES[way](ref, container, source))) + 1

        provider = Provider(create)
    assert container.read(provider) == length
    check_graph([container], ())
    container.dispose()
    assert reported == []


@pytest.mark.parametrize("nested", [0, 30, 300])
def test_infinite_recursion_is_an_error_at_any_depth(nested: int) -> None:
    def endless(ref: Ref) -> int:
        return endless(ref)

    provider: Any = Provider(endless)
    for _ in range(nested):
        provider = Provider(lambda ref, source=provider: ref.watch(source))
    with ProviderContainer() as container:
        for _ in range(2):
            with pytest.raises(RecursionError):
                container.read(provider)


@pytest.mark.parametrize("end", ["disposer", "context manager", "failed build"])
@pytest.mark.parametrize("length", [50, 2_500])
def test_a_disposer_inside_nested_builds_may_read_a_deep_chain(length: int, end: str) -> None:
    """A disposer runs once: unlike a build it cannot be repeated."""
    deep = chain(length)[-1]
    fails = StateProvider(lambda ref: False)
    ended: list[int] = []
    reported: list[BaseException] = []
    container = ProviderContainer(on_error=lambda error, provider: reported.append(error))

    def finish() -> None:
        ended.append(-1)
        ended.append(container.read(deep))

    @Provider
    def resource(ref: Ref) -> int:
        if end == "disposer":
            ref.on_dispose(finish)
        elif end == "context manager" or ref.watch(fails):
            ref.enter(closing(SimpleNamespace(close=finish)))
        if ref.watch(fails) and end == "failed build":
            raise LookupError
        return ref.watch(start)

    users: list[Any] = [resource]
    for _ in range(100):
        users.append(Provider(lambda ref, source=users[-1]: ref.watch(source) + 1))
    container.read(resource)
    container.read(fails.notifier).state = True
    with suppress(ProviderError):
        container.read(users[-1])
    assert ended == [-1, length]
    assert [type(error) for error in reported] == ([LookupError] if end == "failed build" else [])
    container.dispose()


@pytest.mark.parametrize("how", ["close", "pause", "dispose"])
async def test_a_long_chain_of_builds_that_keep_their_sources_is_released(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tetherpy.reactive.graph.invariants.enabled", False)  # it is checked once, at the end
    gate: asyncio.Event | None = None
    begun: list[int] = []

    @FutureProvider.family
    async def held(ref: Ref, place: int) -> int:
        if gate is not None:
            begun.append(place)
            await gate.wait()
        return 0 if place == 0 else ref.watch(held(place - 1)).require_value + 1

    length = 400
    container = ProviderContainer()
    for place in range(length):
        await container.read(held(place).future)
    subscription = container.listen(held(length - 1), ignore)
    gate = asyncio.Event()
    container.invalidate(held)
    for place in range(length):
        container.read(held(place))
    while len(begun) < length:
        await asyncio.sleep(0)
    container.invalidate(held)  # each keeps the dependencies of its last build until the next begins
    {"close": subscription.close, "pause": subscription.pause, "dispose": container.dispose}[how]()
    check_graph([container], ())
    await container.aclose()
