"""A shop whose dashboard is served by the real command, in a separate process."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs

from tetherpy.database import Database
from tetherpy.jobs import JOB_MIGRATIONS, BackgroundJobManager
from tetherpy.service import BackgroundService

APPS = Path(__file__).with_name("apps")
CALLBACK = "shop_worker:initialize"
BOUND = 25.0


@attrs.define
class Shop:
    """The database of a shop, a handle to its jobs, and the server of its dashboard."""

    folder: Path
    manager: BackgroundJobManager
    service: BackgroundService
    apps: Path = APPS
    url: str = ""
    port: int = 0
    _server: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> Path:
        """Return the path of the server's log."""
        return self.folder / "server.log"

    @property
    def server_pid(self) -> int:
        """Return the process id of the server."""
        assert self._server is not None
        return self._server.pid

    async def serve(self, *options: str, port: int = 0) -> str:
        """Start the server, without a token unless there are options; return its address."""
        command = [sys.executable, "-m", "tetherpy.cli", "dashboard", "--database", str(self.folder / "shop.db")]
        command += ["--callback", CALLBACK, "--port", str(port), *(options or ["--no-token"])]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(self.apps), str(APPS.parents[2])])}
        with self.log.open("ab") as log:
            self._server = await asyncio.create_subprocess_exec(
                *command, env=environment, cwd=self.folder, stdout=asyncio.subprocess.PIPE, stderr=log
            )
        assert self._server.stdout is not None
        async with asyncio.timeout(BOUND):
            self.url = (await self._server.stdout.readline()).decode().strip()
        assert self.url, self.log.read_text()
        self.port = int(self.url.rpartition(":")[2].partition("/")[0])
        return self.url

    async def end_server(self, number: int = signal.SIGTERM) -> None:
        """End the server, and wait until it has ended."""
        if self._server is not None and self._server.returncode is None:
            self._server.send_signal(number)
            async with asyncio.timeout(BOUND):
                await self._server.wait()
        if self._server is not None:
            self._server._transport.close()  # otherwise a closed loop gets the end of the pipe
        self._server = None

    async def end_workers(self) -> None:
        """Stop the workers, if any run."""
        if await self.service.is_running():
            await self.service.stop(0)


@asynccontextmanager
async def open_shop(folder: Path, apps: Path = APPS) -> AsyncIterator[Shop]:
    """Open a shop with an empty database and its code in ``apps``; its processes are stopped at the end."""
    sys.path.insert(0, str(apps))
    async with Database.open(folder / "shop.db", migrations=JOB_MIGRATIONS) as db:
        service = BackgroundService(folder / "shop.db", CALLBACK, initial_notification_title="Shop")
        shop = Shop(folder, BackgroundJobManager(db), service, apps)
        try:
            yield shop
        finally:
            sys.path.remove(str(apps))
            await shop.end_server()
            await shop.end_workers()
            await service.aclose()
