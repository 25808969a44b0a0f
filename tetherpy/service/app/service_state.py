"""The state of a service, as an app observes it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import attrs

from tetherpy.observables import observable
from tetherpy.subscribers import Subscribers

from ..protocol.frames import Phase, Status
from ..protocol.settings import ServiceSettings

if TYPE_CHECKING:
    from tetherpy.observables import IterableObservable


@attrs.frozen
class WorkerState:
    """One worker process; ``id`` is None until it is ready for jobs."""

    pid: int
    id: str | None


@attrs.frozen
class ServiceState:
    """The state of a service; ``running`` is True from the moment it is ready to the end of a stop.

    ``settings`` are those it was started with, ``started_at`` is the start of its oldest worker; None while no service
    runs. ``changed_files`` are files of the app that changed after its workers loaded them, at most ten.
    """

    running: bool = False
    workers: tuple[WorkerState, ...] = ()
    notification_title: str = ""
    notification_content: str = ""
    is_foreground: bool = False
    settings: ServiceSettings | None = None
    started_at: datetime | None = None
    changed_files: tuple[str, ...] = ()

    @classmethod
    def of(cls, status: Status) -> ServiceState:
        """Return the state in a status frame of the supervisor."""
        return cls(
            running=status.phase in (Phase.READY, Phase.STOPPING),
            workers=tuple(WorkerState(worker.pid, worker.id) for worker in status.workers),
            notification_title=status.title,
            notification_content=status.content,
            is_foreground=status.foreground,
            settings=status.settings,
            started_at=None if status.since is None else datetime.fromtimestamp(status.since, UTC),
            changed_files=status.changed,
        )


@attrs.define(eq=False)
class StateBoard:
    """The newest state and its observers; ``on_first`` and ``on_last`` are those of ``Subscribers``."""

    on_first: Callable[[], None]
    on_last: Callable[[], None]
    _current: ServiceState | None = attrs.field(init=False, default=None)
    _watchers: Subscribers[Callable[[ServiceState], None]] = attrs.field(
        init=False, default=attrs.Factory(lambda self: Subscribers(self._on_first, self.on_last), takes_self=True)
    )

    def show(self, state: ServiceState) -> None:
        """Set the state and notify the observers if it differs from the current one."""
        if state == self._current:
            return
        self._current = state
        for watcher in self._watchers:
            watcher(state)

    def observe(self) -> IterableObservable[ServiceState]:
        """Return an observable of the current state and every later one."""
        return observable(lambda on_next, _error, _completed: self._watch(on_next))

    def _watch(self, watcher: Callable[[ServiceState], None]) -> Callable[[], None]:
        remove = self._watchers.add(watcher)
        if self._current is not None:
            watcher(self._current)
        return remove

    def _on_first(self) -> None:
        # A state from before is out of date: changes are not received without watchers.
        self._current = None
        self.on_first()
