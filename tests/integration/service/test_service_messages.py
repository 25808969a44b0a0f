"""Messages in both directions, and the state that every process sees."""

import asyncio
import os
import resource
import signal
import socket
from datetime import timedelta
from itertools import pairwise

import pytest

from tetherpy.service import (
    MessageError,
    ServiceNotRunningError,
    ServiceStalledError,
    ServiceState,
    WorkerStartError,
    WorkerStopError,
)
from tetherpy.service.protocol.locks import signer_of
from tetherpy.service.protocol.service_files import ServiceFiles

APP = "talking_worker:initialize"


class Received(list):
    """The values of an observable; a test can wait for them."""

    def of(self, observable):
        self.subscription = observable.subscribe(self.append)
        return self


@pytest.fixture
async def service(shared_service):
    return await shared_service(APP)


@pytest.fixture
def listen():
    """Return a function that collects the values of an observable until the test ends."""
    collected = []

    def start(observable):
        collected.append(Received().of(observable))
        return collected[-1]

    yield start
    for received in collected:
        received.subscription.dispose()


async def test_a_worker_answers_a_message_of_the_app(service, until, listen):
    answers = listen(service.on("answer"))
    for number in range(5):
        await service.invoke("question", number)
    await until(lambda: len(answers) == 5)
    assert [answer["question"] for answer in answers] == [0, 1, 2, 3, 4]


async def test_every_worker_gets_a_message_and_every_app_gets_the_answers(make_service, until, listen):
    one, other = make_service(APP, processes=2), make_service(APP)
    await one.start()
    heard = [listen(service.on("answer")) for service in (one, other)]
    await until(lambda: other._client._connection.done())
    await one.invoke("question", "who?")
    await until(lambda: [len(answers) for answers in heard] == [2, 2])
    assert len({answer["pid"] for answer in heard[0]}) == 2


async def test_a_listener_survives_a_restart(make_service, until, listen):
    service = make_service(APP)
    answers = listen(service.on("answer"))
    for expected in (1, 2):
        await service.start()
        await service.invoke("question", expected)
        await until(lambda expected=expected: len(answers) == expected)
        await service.stop()
    assert [answer["question"] for answer in answers] == [1, 2]


async def test_a_job_sends_a_message(service, until, listen, finished):
    announced = listen(service.on("announced"))
    await until(lambda: service._client._connection.done())
    assert (await finished(await service.job("announce", "dinner"))).result is True
    await until(lambda: announced == ["dinner"])


async def test_a_message_without_a_running_service_is_an_error(make_service):
    with pytest.raises(ServiceNotRunningError, match=r"start\(\)"):
        await make_service(APP).invoke("question")


async def test_an_invalid_message_is_refused(make_service):
    service = make_service(APP)
    for data, reason in ((object(), "not JSON"), ("x" * (1 << 20), "more than 1,048,576"), ("\ud800", "not JSON")):
        with pytest.raises(MessageError, match=reason):
            await service.invoke("question", data)


async def test_a_large_message_arrives(service, until, listen):
    answers = listen(service.on("answer"))
    text = "é" * 500_000
    await service.invoke("question", text)
    await until(lambda: answers)
    assert answers[0]["question"] == text


async def test_the_state_follows_the_service(make_service, until, listen):
    service = make_service(APP, initial_notification_title="My App", initial_notification_content="working")
    states = listen(service.state)
    await until(lambda: states == [ServiceState()])
    await service.start()
    await until(lambda: states[-1].running)
    ready = states[-1]
    assert (ready.notification_title, ready.notification_content) == ("My App", "working")
    assert ready.is_foreground
    assert [worker.id is not None for worker in ready.workers] == [True]
    await service.stop()
    await until(lambda: states[-1] == ServiceState())
    assert all(earlier != later for earlier, later in pairwise(states))


async def test_a_second_observer_gets_the_current_state_at_once(service, until, listen):
    first = listen(service.state)
    await until(lambda: first and first[-1].running)
    assert listen(service.state) == [first[-1]]


async def test_a_notification_is_visible_in_other_processes_and_stored(make_service, until, listen, finished, engine):
    starter, other = make_service(APP), make_service(APP)
    await starter.start()
    states = listen(other.state)
    await finished(await starter.job("announce", "step 2 of 5"))
    await until(lambda: states[-1].notification_content == "step 2 of 5")
    assert states[-1].notification_title == "Announcing"
    await finished(await starter.job("announce_in_thread", "step 3 of 5"))
    await until(lambda: states[-1].notification_content == "step 3 of 5")
    assert states[-1].notification_title == "Announcing"

    async def in_its_row():
        (worker,) = await engine.workers()
        return (worker.notification_title, worker.notification_content) == ("Announcing", "step 3 of 5")

    await until(in_its_row)


async def test_a_service_can_be_hidden(make_service, until, listen, finished):
    service = make_service(APP)
    await service.start()
    states = listen(service.state)
    await until(lambda: states and states[-1].running)
    await service.invoke("hide")
    await until(lambda: not states[-1].is_foreground)
    assert (await finished(await service.job("announce", "quietly"))).result is False


async def test_a_worker_can_stop_its_service(make_service, until):
    service = make_service(APP)
    await service.start()
    await service.invoke("stop")

    async def has_stopped():
        return not await service.is_running()

    await until(has_stopped)


async def test_a_dead_worker_is_reported(service, until, listen, kill):
    states = listen(service.state)
    await until(lambda: states and states[-1].running)
    before = states[-1].workers[0]
    kill(before.pid)
    await until(lambda: states[-1].workers and states[-1].workers[0].id not in (before.id, None))
    assert states[-1].running


async def test_a_blocked_worker_loses_neither_its_job_nor_events(make_service, until, listen, finished, manager):
    service = make_service(APP, lease=timedelta(seconds=1))
    await service.start()
    answers = listen(service.on("answer"))
    # Longer than two leases after the flood: a worker whose heartbeats are lost is killed.
    job_id = await service.job("nap", 4.0, max_attempts=1)
    await service.job("block", 1.0)
    await until(lambda: is_running(manager, 2))
    for _ in range(12):
        await service.invoke("count", "x" * 1_000_000)
    await service.invoke("how many")
    job = await finished(job_id)
    assert (job.status, job.attempts) == ("COMPLETED", 1)
    await until(lambda: answers)
    assert answers[0]["question"] == 12


async def is_running(manager, number):
    return (await manager.get_counts()).running == number


LINES = [
    b'{"type":"event","name":"count","data":' + b"[" * 990 + b"]" * 990 + b"}",
    b"[" * 100_000,
    b'{"type":"event","name":"count","data":1e400}',
    b'{"type":"event","name":"count","data":"\xff"}',
    b'{"type":"stop","timeout":"x"}',
]


async def test_invalid_frames_harm_neither_the_service_nor_later_messages(
    make_service, until, listen, database_path, servers
):
    service = make_service(APP)
    await service.start()
    pids = {process.pid for process in servers()}
    answers = listen(service.on("answer"))
    with ServiceFiles.of(database_path).socket_address() as address:
        for line in LINES:
            with socket.socket(socket.AF_UNIX) as sender:
                sender.connect(address)
                sender.sendall(line + b"\n")
                while await asyncio.to_thread(sender.recv, 1 << 16):
                    pass  # until the supervisor has closed the connection
    for depth in (201, 980, 2000):
        data = None
        for _ in range(depth):
            data = [data]
        with pytest.raises(MessageError, match="nested too deeply"):
            await service.invoke("count", data)
    await service.invoke("how many")
    await until(lambda: answers)
    assert answers[0]["question"] == 0
    assert {process.pid for process in servers()} == pids
    await service.stop()


async def test_a_stopped_supervisor_does_not_block_callers(make_service, database_path, monkeypatch):
    monkeypatch.setattr("tetherpy.service.app.service_link.SEND_SECONDS", 0.5)
    monkeypatch.setattr("tetherpy.service.app.stopping.KILL_GRACE_SECONDS", 0.1)
    monkeypatch.setattr("tetherpy.service.app.stopping.STOP_MARGIN_SECONDS", 0.5)
    service = make_service(APP, start_timeout=0.5)
    await make_service(APP).start()
    pid = signer_of(ServiceFiles.of(database_path).group_lock)
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(ServiceStalledError, match=f"process {pid}"):
            await service.invoke("question", 1)
        with pytest.raises(WorkerStartError, match=f"Process {pid} is still running"):
            await service.start()
        with pytest.raises(WorkerStopError, match=f"process {pid}"):
            await service.stop(0.1)
        await service.aclose()
    finally:
        os.kill(pid, signal.SIGCONT)
    await service.stop()


async def test_an_app_without_free_descriptors_receives_later_messages(make_service, until, listen):
    service = make_service(APP)
    states = listen(service.state)
    await until(lambda: states)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(0)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            await service.invoke("question", 1)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    await service.start()
    await until(lambda: states[-1].running)
    await service.invoke("question", 1)
