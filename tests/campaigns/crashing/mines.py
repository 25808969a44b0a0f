"""Kills at selected points: a process kills itself at places that a signal from outside could not hit."""

import asyncio
import os
import signal
import threading
import time

import attrs


def kill_self(traces, kind, delay=0.0):
    """Record the kill, then kill this process after ``delay`` seconds, whatever it is doing then."""
    if traces.calm:
        return
    traces.note("kills", kind=kind, victim=os.getpid())
    if delay:
        threading.Thread(target=_kill_later, args=(delay,), daemon=True).start()
    else:
        os.kill(os.getpid(), signal.SIGKILL)


def _kill_later(delay):
    time.sleep(delay)
    os.kill(os.getpid(), signal.SIGKILL)


@attrs.define
class Mine:
    """Kill this process when it reaches ``where`` for the ``left``-th time."""

    traces: object
    where: str
    left: int
    delay: float

    @classmethod
    def choose(cls, traces, random, chances):
        """Select a mine at random; ``chances`` are weights by place."""
        (where,) = random.choices(list(chances), list(chances.values()))
        delay = random.choice([0.0, random.uniform(0, 0.0005), random.uniform(0, 0.005)])
        return cls(traces, where, random.randint(1, 25), delay)

    def in_callback(self):
        if self.where == "in the callback":
            kill_self(self.traces, self.where)

    def in_commit(self, connection):
        """Watch the commits of a connection: kill when SQLite starts one, or a moment later."""
        if self.where != "in a commit":
            return
        connection.set_trace_callback(self._on_statement)

    def _on_statement(self, text):
        if text.startswith("COMMIT"):
            self._count("in a commit")

    def before_commit(self):
        """Kill at once: the handler has written, and its commit has not started."""
        if self.where == "before the handler's commit":
            self._count(self.where, at_once=True)

    def after_handler(self):
        """Kill when the handler has returned and its outcome is being stored."""
        if self.where == "between handler and commit":
            asyncio.get_running_loop().call_soon(self._count, self.where)

    def _count(self, kind, at_once=False):
        self.left -= 1
        if self.left == 0:
            kill_self(self.traces, kind, 0.0 if at_once else self.delay)
