"""The programs of ``examples/tasks``, which docs/how-to/everyday-tasks.md shows, run with real workers and servers."""

import asyncio
import contextlib
import json
import re
import signal
import sqlite3
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from threading import Event, Thread

import attrs
import httpx
import pytest
import pytest_asyncio
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from websockets.asyncio.server import serve

from examples.tasks import server
from examples.tasks.jobs import bulk, cancel, define, logs, resources, result, retry, schedule, transaction, unique
from examples.tasks.jobs.inline_test import test_greeting as test_a_job_without_a_worker  # noqa: F401 - pytest runs it
from examples.tasks.providers import (
    abandon,
    cached,
    derive,
    form,
    pages,
    persisted,
    polling,
    refetch,
    search,
    undo,
    websocket,
)
from examples.tasks.providers import settings as settings_task
from examples.tasks.providers.override_test import test_greeting as test_a_dependency_is_replaced  # noqa: F401
from tetherpy import BackgroundJobManager, JobFailedError, MutationSuccess, ProviderContainer

ROOT = Path(__file__).parents[2]
SECONDS = 30
PAGE = ROOT / "docs" / "how-to" / "everyday-tasks.md"
in_shop = pytest.mark.asyncio(loop_scope="module")


class Pages(BaseHTTPRequestHandler):
    """Answers ``/slow`` after ``released`` is set; ``/gone`` is missing; ``clients`` are the ports of callers."""

    protocol_version = "HTTP/1.1"
    clients: set[int] = set()
    asked, released = Event(), Event()

    def do_GET(self):
        self.clients.add(self.client_address[1])
        if self.path == "/slow":
            self.asked.set()
            assert self.released.wait(SECONDS)
        self.send_response(404 if self.path == "/gone" else 200)
        self.send_header("Content-Length", str(len(self.path)))
        self.end_headers()
        self.wfile.write(self.path.encode())

    def log_message(self, *args):
        """Write nothing."""


@pytest.fixture(scope="module")
def site():
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as httpd:
        Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return the folder of the app, whose modules name the files ``app.db`` and ``shop.db``."""
    with contextlib.chdir(tmp_path_factory.mktemp("app")), contextlib.closing(sqlite3.connect("shop.db")) as shop:
        shop.executescript("CREATE TABLE pages (text TEXT); CREATE TABLE orders (item TEXT)")
        yield Path.cwd()


@attrs.frozen
class Shop:
    client: httpx.AsyncClient
    manager: BackgroundJobManager
    folder: Path


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(folder, site):
    """Run the app as a server does; its lifespan starts the worker, and lets its running job finish at the end."""
    import_module(
        "examples.tasks.jobs.progress"
    )  # in the folder, because a service keeps the absolute path of its file
    web = import_module("examples.tasks.jobs.lifespan")
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(web.app.router.lifespan_context(web.app))
        transport = httpx.ASGITransport(web.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop", timeout=SECONDS) as client:
            manager = await web.app.state.container.read(web.manager_provider.future)
            yield Shop(client, manager, folder)
        slow = await manager.enqueue(resources.download, f"{site}/slow")
        await asyncio.to_thread(Pages.asked.wait, SECONDS)
        leaving = asyncio.create_task(stack.pop_all().aclose())
        await asyncio.sleep(0)
        Pages.released.set()
        await leaving
    assert not await web.service.is_running()
    async with BackgroundJobManager.open("app.db") as manager:
        assert (await manager.get_job_by_id(slow)).status == "COMPLETED"


@in_shop
async def test_a_job_is_defined_and_enqueued(shop):
    job_id = await define.sign_up(shop.manager, "Ada")
    assert await shop.manager.result(job_id, SECONDS) == "Hello Ada!"


@in_shop
async def test_a_job_is_retried_but_not_after_one_error(shop):
    jobs = [await shop.manager.enqueue(retry.charge, amount) for amount in (100, 101)]
    for job_id in jobs:
        with pytest.raises(JobFailedError):
            await shop.manager.result(job_id, SECONDS)
    assert [len(await shop.manager.get_attempts(job_id)) for job_id in jobs] == [3, 1]


async def test_a_job_runs_after_a_delay_and_every_night(jobs, clock):
    await jobs.initialize(schedule.initialize)
    await schedule.clean_later(await jobs.manager(), "bath")
    await clock.advance(3599)
    assert await jobs.drain() == []
    await clock.advance(1)
    assert (await jobs.drain()).results == ["bath is clean"]
    await clock.advance(3600)  # it is 02:00 UTC, and 03:00 in Berlin
    assert (await jobs.drain()).results == ["kitchen is clean"]


@in_shop
async def test_a_job_that_waits_or_runs_is_not_enqueued_twice(shop):
    async with BackgroundJobManager.open("waiting.db") as manager:  # without a worker
        first, second = [await unique.request_sync(manager, 7) for _ in range(2)]
        assert first == second
        assert (first.is_new, second.is_new) == (True, False)


@in_shop
async def test_an_order_and_its_job_are_stored_together(shop):
    engine = create_async_engine("sqlite+aiosqlite:///app.db")
    async with shop.manager.database.transaction() as tx:
        await tx.execute("CREATE TABLE orders (item TEXT UNIQUE)")
    for _ in range(2):  # the second order is refused
        async with AsyncSession(engine) as session:
            with contextlib.suppress(IntegrityError):
                await transaction.order(shop.manager, session, "tea")
    await engine.dispose()
    (job,) = await shop.manager.get_jobs_by_job_key("receipt")
    assert (await shop.manager.wait_for(job.id, SECONDS)).payload == "tea"


@in_shop
async def test_a_page_follows_the_progress_of_a_job(shop):
    job_id = await shop.manager.enqueue(import_module("examples.tasks.jobs.progress").import_rows, 20)
    page = await shop.client.get(f"/imports/{job_id}")
    assert page.headers["content-type"].startswith("text/event-stream")
    shown = [json.loads(line.removeprefix("data: ")) for line in page.text.splitlines() if line.startswith("data: ")]
    assert shown == sorted(shown, key=lambda progress: progress or 0)


@in_shop
async def test_a_result_is_awaited(shop):
    assert await result.squared(shop.manager, 7) == 49


@in_shop
async def test_a_running_job_is_cancelled(shop):
    job_id = await shop.manager.enqueue(cancel.export, "all")
    async for job in shop.manager.watch_job(job_id):
        if job.status == "RUNNING":
            break
    await cancel.stop(shop.manager, job_id)
    assert (await shop.manager.wait_for(job_id, SECONDS)).status == "CANCELLED"


@in_shop
async def test_a_request_enqueues_a_job(shop):
    job_id = (await shop.client.post("/greetings/Bob")).json()
    assert (await shop.manager.wait_for(job_id, SECONDS)).result == "Hello Bob!"


@in_shop
async def test_jobs_share_a_client_and_each_has_a_session(shop, site):
    Pages.clients.clear()
    for path in ("/", "/gone", "/tea"):
        await shop.manager.wait_for(await shop.manager.enqueue(resources.download, site + path), SECONDS)
    assert len(Pages.clients) == 1
    with contextlib.closing(sqlite3.connect("shop.db")) as database:
        assert database.execute("SELECT text FROM pages").fetchall() == [("/",), ("/tea",)]


@in_shop
async def test_a_worker_logs(shop):
    job_id = await shop.manager.enqueue(logs.ship, 7)
    await shop.manager.wait_for(job_id, SECONDS)
    assert f"INFO shop [job {job_id} ship attempt 1]: order 7" in Path("app.db-service", "worker.log").read_text()


@in_shop
async def test_many_jobs_are_enqueued_at_once(shop):
    ids = await bulk.invite(shop.manager, ["Ada", "Bob"])
    assert [await shop.manager.result(job_id, SECONDS) for job_id in ids] == ["Hello Ada!", "Hello Bob!"]


async def test_a_production_worker_runs_jobs_and_ends_with_sigterm(tmp_path):
    command = [sys.executable, "-m", "tetherpy.cli", "worker", "--callback", "examples.tasks.jobs.worker:initialize"]
    environment = {"PYTHONPATH": str(ROOT), "TETHERPY_DATABASE": "app.db", "PATH": ""}
    worker = await asyncio.create_subprocess_exec(*command, cwd=tmp_path, env=environment)
    async with BackgroundJobManager.open(tmp_path / "app.db") as manager:
        assert await result.squared(manager, 3) == 9
    worker.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(worker.wait(), SECONDS) == 0


def test_the_page_shows_every_program():
    shown = re.findall(r"literalinclude\} ../../examples/tasks/(\w+/\w+\.py)", PAGE.read_text())
    programs = {str(path.relative_to(ROOT / "examples" / "tasks")) for path in (ROOT / "examples/tasks").glob("*/*.py")}
    assert sorted(shown) == sorted(name for name in programs if "__init__" not in name)
    assert len(shown) == 28


# -- providers ---------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _no_requests():
    server.requests.clear()


def test_a_value_is_derived(container):
    assert [derive.order(container, quantity) for quantity in (2, 3)] == [20, 30]


async def test_data_is_fetched_again_while_the_previous_data_is_shown(container, clock):
    container.listen(refetch.rates_provider, lambda previous, state: None)
    await clock.advance(1)
    assert refetch.show(container.read(refetch.rates_provider)) == "rates 1"
    refetch.refetch(container)
    await container.pump()
    assert refetch.show(container.read(refetch.rates_provider)) == "rates 1, loading"
    await clock.advance(1)
    assert refetch.show(container.read(refetch.rates_provider)) == "rates 2"


async def test_data_is_cached_for_its_argument(container, clock):
    async def fetch(user_id):
        reading = asyncio.ensure_future(container.read(cached.user_provider(user_id).future))
        await clock.advance(0.01)
        return await reading

    assert await fetch(1) == await fetch(1) == "user 1 1"
    assert await fetch(2) == "user 2 1"
    await clock.advance(61)
    assert await fetch(1) == "user 1 2"


async def test_only_the_last_text_is_searched(container, clock):
    container.listen(search.results_provider, lambda previous, state: None)
    for text in ("t", "te", "tea"):
        container.read(search.text_provider.notifier).state = text
        await clock.advance(0.1)
    await clock.advance(1)
    assert container.read(search.results_provider).value == "tea 1"
    assert server.requests == ["tea"]


async def test_pages_are_loaded_and_an_item_is_shown_before_it_is_stored(container, clock):
    container.listen(pages.todos_provider, lambda previous, state: None)
    todos = container.read(pages.todos_provider.notifier)
    await clock.advance(1)
    loading = asyncio.create_task(todos.load_more())
    await clock.advance(1)
    await loading
    assert container.read(pages.todos_provider).value == [f"todo {number}" for number in range(6)]

    adding = asyncio.create_task(todos.add(""))
    await clock.advance(0)
    assert container.read(pages.todos_provider).value[0] == ""
    await clock.advance(1)
    with pytest.raises(ValueError, match="needs a text"):
        await adding
    assert container.read(pages.todos_provider).value[0] == "todo 0"


async def test_each_request_has_a_session(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    app = import_module("examples.tasks.providers.request_scope").app
    with contextlib.closing(sqlite3.connect("shop.db")) as database:
        database.execute("CREATE TABLE orders (item TEXT UNIQUE)")
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://shop"
            ) as client,
        ):
            answers = [await client.post(f"/orders/{item}") for item in ("tea", "tea", "milk")]
        assert [answer.status_code for answer in answers] == [200, 500, 200]
        assert database.execute("SELECT item FROM orders").fetchall() == [("tea",), ("milk",)]


def test_settings_are_read_from_the_environment(container, monkeypatch):
    monkeypatch.setenv("SHOP_TITLE", "Tea")
    monkeypatch.setenv("SHOP_DEBUG", "0")
    assert container.read(settings_task.settings_provider) == settings_task.Settings("Tea", debug=False)
    assert settings_task.title(container) == "Tea"
    monkeypatch.setenv("SHOP_TITLE", "Milk")
    assert settings_task.title(container) == "Tea"


async def test_a_form_is_validated_and_sent(container):
    fields = container.read(form.form_provider.notifier)
    await form.submit(container)
    assert set(container.read(form.errors_provider)) == {"email", "age"}
    assert server.requests == []
    fields.state = form.SignUp("ada@example.org", 36)
    with container.listen(form.send, lambda previous, state: None):
        await form.submit(container)
        assert container.read(form.send) == MutationSuccess("welcome ada@example.org 1")


async def test_polling_pauses_while_no_one_looks(container, clock):
    subscription = container.listen(polling.temperature_provider, lambda previous, state: None)
    await clock.advance(3.5)
    assert container.read(polling.temperature_provider).value == "temperature 4"
    subscription.pause()
    await clock.advance(60)
    assert len(server.requests) <= 5
    subscription.resume()
    await clock.advance(3)
    assert len(server.requests) >= 7


async def test_a_websocket_is_connected_again(make_container):
    connections = []

    async def feed(connection):
        connections.append(connection)
        await connection.send(f"price {len(connections)}")
        if len(connections) == 1:
            connection.transport.abort()
        await connection.wait_closed()

    async with serve(feed, "127.0.0.1", 0) as prices:
        url = f"ws://127.0.0.1:{prices.sockets[0].getsockname()[1]}"
        container = make_container(
            overrides=[websocket.url_provider.override_with_value(url)], on_error=lambda error, provider: None
        )
        async for state in container.stream(websocket.prices_provider):
            if state.value == "price 2":
                break
        container.dispose()


async def test_state_is_restored_at_the_next_start(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for before in ("light", "dark"):
        async with ProviderContainer() as container:
            theme = container.read(persisted.theme_provider.notifier)
            await theme.restored()
            assert theme.state == before
            theme.state = "dark"


def test_an_edit_is_undone_and_redone(container):
    assert undo.edit(container) == ["Untitled", "Report"]


async def test_a_request_without_a_listener_is_cancelled(container, clock):
    subscription = container.listen(abandon.report_provider(2025), lambda previous, state: None)
    await clock.advance(0)
    assert server.requests == ["report 2025"]
    subscription.close()
    await clock.advance(1)
    assert server.requests == ["report 2025", "cancelled"]
