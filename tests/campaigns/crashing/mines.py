"""Kills at chosen moments: a process kills itself at places that no signal from outside could hit."""

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
    """Kill this process at the ``left``-th time that it comes past ``where``."""

    traces: object
    where: str
    left: int
    delay: float

    @classmethod
    def choose(cls, traces, random, chances):
        """Lay one at random; ``chances`` are weights by place."""
        (where,) = random.choices(list(chances), list(chances.values()))
        delay = random.choice([0.0, random.uniform(0, 0.0005), random.uniform(0, 0.005)])
        return cls(traces, where, random.randint(1, 25), delay)

    def in_callback(self):
        if self.where == "in the callback":
            kill_self(self.traces, self.where)

    def in_commit(self, connection):
        """Watch a connection for its commits: killed when SQLite begins one, or a moment later, within it."""
        if self.where != "in a commit":
            return
        connection.set_trace_callback(self._on_statement)

    def _on_statement(self, text):
        if text.startswith("COMMIT"):
            self._count("in a commit")

    def before_commit(self):
        """Be killed at once: the handler has written, and its commit has not begun."""
        if self.where == "before the handler's commit":
            self._count(self.where, at_once=True)

    def after_handler(self):
        """Be killed when the handler has returned and its outcome is on its way to the database."""
        if self.where == "between handler and commit":
            asyncio.get_running_loop().call_soon(self._count, self.where)

    def _count(self, kind, at_once=False):
        self.left -= 1
        if self.left == 0:
            kill_self(self.traces, kind, 0.0 if at_once else self.delay)
