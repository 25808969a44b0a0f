"""The supervisor: starts the workers of a database, replaces dead ones, and ends them.

It runs no code of the user, so a job cannot harm it. It has imported the modules that a worker needs, so a new worker
is a fork and not an interpreter start.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from functools import partial

import attrs

from ..errors import ServiceFolderError
from ..protocol.code_files import changed_files, code_files
from ..protocol.frames import (
    Beat,
    Event,
    Frame,
    Halt,
    Notice,
    Phase,
    Ready,
    StartFailed,
    Status,
    Stop,
    WorkerEntry,
    Working,
    encode,
)
from ..protocol.settings import WorkerConfig
from ..protocol.wait_bounds import FAREWELL_SECONDS, KILL_GRACE_SECONDS, SIGNAL_STOP_SECONDS
from .child_process import Child, Forker, WorkerSockets
from .code_reload import CodeReload
from .control_server import ControlServer
from .event_relay import EventRelay
from .frame_socket import FrameSocket
from .group_files import GroupFiles
from .hung_workers import HungWorkerCheck
from .log_pump import LogPump
from .restart_policy import RestartPolicy
from .selector_loop import SelectorLoop

FORK_AGAIN_SECONDS = 1.0
CHECK_FILES_SECONDS = 1.0


@attrs.define(eq=False)
class Supervisor:
    """Run the workers of one database until they are stopped."""

    config: WorkerConfig
    group: GroupFiles
    work: Callable[[WorkerConfig, WorkerSockets], int]
    listener: socket.socket
    selector_loop: SelectorLoop
    output: LogPump | None
    restarts: RestartPolicy = attrs.field(factory=RestartPolicy)
    control_server: ControlServer = attrs.field(init=False)
    _to_workers: EventRelay = attrs.field(init=False)
    _to_apps: EventRelay = attrs.field(init=False)
    _forker: Forker = attrs.field(init=False)
    _phase: Phase = attrs.field(init=False, default=Phase.STARTING)
    _children: list[Child] = attrs.field(init=False, factory=list[Child])
    _error: str = attrs.field(init=False, default="")
    _traceback: str = attrs.field(init=False, default="")
    _notice: Notice = attrs.field(init=False)
    _halting_now: bool = attrs.field(init=False, default=False)
    _app_pipe: int | None = attrs.field(init=False, default=None)
    _files_error: str = attrs.field(init=False, default="")
    _unwritten: int = attrs.field(init=False, default=0)
    _changed: tuple[str, ...] = attrs.field(init=False, default=())
    # Modules that the caller of run_worker has imported: every fork has them, however often their files change.
    _inherited: dict[str, float] = attrs.field(init=False, factory=code_files)
    _reload: CodeReload = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._notice = Notice(self.config.notification_title, self.config.notification_content, True)
        self._to_workers = EventRelay(self.selector_loop, lambda: [child.events for child in self._children])
        self._to_apps = EventRelay(self.selector_loop, lambda: self.control_server.apps, self._drop_app)
        self.control_server = ControlServer(
            self.selector_loop,
            self.listener,
            self._greeting,
            self._on_app_frame,
            self._to_apps.on_room,
            self._on_broken_app,
        )
        self._reload = CodeReload(lambda: self._children, self._spawn, self._report)
        self._forker = Forker(
            self.selector_loop,
            partial(self.work, self.config),
            self._release,
            self._on_worker_frame,
            self._on_worker_closed,
            self._to_workers.on_room,
            own_group=self.output is None,
        )

    def stop_with(self, app_pipe: int) -> None:
        """Stop when the app that holds the other end of this pipe has ended."""
        self._app_pipe = app_pipe

        def on_end() -> None:
            self.selector_loop.forget(app_pipe)
            self.stop(0.0)

        self.selector_loop.watch(app_pipe, on_end)

    def run(self) -> int:
        """Serve until all workers have ended; return the exit code: 1 if they failed."""
        self.selector_loop.on_signal(signal.SIGCHLD, self._reap)
        self.selector_loop.on_signal(signal.SIGTERM, self._on_stop_signal)
        self.selector_loop.on_signal(signal.SIGINT, self._on_stop_signal)
        HungWorkerCheck(self.selector_loop, self.config.lease, lambda: self._children, self._report).run()
        self.selector_loop.call_later(CHECK_FILES_SECONDS, self._check_files)
        try:
            for _ in range(self.config.processes):
                self._spawn()
            self.selector_loop.run(until=lambda: self._ending and not self._children)
            if self.output is not None:
                self.output.drain()
            self._flush_to_apps()
        finally:
            for child in self._children:
                child.kill()
            self.control_server.close()
            self.selector_loop.close()
            # Releases the lock even if another process has a copy of the descriptor.
            self.group.unlock()
        return 1 if self._phase is Phase.FAILED else 0

    def stop(self, timeout: float) -> None:
        """Let the workers finish their jobs; after ``timeout`` seconds they release them."""
        if not self._ending:
            self._enter(Phase.STOPPING)
            self._send_to_workers(Halt(now=False))
        self.selector_loop.call_later(timeout, self._halt_now)

    @property
    def _ending(self) -> bool:
        return self._phase in (Phase.STOPPING, Phase.FAILED)

    def _spawn(self, replaces: Child | None = None) -> None:
        if self._ending:
            return
        try:
            child = self._forker.fork(self.output.open_pipe() if self.output is not None else None)
        except OSError as error:
            self._report(f"no worker could be forked ({error}); trying again in {FORK_AGAIN_SECONDS:g} s")
            self.selector_loop.call_later(FORK_AGAIN_SECONDS, partial(self._spawn, replaces))
            return
        child.replaces = replaces
        self._children.append(child)

    def _release(self) -> None:
        # In a forked worker: an inherited copy of these descriptors would hide the supervisor's death.
        self.selector_loop.close()
        self.control_server.release()
        for sibling in self._children:
            sibling.close_descriptors()
        self.group.release()
        if self._app_pipe is not None:
            os.close(self._app_pipe)
        if self.output is not None:
            self.output.release()

    def _reap(self) -> None:
        for child in tuple(self._children):
            if (ending := child.reap()) is not None:
                self._children.remove(child)
                self._to_workers.on_room(child.events)
                self._on_death(child, ending)

    def _on_death(self, child: Child, ending: str) -> None:
        if self._ending:
            return
        if self._phase is Phase.STARTING:
            self._fail(f"a worker {ending} before it was ready")
            return
        if self.group.files.database_is_missing:
            self._fail(f"{self.group.lost_database}; its service, process {os.getpid()}, ends")
            return
        if self._reload.died(child):
            self._announce()
            return
        delay = self.restarts.delay_after(was_ready=child.was_ready, did_work=child.did_work)
        if delay is None:
            self._fail(f"workers keep dying before they are ready; the last one {ending}")
            return
        self._report(f"worker {child.worker_id or child.pid} {ending}; its successor starts in {delay:g} s")
        self.selector_loop.call_later(delay, self._spawn)
        self._announce()

    def _on_worker_frame(self, child: Child, line: FrameSocket, frame: Frame) -> None:
        match frame:
            case Ready():
                child.worker_id = frame.worker_id
                child.code = {**frame.code, **self._inherited}
                child.last_beat = self.selector_loop.now()
                self._on_ready(child)
            case Beat():
                child.last_beat = self.selector_loop.now()
            case Working():
                child.did_work = True
                self.restarts.worked()
            case Notice():
                self._notice = frame
                self._announce()
            case Event():
                self._to_apps.pass_on(line, encode(frame))
            case Stop():
                self.stop(frame.timeout)
            case StartFailed() if self._phase is Phase.STARTING:
                self._traceback = frame.traceback
                self._fail(frame.reason)
            case StartFailed():
                self._report(f"a new worker cannot start: {frame.reason}\n{frame.traceback}")
            case _:
                self._report(f"worker {child.pid} sent an unexpected frame: {frame!r:.200}")

    def _on_worker_closed(self, child: Child, line: FrameSocket) -> None:
        if line.error is not None:
            self._report(f"worker {child.worker_id or child.pid}: {line.error} It finishes what runs and is replaced.")
            child.hang_up()

    def _on_app_frame(self, app: FrameSocket, frame: Frame) -> None:
        match frame:
            case Event():
                self._to_workers.pass_on(app, encode(frame))
            case Stop():
                self.stop(frame.timeout)
            case _:
                self._report(f"an app sent an unexpected frame: {frame!r:.200}")

    def _on_broken_app(self, app: FrameSocket) -> None:
        self._report(f"an app: {app.error}")

    def _drop_app(self, app: FrameSocket) -> None:
        self._report(f"an app does not read, and {app.unsent:,} bytes wait for it; its connection is closed")
        app.close()

    def _on_ready(self, child: Child) -> None:
        if child.replaces is not None:
            child.replaces.leaving = True
            child.replaces.control.send(encode(Halt(now=False)))
            child.replaces = None
        ready = sum(child.was_ready for child in self._children)
        if self._phase is Phase.STARTING and ready == self.config.processes:
            self.group.expect_database()
            self._enter(Phase.READY)
        else:
            self._announce()

    def _on_stop_signal(self) -> None:
        if self._ending:
            self._halt_now()
        else:
            self.stop(SIGNAL_STOP_SECONDS)

    def _fail(self, reason: str) -> None:
        self._error = reason
        self._report(f"{reason}\n{self._traceback}".rstrip())
        self._enter(Phase.FAILED)
        self._halt_now()

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        if self._ending:
            # An app that starts the service now waits for the lock and launches another group.
            self.control_server.stop_listening()
            self.group.remove_socket()
        self._announce()

    def _halt_now(self) -> None:
        if self._halting_now:
            return
        self._halting_now = True
        self._send_to_workers(Halt(now=True))
        self.selector_loop.call_later(KILL_GRACE_SECONDS, self._kill_all)

    def _kill_all(self) -> None:
        for child in self._children:
            self._report(f"worker {child.worker_id or child.pid} does not end and is killed")
            child.kill()

    def _check_files(self) -> None:
        if self._ending:
            return
        try:
            if self.output is not None:
                self.output.log.reopen_if_moved()
            reason = self.group.renew(self.control_server.listen_on)
        except (OSError, ServiceFolderError) as error:
            if str(error) != self._files_error:
                self._files_error = str(error)
                self._report(f"the files of this service cannot be created again: {error}")
        else:
            self._files_error = ""
            if reason is not None:
                self._report(f"{reason}; this one, process {os.getpid()}, ends")
                self.stop(SIGNAL_STOP_SECONDS)
        if (changed := self._code_changes()) != self._changed:
            self._announce()
        if self.config.reload:
            self._reload.check(changed)
        self.selector_loop.call_later(CHECK_FILES_SECONDS, self._check_files)

    def _send_to_workers(self, frame: Frame) -> None:
        data = encode(frame)
        for child in self._children:
            child.control.send(data)

    def _greeting(self) -> bytes:
        self._changed = self._code_changes()
        return encode(
            Status(
                phase=self._phase,
                supervisor=os.getpid(),
                workers=tuple(WorkerEntry(child.pid, child.worker_id) for child in self._children),
                title=self._notice.title,
                content=self._notice.content,
                foreground=self._notice.foreground,
                error=self._error,
                traceback=self._traceback,
                settings=self.config.settings,
                since=min((child.started for child in self._children), default=None),
                changed=self._changed,
                in_foreground=self.output is None,
            )
        )

    def _code_changes(self) -> tuple[str, ...]:
        return changed_files(child.code for child in self._children if not child.leaving)

    def _announce(self) -> None:
        self.control_server.broadcast(self._greeting())

    def _flush_to_apps(self) -> None:
        deadline = self.selector_loop.now() + FAREWELL_SECONDS
        self.selector_loop.call_later(FAREWELL_SECONDS, lambda: None)
        self.selector_loop.run(until=lambda: not self.control_server.has_unsent or self.selector_loop.now() >= deadline)

    def _report(self, text: str) -> None:
        data = f"tetherpy: {text}\n".encode(errors="backslashreplace")
        if self.output is not None:
            self.output.log.write(data)
            return
        if self._unwritten:
            data = f"tetherpy: {self._unwritten} bytes of output could not be written\n".encode() + data
        try:
            os.write(2, data)
            self._unwritten = 0
        except OSError:
            # The reader is gone, or the disk is full. Continue without the output.
            self._unwritten += len(data)
