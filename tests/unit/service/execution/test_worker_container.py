"""``service.container`` lives as long as the worker; the containers of jobs are its children."""

import pytest

from tetherpy import Provider
from tetherpy.database import Database
from tetherpy.jobs import BackgroundJobManager
from tetherpy.service import InlineWorker, OutsideLoopError


class Client:
    """One object per build."""


def recording(ended, **options):
    def create(ref):
        ref.on_dispose(lambda: ended.append(ref.container))
        return Client()

    return Provider(create, **options)


async def run(handler, tmp_path, *, initialize=lambda service: None, times=2):
    async with Database.open(tmp_path / "app.db") as db, InlineWorker.open(db) as worker:
        initialize(worker.service)
        worker.service.register_job_handler("work", handler)
        for _ in range(times):
            await BackgroundJobManager(worker.engine).enqueue("work", max_attempts=1)
        acks = []
        await worker.drain(acks.append)
        jobs = await BackgroundJobManager(worker.engine).get_all_jobs()
        assert [job.last_error for job in jobs] == [None] * times


async def test_jobs_share_what_the_worker_holds_and_it_ends_with_the_worker(tmp_path):
    ended, clients = [], []
    client_provider = recording(ended)

    async def work(service, payload, db):
        container = service.job_container()
        assert container.parent is service.container
        clients.append((service.container.read(client_provider), container.read(client_provider)))
        assert not ended

    await run(work, tmp_path)
    assert len({id(client) for pair in clients for client in pair}) == 1
    assert len(ended) == 1


async def test_a_provider_of_the_scope_worker_is_shared_wherever_a_job_reads_it(tmp_path):
    ended, clients = [], []
    client_provider = recording(ended, scope="worker")
    session_provider = Provider(lambda ref: [ref.watch(client_provider)], scope="job")

    async def work(service, payload, db):
        container = service.job_container()
        clients.extend([*container.read(session_provider), container.read(client_provider)])
        assert not ended

    await run(work, tmp_path)
    assert len({id(client) for client in clients}) == 1
    assert len(ended) == 1


async def test_all_other_values_belong_to_the_job(tmp_path):
    ended, clients = [], []
    plain, scoped = recording(ended), recording(ended, scope="job")

    async def work(service, payload, db):
        clients.extend(service.job_container().read(provider) for provider in (plain, scoped))

    await run(work, tmp_path)
    assert len({id(client) for client in clients}) == len(ended) == 4


async def test_overrides_of_the_worker_apply_once_and_those_of_a_job_to_the_job(tmp_path):
    real, fake, mine = Client(), Client(), Client()
    client_provider = Provider(lambda ref: real)
    user_provider = Provider(lambda ref: ref.watch(client_provider))
    seen = []

    async def work(service, payload, db):
        assert service.container.read(user_provider) is fake
        seen.append(service.job_container().read(user_provider))
        seen.append(service.job_container([client_provider.override_with_value(mine)]).read(user_provider))

    await run(
        work, tmp_path, initialize=lambda service: service.override(client_provider.override_with_value(fake)), times=1
    )
    assert seen == [fake, mine]


async def test_a_job_may_begin_the_scope_of_a_request(tmp_path):
    session_provider = Provider(lambda ref: Client(), scope="request")
    seen = []

    async def work(service, payload, db):
        seen.append(service.job_container(scope="request").read(session_provider))

    await run(work, tmp_path)
    assert seen[0] is not seen[1]


async def test_a_handler_in_a_thread_has_a_container_and_not_that_of_the_worker(tmp_path):
    def work(service, payload, db):
        with pytest.raises(OutsideLoopError):
            service.container  # noqa: B018
        with service.job_container() as container:
            container.read(Provider(lambda ref: 1))

    await run(work, tmp_path)
