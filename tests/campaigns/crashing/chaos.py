"""Signals from outside at random moments: to workers, supervisors, starting processes and apps."""

import asyncio
import shutil
import signal
import time

import attrs

from . import script
from .processes import send, servers_of

LEASE_SECONDS = script.LEASE.total_seconds()
PAUSE_SECONDS = (0.05, 0.45)


@attrs.define(eq=False)
class Chaos:
    """Cause one fault after another until ``enough`` returns True."""

    traces: object
    random: object
    app_pids: object
    enough: object
    server: object = None
    proxy: object = None
    stopped: set = attrs.field(init=False, factory=set)

    async def run(self):
        things = {
            self.kill_worker: 10,
            self.kill_supervisor: 3,
            self.kill_group: 2,
            self.kill_starting: 3,
            self.kill_app: 4,
            self.stop_worker: 2,
            self.hang_worker: 1,
            self.kill_behind_a_stopped_supervisor: 1,
            self.pause_everything: 3,
            self.delete_files: 2,
        }
        if self.server is not None:
            things |= {self.cut_connections: 4, self.kill_server: 2, self.stall_connections: 1}
        try:
            while not self.enough():
                await asyncio.sleep(self.random.uniform(*PAUSE_SECONDS))
                (thing,) = self.random.choices(list(things), list(things.values()))
                await thing(servers_of(self.traces))
        finally:
            for pid in self.stopped:
                send(pid, signal.SIGCONT)

    async def kill_worker(self, servers, kind="a worker"):
        if servers.workers:
            victim = self.random.choice(servers.workers)
            others = set(servers.workers) - {victim} - self.stopped
            self.kill(victim, kind, others=len(others))

    async def kill_supervisor(self, servers):
        if servers.supervisors:
            self.kill(self.random.choice(servers.supervisors), "a supervisor")

    async def kill_group(self, servers):
        for pid in servers.all:
            self.kill(pid, "everything")

    async def kill_starting(self, servers):
        if servers.starting:
            self.kill(self.random.choice(servers.starting), "a starting worker")

    async def kill_app(self, servers):
        if pids := self.app_pids():
            self.kill(self.random.choice(pids), "an app")

    async def pause_everything(self, servers):
        """Stop all processes of the services for one to three leases, as a container is paused; none may suffer."""
        if self.stopped or not servers.workers:
            return
        seconds = LEASE_SECONDS * self.random.uniform(1.2, 3.0)
        self.traces.note("stops", kind="everything", victim=0, until=time.monotonic() + seconds)
        self.stopped.update(pid for pid in servers.all if send(pid, signal.SIGSTOP))
        await asyncio.sleep(seconds)
        for pid in self.random.sample(sorted(self.stopped), len(self.stopped)):
            self._go_on(pid)

    async def delete_files(self, servers):
        """Delete files of a service as a cleaner of temporary folders does, or all of them."""
        folders = sorted({path.parent for path in self.traces.folder.rglob("service.lock")})
        if not folders:
            return
        folder = self.random.choice(folders)
        if self.random.random() < 0.3:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            files = sorted(folder.iterdir())
            for file in self.random.sample(files, self.random.randint(1, len(files))):
                file.unlink(missing_ok=True)
        self.traces.note("stops", kind="files deleted", victim=0, until=time.monotonic() + LEASE_SECONDS)

    async def cut_connections(self, servers):
        if number := await asyncio.to_thread(self.server.cut_connections, self.traces.database):
            self.traces.note("kills", kind="connections", victim=0, connections=number)

    async def stall_connections(self, servers):
        """Make all open connections dead without closing them."""
        if number := await asyncio.to_thread(self.proxy.stall):
            self.traces.note("kills", kind="connections, silently", victim=0, connections=number)

    async def kill_server(self, servers):
        """Kill the postmaster and start it again while all processes continue."""
        self.traces.note("kills", kind="the server", victim=0)
        await asyncio.to_thread(self.server.kill)
        await asyncio.sleep(self.random.uniform(*PAUSE_SECONDS))
        await asyncio.to_thread(self.server.start_again)

    async def stop_worker(self, servers):
        """Stop a worker for longer than its lease; its jobs are rescued, then it continues to run them."""
        seconds = LEASE_SECONDS * self.random.uniform(1.4, 1.8)
        self._stop(servers.workers, "a worker, beyond its lease", seconds)
        # No other faults, so that it wakes up while other workers have its jobs.
        await asyncio.sleep(seconds + PAUSE_SECONDS[1])

    async def hang_worker(self, servers):
        """Stop a worker for so long that its supervisor kills it."""
        self._stop(servers.workers, "a worker, for good", LEASE_SECONDS * 5)

    async def kill_behind_a_stopped_supervisor(self, servers):
        self._stop(servers.supervisors, "a supervisor", self.random.uniform(0.2, 1.5))
        await self.kill_worker(servers, "a worker, its supervisor stopped")

    def kill(self, pid, kind, **facts):
        # Recorded before, because the end of the process may be visible before this task runs again.
        self.traces.note("kills", kind=kind, victim=pid, **facts)
        send(pid, signal.SIGKILL)

    def _stop(self, pids, kind, seconds):
        if not pids:
            return
        pid = self.random.choice(pids)
        if send(pid, signal.SIGSTOP):
            self.stopped.add(pid)
            self.traces.note("stops", kind=kind, victim=pid, until=time.monotonic() + seconds)
            asyncio.get_running_loop().call_later(seconds, self._go_on, pid)

    def _go_on(self, pid):
        self.stopped.discard(pid)
        send(pid, signal.SIGCONT)
