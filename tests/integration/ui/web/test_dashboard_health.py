"""``/healthz``: open to every probe, and silent about everything but the health."""

import sqlite3

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

TOKEN = "a-token-that-is-long-enough"


@pytest.mark.parametrize("below", ["", "/jobs"])
async def test_a_probe_needs_no_token_and_no_known_host_until_the_database_fails(serving, tmp_path, caplog, below):
    mounted = (lambda app: Starlette(routes=[Mount("/jobs", app)])) if below else (lambda app: app)
    served = await serving(token=TOKEN, wrap=mounted)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{served.port}{below}") as probe:
        ok = await probe.get("/healthz", headers={"Host": "10.0.0.7"})
        assert (ok.status_code, ok.text, ok.headers["cache-control"]) == (200, "ok\n", "no-store")
        assert (await probe.head("/healthz")).status_code == 200
        assert "set-cookie" not in ok.headers
        for path in ("/healthz/", "/healthz/jobs", "/"):
            assert (await probe.get(path, headers={"Host": "10.0.0.7"})).status_code == 421
        assert (await probe.post("/healthz", headers={"Host": "10.0.0.7"})).status_code == 421
        with sqlite3.connect(tmp_path / "app.db") as other:
            other.execute("DROP TABLE background_service_jobs")
        failed = await probe.get("/healthz")
        assert (failed.status_code, failed.text) == (503, "unavailable\n")
    assert "no such table" in caplog.text
