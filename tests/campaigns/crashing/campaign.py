"""The campaign from its first process to its audit."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from random import Random

import attrs

from tests.stalling_proxy import stalling_proxy
from tetherpy.jobs import BackgroundJobManager
from tetherpy.service import WorkerStartError

from .app import ROLES, make_service
from .audit import audit
from .chaos import Chaos
from .processes import kill_everything
from .schema import open_database
from .traces import FOLDER_VARIABLE, STATE_VARIABLE, Traces

ROOT = Path(__file__).parents[3]
MACHINES = 2
STUCK_SECONDS = 60.0
"""If no job ends for this long without kills, the campaign has found a stuck job."""


@attrs.define(eq=False)
class Campaign:
    """Kill ``kills`` processes in a folder, repeatably chosen by ``seed``, then let all jobs end and audit.

    With a ``server`` the jobs are on PostgreSQL, the apps and their services on two machines that share no folder,
    and the server itself and all its connections are among the victims. They reach it through a proxy, which can
    make connections pass nothing.
    """

    folder: Path
    seed: int
    kills: int
    server: object = None
    traces: Traces = attrs.field(init=False)
    failures: list = attrs.field(init=False, factory=list)
    _apps: dict = attrs.field(init=False, factory=dict)
    _proxy: object = attrs.field(init=False, default=None)

    def __attrs_post_init__(self):
        self.traces = Traces(self.folder)

    async def run(self):
        """Return the report of the audit; leave no process behind, even after an error."""
        if self.server is None:
            return await self._run(None)
        with stalling_proxy(self.server.address(self.server.create_database())) as self._proxy:
            return await self._run(self._proxy.url)

    async def _run(self, address):
        (self.folder / "plan.json").write_text(json.dumps({"seed": self.seed, "server": address}))
        os.environ[FOLDER_VARIABLE] = str(self.folder)
        os.environ[STATE_VARIABLE] = str(self.traces.machine(0))
        try:
            async with open_database(self.traces) as db:
                await self._kill()
                await self._let_everything_end(db)
        finally:
            del os.environ[FOLDER_VARIABLE], os.environ[STATE_VARIABLE]
            kill_everything(self.traces)
        return audit(self.traces, self.failures)

    async def _kill(self):
        chaos = Chaos(
            self.traces,
            Random(f"{self.seed} chaos"),
            lambda: sorted(app.pid for app in self._apps.values() if app.returncode is None),
            # More kills do not resolve a failure.
            lambda: bool(self.failures) or self.traces.count_kills() >= self.kills,
            self.server,
            self._proxy,
        )
        keepers = [asyncio.create_task(self._keep_app(slot, role)) for slot, role in enumerate(ROLES)]
        try:
            await chaos.run()
        finally:
            self.traces.calm_down()
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)

    async def _keep_app(self, slot, role):
        number = slot
        while True:
            app = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.campaigns.crashing.app", role, str(number),
                cwd=ROOT, stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, start_new_session=True,
                env={**os.environ, STATE_VARIABLE: str(self.traces.machine(slot % MACHINES))},
            )  # fmt: skip
            self._apps[slot] = app
            try:
                errors = await app.stderr.read()
                if await app.wait() != -signal.SIGKILL:
                    self.failures.append(f"an app ended by itself: {errors.decode()}")
            finally:
                with contextlib.suppress(ProcessLookupError):
                    app.kill()
                await app.wait()
            number += len(ROLES)

    async def _let_everything_end(self, db):
        service = make_service(self.traces, db)
        manager = BackgroundJobManager(db)
        unfinished, deadline = None, 0.0
        now = asyncio.get_running_loop().time
        while (counts := await manager.get_counts()).pending + counts.running:
            if unfinished != counts:
                unfinished, deadline = counts, now() + STUCK_SECONDS
            elif now() > deadline:
                self.failures.append(f"no job ended for {STUCK_SECONDS:g} s: {counts}")
                break
            if not await service.is_running():
                # A group may still be ending, or an earlier mine may kill it when it starts.
                with contextlib.suppress(WorkerStartError):
                    await service.start()
            await asyncio.sleep(0.05)
        await service.stop(10)
        await service.aclose()
