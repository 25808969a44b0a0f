"""A worker that answers, shows what it does, and listens to the app."""

import asyncio
import os


async def initialize(service):
    async def answer(question):
        await service.invoke("answer", {"question": question, "pid": os.getpid()})

    tasks = set()

    def on_question(question):
        task = asyncio.ensure_future(answer(question))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    service.on("question").subscribe(on_question)
    service.on("stop").subscribe(lambda _: service.stop_self())
    service.on("hide").subscribe(lambda _: service.set_as_background_service())
    service.register_job_handler("announce", announce)
    service.register_job_handler("announce_in_thread", announce_in_thread)


async def announce(service, payload, db):
    service.set_foreground_notification_info(title="Announcing", content=payload)
    await service.invoke("announced", payload)
    return service.is_foreground_service()


def announce_in_thread(service, payload, db):
    service.set_foreground_notification_info(content=payload)
