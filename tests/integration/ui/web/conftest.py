"""A dashboard in the loop of the test, and a client that sends exact bytes."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import attrs
import pytest

from tetherpy import Provider, ProviderContainer
from tetherpy.database import Database
from tetherpy.jobs import JOB_MIGRATIONS, BackgroundJobManager
from tetherpy.ui.web import ClientTimeouts, dashboard, serve

BOUND = 25.0
USUAL = ClientTimeouts()


@attrs.frozen
class Answer:
    status: int
    headers: str
    body: str

    def header(self, name):
        lines = [line for line in self.headers.split("\r\n") if line.lower().startswith(f"{name.lower()}:")]
        assert len(lines) <= 1
        return lines[0].partition(":")[2].strip() if lines else None


@attrs.frozen
class Served:
    port: int
    manager: BackgroundJobManager

    @property
    def origin(self):
        return f"http://127.0.0.1:{self.port}"

    async def connect(self):
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def send(self, raw):
        """Send bytes; return the response, or None if the connection was closed."""
        reader, writer = await self.connect()
        try:
            async with asyncio.timeout(BOUND):
                with suppress(ConnectionError):
                    writer.write(raw)
                    await writer.drain()
                with suppress(ConnectionError):
                    head = await reader.readuntil(b"\r\n\r\n")
                    length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                    body = await reader.readexactly(int(length[0].split(b":")[1])) if length else b""
                    return Answer(int(head.split()[1]), head.decode(), body.decode(errors="replace"))
                return None
        except asyncio.IncompleteReadError:
            return None
        finally:
            writer.close()

    async def get(self, target="/", **headers):
        return await self.send(request("GET", target, {"Host": f"127.0.0.1:{self.port}", **headers}))

    async def post(self, target, body="", **headers):
        known = {
            "Host": f"127.0.0.1:{self.port}",
            "Origin": self.origin,
            "Content-Type": "application/x-www-form-urlencoded",
            "Content-Length": str(len(body)),
        }
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {name: value for name, value in {**known, **given}.items() if value is not None}
        return await self.send(request("POST", target, kept, body))


def request(method, target, headers, body=""):
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {target} HTTP/1.1\r\n{head}\r\n{body}".encode()


@pytest.fixture(autouse=True)
def whole_pages(monkeypatch):
    """Let no page of these tests start as loading, even on a slow machine."""
    monkeypatch.setattr("tetherpy.ui.web.event_stream.FIRST_PAINT_SECONDS", BOUND)


@pytest.fixture
async def serving(tmp_path):
    """Return a function that serves a dashboard with given options until the test ends."""
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(Database.open(tmp_path / "app.db", migrations=JOB_MIGRATIONS))
        manager = BackgroundJobManager(db)
        container = await stack.enter_async_context(ProviderContainer())

        @asynccontextmanager
        async def running(app, timeouts):
            ready = asyncio.get_running_loop().create_future()
            task = asyncio.create_task(serve(app, "127.0.0.1", 0, ready.set_result, timeouts))
            try:
                yield await ready
            finally:
                task.cancel()
                await asyncio.wait([task])

        async def start(timeouts=USUAL, wrap=lambda app: app, **options):
            app = wrap(dashboard(container, manager=Provider(lambda ref: manager), **options))
            return Served(await stack.enter_async_context(running(app, timeouts)), manager)

        yield start
