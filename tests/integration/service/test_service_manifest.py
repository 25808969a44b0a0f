"""The manifest of the workers in an app that does not import their code."""

from datetime import UTC, datetime

import pytest

from tetherpy.service import HandlerInfo, ServiceManifest

APP = "describing_worker:initialize"


@pytest.fixture
async def service(shared_service):
    return await shared_service(APP)


@pytest.fixture
def told():
    """Collect manifests until the test ends."""
    seen, subscriptions = [], []

    def listen(service):
        subscriptions.append(service.manifest.subscribe(seen.append))
        return seen

    yield listen
    for subscription in subscriptions:
        subscription.dispose()


async def test_handlers_are_described_with_the_schema_of_their_payload(service, told, until):
    seen = told(service)
    (manifest,) = await until(lambda: seen)
    handlers = {info.job_key: info for info in manifest.handlers}
    assert list(handlers) == ["any", "greet", "mail", "report"]
    assert handlers["any"] == HandlerInfo(job_key="any", payload_schema={})
    assert (handlers["greet"].summary, handlers["report"].timeout) == ("Say hello.", 60.0)
    pages = handlers["report"].payload_schema["$defs"]["Report"]["properties"]["pages"]
    assert pages == {"type": "integer", "minimum": 1, "default": 1}


async def test_periodic_jobs_are_described_with_their_next_tick(service, told, until):
    seen = told(service)
    (manifest,) = await until(lambda: seen)
    nightly, often = manifest.periodic
    noon = datetime(2030, 1, 1, 12, tzinfo=UTC)
    assert (nightly.name, nightly.job_key, nightly.cron) == ("nightly", "report", "0 3 * * *")
    assert nightly.next_after(noon) == datetime(2030, 1, 2, 2, tzinfo=UTC)
    assert (often.every, often.payload) == (300.0, {"message": "hi"})
    assert often.next_after(noon) == datetime(2030, 1, 1, 12, 5, tzinfo=UTC)


async def test_several_workers_and_a_restart_send_the_same_manifest_once(make_service, told, until):
    service = make_service(APP, processes=2)
    await service.start()
    seen = told(service)
    await until(lambda: seen)
    await service.stop()
    await service.start()
    other = make_service(APP)
    late = told(other)
    await until(lambda: len(late) == 2)
    assert late[0] == late[1]


async def test_no_manifest_is_sent_while_no_worker_runs(make_service, told, until):
    service = make_service(APP)
    seen = told(service)
    states = []
    with service.state.subscribe(states.append):
        await until(lambda: states)
    assert seen == []


async def test_a_manifest_over_the_message_limit_omits_the_schemas(make_service, told, until, tmp_path, monkeypatch):
    many = "\n".join(f"    service.register_job_handler('k{n}', handler)" for n in range(300))
    fields = "\n".join(f"    field_{n}: str" for n in range(100))
    (tmp_path / "large_worker.py").write_text(
        f"import attrs\n\n@attrs.frozen\nclass Payload:\n{fields}\n\n"
        f"async def handler(service, payload: Payload, db): pass\n\nasync def initialize(service):\n{many}\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    service = make_service("large_worker:initialize")
    seen = told(service)
    await service.start()
    (manifest,) = await until(lambda: seen)
    assert len(manifest.handlers) == 300
    assert manifest != ServiceManifest()
    assert {info.payload_schema is None for info in manifest.handlers} == {True}
