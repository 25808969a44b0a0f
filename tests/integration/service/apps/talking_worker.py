"""A worker that exchanges messages with the app and shows a notification."""

import asyncio
import os
import time


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
    heard = []
    service.on("count").subscribe(heard.append)
    service.on("how many").subscribe(lambda _: on_question(len(heard)))
    service.register_job_handler("block", block)
    service.register_job_handler("nap", nap)
    service.register_job_handler("announce", announce)
    service.register_job_handler("announce_in_thread", announce_in_thread)


async def announce(service, payload, db):
    service.set_foreground_notification_info(title="Announcing", content=payload)
    await service.invoke("announced", payload)
    return service.is_foreground_service()


def announce_in_thread(service, payload, db):
    service.set_foreground_notification_info(content=payload)


async def block(service, payload: float, db):
    time.sleep(payload)


async def nap(service, payload: float, db):
    await asyncio.sleep(payload)
