"""Random provider graphs, and an oracle that computes the expected value of each provider from scratch."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tetherpy.reactive import (
    AsyncData,
    AsyncError,
    AsyncState,
    FutureProvider,
    Provider,
    ProviderContainer,
    StateProvider,
)
from tetherpy.reactive.errors import AsyncValueIsLoadingError, ProviderError

SYNC_KINDS = ("cell", "sum", "pick", "mod", "boom", "catch", "family", "select", "keeper")
ASYNC_KINDS = ("async", "late", "chain", "latest", "required")
ASYNC = ("async", "late", "chain")


class UnknownError(Exception):
    """Raised by the oracle for a provider that depends on an asynchronous one that was never built."""


class BoomError(Exception):
    """The error of failing providers in this world."""


@dataclass(frozen=True)
class Failure:
    """The expected result of a failing provider: the text of the original error."""

    text: str


@dataclass(frozen=True)
class Spec:
    """One node of a random graph; ``picks`` choose what it depends on among the nodes before it."""

    kind: str
    picks: tuple[int, int, int]
    number: int
    auto_dispose: bool
    scoped: bool


@dataclass
class AsyncBuild:
    """One run of an asynchronous provider's function."""

    inputs: Any
    gate: asyncio.Future[None]
    late: Any = None
    passed: bool = False
    outcome: Any = None


@dataclass
class Place:
    """A container and its overrides."""

    container: ProviderContainer
    parent: Place | None
    overrides: dict[int, int] = field(default_factory=dict[int, int])


def settled(fn: Callable[[], Any]) -> Any:
    """Call, and return the result, or the root of its error as a Failure."""
    try:
        return fn()
    except ProviderError as error:
        return Failure(root(error))


def root(error: BaseException) -> str:
    """Return the text of the error at the bottom of a chain of ProviderErrors."""
    while isinstance(error, ProviderError) and error.__cause__ is not None:
        error = error.__cause__
    return "loading" if isinstance(error, AsyncValueIsLoadingError) else str(error)


class World:
    """A random graph declared as providers, and the oracle over the same specification."""

    def __init__(self, specs: Iterable[Spec]) -> None:
        self.specs: list[Spec] = []
        self.deps: list[tuple[int, ...]] = []
        self.closures: list[frozenset[int]] = []
        self.providers: list[Any] = []
        self.cells: dict[tuple[ProviderContainer, int], int] = {}
        self.resettable: set[tuple[ProviderContainer, int]] = set()
        self.async_builds: dict[tuple[ProviderContainer, int], list[AsyncBuild]] = {}
        self.builds: Counter[tuple[ProviderContainer, int]] = Counter()
        self.ended: Counter[tuple[ProviderContainer, int]] = Counter()
        self.hooked: Counter[tuple[ProviderContainer, int]] = Counter()
        self.pushed: Counter[tuple[ProviderContainer, int]] = Counter()
        self.pulling = 0
        self.places: dict[ProviderContainer, Place] = {}
        self.family = Provider.auto_dispose.family(self._member)
        for index, spec in enumerate(specs):
            self._declare(index, spec)

    # -- declaring -------------------------------------------------------------------------------

    def _declare(self, index: int, spec: Spec) -> None:
        asyncs = [i for i, other in enumerate(self.specs) if other.kind in ASYNC]
        needs_async = spec.kind in ("latest", "required", "chain")
        if index == 0 or (needs_async and not asyncs):
            spec = Spec("cell", spec.picks, spec.number, spec.auto_dispose, spec.scoped)
        pool = asyncs if needs_async and spec.kind != "cell" else list(range(index))
        sync_pool = [i for i in pool if self.specs[i].kind not in ASYNC]
        if spec.kind not in ("latest", "required", "chain"):
            pool = sync_pool
        deps = () if spec.kind == "cell" else tuple(pool[pick % len(pool)] for pick in spec.picks)
        deps = deps[: {"sum": 3, "pick": 3, "async": 2, "late": 2}.get(spec.kind, 1)]
        scoped = tuple(self.providers[i] for i in dict.fromkeys(deps) if self.specs[i].scoped)
        if scoped and not spec.scoped:
            spec = Spec(spec.kind, spec.picks, spec.number, spec.auto_dispose, True)
        self.specs.append(spec)
        self.deps.append(deps)
        closure = set(deps)
        for dep in deps:
            closure |= self.closures[dep]
        self.closures.append(frozenset(closure))
        options: dict[str, Any] = {"name": f"{spec.kind}{index}", "auto_dispose": spec.auto_dispose}
        if spec.scoped:
            options["dependencies"] = list(scoped)
        self.providers.append(self._provider(spec.kind, index, options))

    def _provider(self, kind: str, index: int, options: dict[str, Any]) -> Any:
        match kind:
            case "cell":
                return StateProvider(lambda ref: self._run_sync(ref, index), **options)
            case "async":
                return FutureProvider(lambda ref: self._begin_async(ref, index), **options)
            case "late":
                return FutureProvider(lambda ref: self._begin(ref, index, self._run_late), **options)
            case "chain":
                return FutureProvider(lambda ref: self._begin(ref, index, self._run_chain), **options)
            case _:
                return Provider(lambda ref: self._run_sync(ref, index), **options)

    def _run_sync(self, ref: Any, index: int) -> int:
        spec, key = self.specs[index], (ref.container, index)
        self._built(key)
        if spec.kind == "cell":
            # A cell is built first, or again on request; nothing else may reset it.
            assert ref.is_first_build or key in self.resettable, f"{self.providers[index]!r} lost its state"
            self.resettable.discard(key)
            self.cells[key] = self.initial(key)
            return self.cells[key]
        if spec.number % 2:
            self.hooked[key] += 1
            ref.on_dispose(lambda: self.ended.update([key]))
        if spec.kind == "keeper":
            ref.keep_alive()
        watch = self._watcher(ref, index)
        return self._formula(index, watch)

    def _watcher(self, ref: Any, index: int) -> Callable[[Any], Any]:
        def watch(what: Any) -> Any:
            if isinstance(what, int):
                return ref.watch(self.providers[what])
            tag, argument = what
            if tag == "family":
                return ref.watch(self.family(argument))
            dep, number = argument
            return ref.watch(self.providers[dep].select(lambda value: value // number))

        return watch

    def _formula(self, index: int, watch: Callable[[Any], Any]) -> int:
        spec, deps = self.specs[index], self.deps[index]
        match spec.kind:
            case "sum" | "keeper":
                return sum(watch(dep) for dep in deps)
            case "pick":
                return watch(deps[1]) if watch(deps[0]) % 2 else watch(deps[2])
            case "mod":
                return watch(deps[0]) % spec.number
            case "boom":
                value = watch(deps[0])
                if value % (spec.number + 1) == 0:
                    raise BoomError(f"boom {index}: {value}")
                return value
            case "catch":
                try:
                    return watch(deps[0])
                except ProviderError:
                    return -1
            case "family":
                value = watch(deps[0])
                return watch(("family", value % 3)) + value
            case "select":
                return watch(("select", (deps[0], spec.number)))
            case "latest":
                return latest(watch(deps[0]))
            case "required":
                return watch(deps[0]).require_value + 1
            case _:
                raise AssertionError(spec)

    def _member(self, ref: Any, argument: int) -> int:
        return ref.watch(self.providers[0]) * 10 + argument if not self.specs[0].scoped else argument

    def _begin(self, ref: Any, index: int, run: Callable[[Any, int], Any]) -> Any:
        self._built((ref.container, index))
        return run(ref, index)

    def _begin_async(self, ref: Any, index: int) -> Any:
        self._built((ref.container, index))
        build = self._open(ref, index, sum(ref.watch(self.providers[dep]) for dep in self.deps[index]))
        return self._finish(build)

    async def _finish(self, build: AsyncBuild) -> int:
        await build.gate
        return self._conclude(build, build.inputs)

    async def _run_late(self, ref: Any, index: int) -> int:
        """Watch one provider before and one after an await, all of it after the synchronous part of the build."""
        build = self._open(ref, index, None)
        first, second = (*self.deps[index], *self.deps[index])[:2]
        build.inputs = self._pull(ref, self.providers[first])
        await build.gate
        build.late = (self._pull(ref, self.providers[second]),)
        return self._conclude(build, build.inputs + build.late[0])

    def _pull(self, ref: Any, listenable: Any) -> Any:
        self.pulling += 1
        try:
            return ref.watch(listenable)
        finally:
            self.pulling -= 1

    def _open(self, ref: Any, index: int, inputs: Any) -> AsyncBuild:
        build = AsyncBuild(inputs, asyncio.get_running_loop().create_future())
        self.async_builds.setdefault((ref.container, index), []).append(build)
        return build

    def _conclude(self, build: AsyncBuild, value: int) -> int:
        build.passed = True
        if value % 5 == 0:
            build.outcome = Failure(f"async boom {value}")
            raise BoomError(f"async boom {value}")
        build.outcome = value * 2
        return value * 2

    async def _run_chain(self, ref: Any, index: int) -> int:
        return await self._pull(ref, self.providers[self.deps[index][0]].future) + 1

    def _built(self, key: tuple[ProviderContainer, int]) -> None:
        self.builds[key] += 1
        if not self.pulling:
            self.pushed[key] += 1

    # -- the oracle ------------------------------------------------------------------------------

    def home(self, place: Place, index: int) -> Place:
        """Return the container that owns a provider, as seen from a place."""
        where = place
        while where.parent is not None:
            if index in where.overrides:
                return where
            if self.specs[index].scoped and not self.closures[index].isdisjoint(where.overrides):
                above, overridden_above = where.parent, False
                while above is not None:
                    overridden_above |= index in above.overrides
                    above = above.parent
                if not overridden_above:  # else it stays where it is overridden (Riverpod)
                    return where
            where = where.parent
        return where

    def initial(self, key: tuple[ProviderContainer, int]) -> int:
        """Return the first value of a cell in its owner container."""
        container, index = key
        return self.places[container].overrides.get(index, self.specs[index].number)

    def expect(self, place: Place, index: int) -> Any:
        """Return the value that a provider must have now, or its Failure."""
        try:
            return self._expect(place, index)
        except BoomError as error:
            return Failure(str(error))
        except AsyncValueIsLoadingError:
            return Failure("loading")
        except ProviderError as error:
            return Failure(root(error))

    def _expect(self, place: Place, index: int) -> Any:
        home = self.home(place, index)
        spec = self.specs[index]
        key = (home.container, index)
        if spec.kind == "cell":
            element = home.container.elements.get(self.providers[index])
            if element is None or element.ref is None or key in self.resettable:
                return self.initial(key)
            return self.cells[key]
        if spec.kind in ASYNC:
            return self.state_of(home, index)
        if index in home.overrides:
            return home.overrides[index]

        def watch(what: Any) -> Any:
            if isinstance(what, int):
                value = self.expect(home, what)
            else:
                tag, argument = what
                if tag == "family":
                    first = 0 if self.specs[0].scoped else self.expect(home, 0)
                    return first * 10 + argument
                dep, number = argument
                value = self.expect(home, dep)
                value = value if isinstance(value, Failure) else value // number
            if isinstance(value, Failure):
                raise ProviderError(what) from BoomError(value.text)
            return value

        return self._formula(index, watch)

    def override(self, index: int, value: int) -> Any:
        """Return an override with a value; a cell's can be written to afterwards like the cell itself."""
        provider = self.providers[index]
        if self.specs[index].kind == "cell":
            return provider.override_with(lambda ref: self._run_sync(ref, index))
        return provider.override_with_value(AsyncData(value) if self.specs[index].kind in ASYNC else value)

    def state_of(self, home: Place, index: int) -> AsyncState[int]:
        """Return the state an asynchronous provider is in, without touching it."""
        element = home.container.elements.get(self.providers[index])
        if element is None or element.ref is None:
            raise UnknownError(index)
        return element.value


def latest(state: AsyncState[int]) -> int:
    """Fold an asynchronous state into a number, so that each difference shows."""
    base = {AsyncData: 0, AsyncError: 200_000}.get(type(state), 400_000)
    return base + (100_000 if state.is_loading else 0) + (state.value if state.has_value and state.value else 0)
