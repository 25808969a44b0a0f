"""Messages both ways, and the state that any process sees."""

from itertools import pairwise

import pytest

from tetherpy.service import MessageError, ServiceNotRunningError, ServiceState

APP = "talking_worker:initialize"


class Received(list):
    """What an observable sent, to be waited for."""

    def of(self, observable):
        self.subscription = observable.subscribe(self.append)
        return self


@pytest.fixture
def listen():
    """Return a function that collects what an observable sends until the test ends."""
    collected = []

    def start(observable):
        collected.append(Received().of(observable))
        return collected[-1]

    yield start
    for received in collected:
        received.subscription.dispose()


async def test_question_and_answer(make_service, until, listen):
    service = make_service(APP)
    await service.start()
    answers = listen(service.on("answer"))
    for number in range(5):
        await service.invoke("question", number)
    await until(lambda: len(answers) == 5)
    assert [answer["question"] for answer in answers] == [0, 1, 2, 3, 4]


async def test_every_worker_hears_and_every_app_gets_the_answers(make_service, until, listen):
    one, other = make_service(APP, processes=2), make_service(APP)
    await one.start()
    heard = [listen(service.on("answer")) for service in (one, other)]
    await until(lambda: other._link._connection.done())
    await one.invoke("question", "who?")
    await until(lambda: [len(answers) for answers in heard] == [2, 2])
    assert len({answer["pid"] for answer in heard[0]}) == 2


async def test_listener_outlives_a_restart(make_service, until, listen):
    service = make_service(APP)
    answers = listen(service.on("answer"))
    for expected in (1, 2):
        await service.start()
        await service.invoke("question", expected)
        await until(lambda expected=expected: len(answers) == expected)
        await service.stop()
    assert [answer["question"] for answer in answers] == [1, 2]


async def test_message_from_a_job(make_service, until, listen, finished):
    service = make_service(APP)
    await service.start()
    announced = listen(service.on("announced"))
    await until(lambda: service._link._connection.done())
    assert (await finished(await service.job("announce", "dinner"))).result is True
    await until(lambda: announced == ["dinner"])


async def test_nobody_to_talk_to(make_service):
    with pytest.raises(ServiceNotRunningError, match=r"start\(\)"):
        await make_service(APP).invoke("question")


async def test_message_that_is_none(make_service):
    service = make_service(APP)
    for data, reason in ((object(), "no JSON"), ("x" * (1 << 20), "1,048,6"), ("\ud800", "no JSON")):
        with pytest.raises(MessageError, match=reason):
            await service.invoke("question", data)


async def test_large_message(make_service, until, listen):
    service = make_service(APP)
    await service.start()
    answers = listen(service.on("answer"))
    text = "é" * 500_000
    await service.invoke("question", text)
    await until(lambda: answers)
    assert answers[0]["question"] == text


async def test_state_follows_the_service(make_service, until, listen):
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


async def test_second_observer_gets_the_current_state_at_once(make_service, until, listen):
    service = make_service(APP)
    await service.start()
    first = listen(service.state)
    await until(lambda: first and first[-1].running)
    assert listen(service.state) == [first[-1]]


async def test_notification_is_seen_in_other_processes_and_kept(make_service, until, listen, finished, engine):
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


async def test_hidden_service(make_service, until, listen, finished):
    service = make_service(APP)
    await service.start()
    states = listen(service.state)
    await until(lambda: states and states[-1].running)
    await service.invoke("hide")
    await until(lambda: not states[-1].is_foreground)
    assert (await finished(await service.job("announce", "quietly"))).result is False


async def test_service_stops_itself(make_service, until):
    service = make_service(APP)
    await service.start()
    await service.invoke("stop")

    async def has_stopped():
        return not await service.is_running()

    await until(has_stopped)


async def test_dead_worker_is_seen(make_service, until, listen, kill):
    service = make_service(APP)
    await service.start()
    states = listen(service.state)
    await until(lambda: states and states[-1].running)
    before = states[-1].workers[0]
    kill(before.pid)
    await until(lambda: states[-1].workers and states[-1].workers[0].id not in (before.id, None))
    assert states[-1].running
