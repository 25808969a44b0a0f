"""Disposal order: dependents before dependencies, children before parents, one build before the next.

Random graphs of providers with asynchronous disposers are built, changed and closed. Each build records the builds it
has used; each step of its end is compared with them. ``TETHERPY_FUZZ=1`` makes the runs long (``make fuzz``).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.waiting import turns
from tetherpy.reactive import FutureProvider, Provider, ProviderContainer, Ref, StateProvider, StreamProvider

LONG = bool(os.environ.get("TETHERPY_FUZZ"))


class Abort(BaseException):
    """A BaseException that is not an Exception, like pytest.fail and a group with KeyboardInterrupt."""


ERRORS: dict[str, type[BaseException]] = {"OSError": OSError, "Abort": Abort}


@attrs.frozen
class Undo:
    """A registered disposer: its kind, its number of turns, and its error."""

    kind: str
    turns: int
    raises: str | None


@attrs.frozen
class Spec:
    """A provider; ``uses`` picks among those before it."""

    kind: str
    uses: tuple[tuple[int, str], ...]
    undoes: tuple[Undo, ...]
    turns: int
    auto_dispose: bool
    in_child: bool


undoes = st.builds(
    Undo,
    st.sampled_from(["on_dispose", "on_dispose", "enter_async", "task", "synchronous"]),
    st.integers(0, 4),
    st.sampled_from([None, None, None, None, "OSError", "Abort"]),
)
specs = st.lists(
    st.builds(
        Spec,
        kind=st.sampled_from(["provider", "future", "future", "stream"]),
        uses=st.lists(st.tuples(st.integers(0, 20), st.sampled_from(["watch", "watch", "read"])), max_size=2).map(
            tuple
        ),
        undoes=st.lists(undoes, max_size=3).map(tuple),
        turns=st.integers(0, 2),
        auto_dispose=st.booleans(),
        in_child=st.booleans(),
    ),
    min_size=2,
    max_size=5,
)
ACTIONS = ("read", "listen", "leave", "invalidate", "refresh", "change", "turn", "turns", "settle", "close child")
actions = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 20)), max_size=12)


@attrs.define(eq=False)
class Build:
    """One build, from the start of its function to the end of its last disposer."""

    world: World
    index: int
    number: int
    container: Any
    used: set[Build] = attrs.field(factory=set)
    running: int = 1
    has_begun_to_end: bool = False
    left: list[int] = attrs.field(factory=list[int])
    now: int | None = None

    @property
    def ended(self) -> bool:
        return not self.left and not self.running

    def all_used(self) -> set[Build]:
        found: set[Build] = set()
        todo = [*self.used]
        while todo:
            build = todo.pop()
            if build not in found:
                found.add(build)
                todo.extend(build.used)
        return found

    def begin(self, place: int) -> None:
        """Record the start of a disposer; they run in order of registration."""
        self.check_order()
        self.world.want(self.now is None, f"{self}: {place} begins while {self.now} runs")
        self.world.want(self.left[0] == place, f"{self}: {place} runs, but {self.left} are left")
        self.now = place

    def check_order(self) -> None:
        """Check at the start of the end that all builds that use this one are closed."""
        world = self.world
        if not self.has_begun_to_end:
            self.has_begun_to_end = True
            for other in world.builds:
                if other is not self and not other.ended and (other.has_begun_to_end or world.is_closing(other)):
                    world.want(self not in other.all_used(), f"{self} ends before its user {other}")
                    if world.is_closing(self):
                        is_below = other.container is not self.container and other.container is world.child
                        world.want(not is_below, f"{self} ends before {other} of a child")

    def end(self, place: int) -> None:
        self.now = None
        self.left.remove(place)

    def __repr__(self) -> str:
        return f"build {self.number} of {self.world.providers[self.index]!r}"


class World:
    """A root container and a child, in which random providers are built."""

    def __init__(self, nodes: list[Spec]) -> None:
        self.specs = nodes
        self.builds: list[Build] = []
        self.complaints: list[str] = []
        self.reported: list[BaseException] = []
        self.raised: list[BaseException] = []
        self.subscriptions: list[tuple[Any, Any]] = []
        self.trigger = StateProvider(lambda ref: 0, name="trigger")
        self.providers: list[Any] = []
        self.overrides: list[Any] = []
        #: Of each node the nodes that it uses, and how.
        self.uses: list[list[tuple[int, str]]] = []
        for index, spec in enumerate(nodes):
            self._declare(index, spec)
        self.root = ProviderContainer(on_error=lambda error, provider: self.reported.append(error))
        self.child = ProviderContainer(
            parent=self.root,
            overrides=self.overrides,
            on_error=lambda error, provider: self.reported.append(error),
        )

    def want(self, truth: bool, complaint: str) -> None:
        """Record a failed expectation where an assertion would be caught."""
        if not truth:
            self.complaints.append(complaint)

    def is_closing(self, build: Build) -> bool:
        return build.container.disposed or build.container.closing

    def _declare(self, index: int, spec: Spec) -> None:
        pool = [i for i in range(index) if spec.kind != "provider" or self.specs[i].kind == "provider"]
        uses = {pool[pick % len(pool)]: how for pick, how in spec.uses} if pool else {}
        scoped = [self.providers[i] for i in uses if self.specs[i].in_child]
        if scoped and not spec.in_child:
            self.specs[index] = spec = attrs.evolve(spec, in_child=True)
        self.uses.append(list(uses.items()))
        options: dict[str, Any] = {"name": f"{spec.kind}{index}", "auto_dispose": spec.auto_dispose}
        if spec.in_child:
            options["dependencies"] = scoped
        run: Any = {"provider": self._create, "future": self._future, "stream": self._stream}[spec.kind]
        kind: Any = {"provider": Provider, "future": FutureProvider, "stream": StreamProvider}[spec.kind]

        def create(ref: Ref) -> Any:
            return run(ref, index)

        self.providers.append(kind(create, **options))
        if spec.in_child:
            self.overrides.append(self.providers[index].override_with(create))

    # -- what providers do -----------------------------------------------------------------------

    def _open(self, ref: Ref, index: int) -> Build:
        number = sum(build.index == index for build in self.builds)
        build = Build(self, index, number, ref.container)
        for other in self.builds:
            if other.index == index and other.container is build.container and self.specs[index].kind != "provider":
                self.want(other.ended, f"{build} begins before the end of {other}")
        self.builds.append(build)
        return build

    def _create(self, ref: Ref, index: int) -> Build:
        build = self._open(ref, index)
        ref.watch(self.trigger)
        for source, how in self.uses[index]:
            build.used.add(getattr(ref, how)(self.providers[source]))
        for place, undo in enumerate(self.specs[index].undoes):
            self._register(ref, build, place, undo)
        build.running -= 1
        return build

    async def _use(self, ref: Ref, build: Build, index: int) -> None:
        """Use the sources of a node, and wait for those that are asynchronous."""
        ref.watch(self.trigger)
        for source, how in self.uses[index]:
            listenable = self.providers[source]
            is_sync = self.specs[source].kind == "provider"
            used = getattr(ref, how)(listenable if is_sync else listenable.future)
            build.used.add(used if is_sync else await used)

    async def _future(self, ref: Ref, index: int) -> Build:
        build = self._open(ref, index)
        try:
            await self._use(ref, build, index)
            for place, undo in enumerate(self.specs[index].undoes):
                if undo.kind == "enter_async":
                    await ref.enter_async(self._manager(build, place, undo))
                else:
                    self._register(ref, build, place, undo)
                await turns(self.specs[index].turns)
            return build
        finally:
            await self._leave(build)

    async def _stream(self, ref: Ref, index: int) -> AsyncIterator[Build]:
        build = self._open(ref, index)
        try:
            await self._use(ref, build, index)
            for place, undo in enumerate(self.specs[index].undoes):
                self._register(ref, build, place, undo)
            yield build
            await asyncio.Event().wait()
        finally:
            await self._leave(build)

    async def _leave(self, build: Build) -> None:
        """Wait some turns at the end of a function, also of a cancelled one."""
        try:
            await turns(self.specs[build.index].turns)
        finally:
            build.running -= 1

    def _register(self, ref: Ref, build: Build, place: int, undo: Undo) -> None:
        async def finish() -> None:
            await turns(undo.turns)
            build.end(place)
            self._fail(undo)

        def end() -> Any:
            build.begin(place)
            if undo.kind != "synchronous":
                return finish()
            build.end(place)
            return self._fail(undo)

        build.left.append(place)
        ref.on_dispose(end)

    @asynccontextmanager
    async def _manager(self, build: Build, place: int, undo: Undo) -> AsyncIterator[None]:
        await turns(undo.turns)
        build.running += 1
        try:
            yield
        finally:
            build.check_order()
            self.want(not build.left, f"{build} leaves a context manager before {build.left}")
            try:
                await turns(undo.turns)
            finally:
                build.running -= 1
            self._fail(undo)

    def _fail(self, undo: Undo) -> None:
        if undo.raises is not None:
            error = ERRORS[undo.raises]()
            self.raised.append(error)
            raise error

    # -- actions ---------------------------------------------------------------------------------

    def act(self, action: str, pick: int) -> None:
        index = pick % len(self.providers)
        provider = self.providers[index]
        container = self.child if self.specs[index].in_child else self.root
        if container.disposed:
            return
        match action:
            case "read":
                container.read(provider)
            case "listen":
                self.subscriptions.append((container.listen(provider, lambda previous, value: None), container))
            case "leave" if self.subscriptions:
                self.subscriptions.pop(pick % len(self.subscriptions))[0].close()
            case "invalidate" | "refresh":
                getattr(container, action)(provider)
            case "change":
                self.root.read(self.trigger.notifier).state += 1
            case _:
                pass

    async def run(self, program: list[tuple[str, int]], *, settles: bool) -> None:
        for action, pick in program:
            match action:
                case "turn" | "turns" | "settle":
                    await turns({"turn": 1, "turns": 6, "settle": 40}[action])
                case "close child":
                    await self.close(self.child)
                case _:
                    with contextlib.suppress(Abort):  # a synchronous disposer has raised it, and the rest has run
                        self.act(action, pick)
        if settles:
            await turns(40)
        await self.close(self.root)
        assert not self.complaints, self.complaints[0]
        left = [build for build in self.builds if not build.ended]
        assert not left, f"{left} have not ended: {[build.left for build in left]}"
        assert {*self.reported} <= {*self.raised}

    async def close(self, container: ProviderContainer) -> None:
        try:
            async with asyncio.timeout(25):
                await container.aclose()
        except* (OSError, Abort) as failures:
            self.reported += failures.exceptions
        for build in self.builds:
            if build.container is container:
                self.want(build.ended, f"{build} has not ended when aclose returns")


@settings(max_examples=20_000 if LONG else 120, deadline=None, suppress_health_check=list(HealthCheck))
@given(specs, actions, st.booleans())
def test_disposers_run_in_order(nodes: list[Spec], program: list[tuple[str, int]], settles: bool) -> None:
    async def main() -> None:
        await World(nodes).run(program, settles=settles)

    asyncio.run(main())
