"""The process of a worker: its sockets, signals and output."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from contextlib import AsyncExitStack

import attrs

from ..execution.worker_context import WorkerContext
from ..logs.worker_logging import worker_logging
from ..protocol import frames
from ..protocol.code_files import record_imports
from ..protocol.service_files import ServiceFiles
from ..protocol.settings import WorkerConfig
from ..protocol.wait_bounds import STUCK_SECONDS
from ..protocol.worker_log import open_log
from ..supervisor.child_process import WorkerSockets
from .fork_guard import guard_against_forks
from .supervisor_pipe import SupervisorPipe
from .worker import Worker

_logger = logging.getLogger("tetherpy.service")


def work(config: WorkerConfig, sockets: WorkerSockets) -> int:
    """Run a worker until it is stopped; return the exit code. The process must exit right after.

    The loop is not closed as in ``asyncio.run``, which waits for tasks that ignore their cancellation: tasks that
    handlers leave behind end with the process.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    files = ServiceFiles.of(config.database)
    os.environ["TETHERPY_DATABASE"] = (
        files.address
    )  # generated providers and commands that a handler uses take this one
    record_imports()
    with worker_logging(config):
        return loop.run_until_complete(WorkerProcess(Worker(config, files, config.callback)).run(sockets))


@attrs.define(eq=False)
class WorkerProcess:
    """Run a worker that its supervisor and signals control."""

    worker: Worker

    async def run(self, sockets: WorkerSockets) -> int:
        """Work until halted; return the exit code."""
        worker = self.worker
        supervisor_pipe = await SupervisorPipe.open(sockets.control, sockets.events)
        self._follow_signals()
        worker.on_join = lambda: guard_against_forks(asyncio.get_running_loop())
        worker.on_stuck = self._on_stuck
        async with AsyncExitStack() as stack:
            context = worker.context(supervisor_pipe, stack)
            listening = asyncio.create_task(self._listen(context, supervisor_pipe))
            stack.callback(listening.cancel)
            served = await worker.serve(context)
            await supervisor_pipe.flush()
        return 0 if served else 1

    def _on_stuck(self) -> None:
        if self.worker.halted:
            return
        _logger.warning(
            "All %d slots of worker %s are held by handlers that ignore their timeout; if none ends within "
            "%g s, the worker ends and is replaced. Check service.cancelled in handlers",
            self.worker.config.concurrency,
            self.worker.worker_id,
            STUCK_SECONDS,
        )
        asyncio.get_running_loop().call_later(STUCK_SECONDS, self._end_if_stuck)

    def _end_if_stuck(self) -> None:
        if self.worker.is_stuck:
            self.worker.halt(now=False)

    def _follow_signals(self) -> None:
        worker = self.worker
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, lambda: worker.halt(now=worker.halted))

    async def _listen(self, context: WorkerContext, supervisor_pipe: SupervisorPipe) -> None:
        worker = self.worker

        def on_frame(frame: frames.Frame) -> None:
            match frame:
                case frames.Event():
                    context.event_bus.deliver(frame.name, frames.data_of(frame))
                case frames.Halt():
                    worker.halt(now=frame.now)
                case _:
                    pass

        try:
            await supervisor_pipe.listen(on_frame)
        except Exception:
            _logger.exception("Worker %s cannot read from its supervisor and ends; it is replaced", worker.worker_id)
            worker.halt(now=False)
        else:
            worker.halt(now=False)
            self._outlive_supervisor()

    def _outlive_supervisor(self) -> None:
        # The pipes to its log are broken; print() in a handler must not fail because of that.
        try:
            log = open_log(self.worker.files.log)
        except OSError:
            log = os.open(os.devnull, os.O_WRONLY)
        for standard in (1, 2):
            os.dup2(log, standard)
        os.close(log)
