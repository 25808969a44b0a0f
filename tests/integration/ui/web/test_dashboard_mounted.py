"""The dashboard mounted in another app below a path prefix, with either database."""

import re

import attrs
import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from tetherpy import ProviderContainer
from tetherpy.jobs import BackgroundJobStatus, NewJob
from tetherpy.service import BackgroundService
from tetherpy.ui import providers_of
from tetherpy.ui.web import dashboard

TOKEN = "a-token-that-is-long-enough"


def below_jobs(app):
    return Starlette(routes=[Mount("/jobs", app)])


async def test_every_url_stays_below_the_mount(serving):
    served = await serving(wrap=below_jobs)
    job_id = await served.manager.enqueue("k", delay=900)
    page = (await served.get("/jobs/")).body
    assert '<base href="/jobs/">' in page
    assert 'data-live="live/"' in page
    assert (await served.get("/jobs/static/base.css")).status == 200
    assert (await served.get(f"/jobs/jobs/{job_id}")).status == 200
    assert (await served.get(f"/jobs/?text=%23{job_id}")).header("location") == f"/jobs/jobs/{job_id}"
    assert (await served.post("/jobs/enqueue", "job_key=x&payload=")).header("location") == f"/jobs/jobs/{job_id + 1}"
    assert (await served.post("/jobs/actions", f"action=cancel:{job_id}")).header("location") == "/jobs/"
    assert (await served.get("/static/base.css")).status == 404
    assert (await served.manager.get_job_by_id(job_id)).status is BackgroundJobStatus.CANCELLED


async def test_every_link_to_the_table_keeps_the_interval_of_the_charts(serving):
    served = await serving()
    await served.manager.enqueue_many([NewJob(job_key="k", delay=900) for _ in range(120)])
    for address in ("/?window=1h&status=pending&page=2", "/?window=1h&text=nothing"):
        page = (await served.get(address)).body
        page, windows = re.sub(r'<nav class="windows".*?</nav>', "", page, flags=re.DOTALL), page
        links = re.findall(r'href="(\?[^"]*|\.)"', page)
        assert [link for link in links if "window=1h" not in link] == []
        assert len(links) >= 2 + 5 + 1
        assert '<input type="hidden" name="window" value="1h">' in page
        assert "page=2&amp;window=24h" in windows or "page" not in address


async def test_the_login_stays_below_the_mount(serving):
    served = await serving(wrap=below_jobs, token=TOKEN)
    assert (await served.get("/jobs/", Accept="text/html")).header("location") == "/jobs/login"
    assert (await served.get("/jobs/login")).status == 200
    assert (await served.get("/jobs/static/base.css")).status == 200
    answer = await served.get(f"/jobs/?token={TOKEN}")
    assert answer.header("location") == "/jobs/"
    assert "path=/jobs/" in answer.header("set-cookie").lower()
    assert (await served.get("/jobs/service")).status == 401


@attrs.frozen
class Asked:
    client: httpx.AsyncClient
    manager: object


@pytest.fixture(params=["sqlite", "postgres"])
async def asked(request, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    address = str(tmp_path / "app.db") if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    providers = providers_of(address, lambda: BackgroundService(address, "no:worker"))
    async with ProviderContainer() as container:
        app = dashboard(container, manager=providers.manager, service=providers.service)
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            assert (await client.get("/")).status_code == 200  # this opens the database
            yield Asked(client, container.read(providers.manager))


async def test_every_page_and_action_works_with_either_database(asked):
    manager, client = asked.manager, asked.client
    job_id = await manager.enqueue("order mail", {"to": "ada"}, unique_key="ada", delay=900)
    for target, text in (
        ("/?status=pending&text=ada", "order mail"),
        (f"/jobs/{job_id}", "No attempts yet."),
        ("/service", "No workers registered."),
        ("/enqueue", "Payload"),
        ("/live/?once", "order mail"),
    ):
        answer = await client.get(target)
        assert (answer.status_code, text in answer.text) == (200, True), target
    headers = {"Origin": "http://localhost", "Accept": "application/json"}
    for step, status in (("cancel", "CANCELLED"), ("retry", "PENDING")):
        answer = await client.post("/actions", data={"action": f"{step}:{job_id}"}, headers=headers)
        assert answer.json()["done"] == 1
        assert (await manager.get_job_by_id(job_id)).status == status
    refused = (await client.post("/actions", data={"action": f"retry:{job_id}"}, headers=headers)).json()
    assert (refused["done"], refused["failed"]) == (0, True)
    swept = await client.post(
        "/actions", data={"action": "delete", "scope": "all", "status": "pending"}, headers=headers
    )
    assert (swept.json()["done"], (await manager.get_counts()).total) == (1, 0)
    enqueued = await client.post("/enqueue", data={"job_key": "k", "payload": "[1]"}, headers=headers)
    assert enqueued.json()["goto"] == f"jobs/{job_id + 1}"


async def test_a_database_that_cannot_be_opened_is_reported_by_every_page_and_button(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    address = tmp_path / "app.db"
    address.write_bytes(b"this is no database" * 100)
    providers = providers_of(address, lambda: BackgroundService(address, "no:worker"))
    headers = {"Origin": "http://localhost", "Accept": "application/json"}
    async with ProviderContainer() as container:
        app = dashboard(container, manager=providers.manager, service=providers.service)
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            for target in ("/", "/jobs/1", "/service"):
                page = await client.get(target)
                assert (page.status_code, "the file is not an SQLite database" in page.text) == (200, True)
            for target, fields in (
                ("/actions", {"action": "retry:1"}),
                ("/actions", {"action": "delete", "scope": "all"}),
                ("/enqueue", {"job_key": "k"}),
            ):
                answer = await client.post(target, data=fields, headers=headers)
                assert (answer.status_code, answer.json()["failed"]) == (200, True)
                assert "app.db" in answer.json()["message"]
