"""A worker whose jobs use providers, and which has periodic jobs."""

import os
from datetime import timedelta
from pathlib import Path

from tetherpy.reactive import Provider, Ref


@Provider
def greeting_provider(ref: Ref) -> str:
    raise NotImplementedError("overridden in the worker")


@Provider
def name_provider(ref: Ref) -> str:
    return "nobody"


@Provider
def sentence_provider(ref: Ref) -> str:
    return f"{ref.watch(greeting_provider)}, {ref.watch(name_provider)}"


async def initialize(service):
    service.override(greeting_provider.override_with_value("Hello"))
    service.register_job_handler("sentence", sentence)
    service.register_job_handler("careless", careless)
    service.register_job_handler("shared", shared)
    service.register_job_handler("sentence_in_thread", sentence_in_thread)
    service.register_job_handler("database_variable", database_variable)
    service.register_job_handler("tick", tick)
    service.register_job_handler("outside", tick)
    service.register_periodic_job("often", every=timedelta(milliseconds=200), job_key="tick")


async def sentence(service, payload: str | None, db):
    overrides = [] if payload is None else [name_provider.override_with_value(payload)]
    async with service.job_container(overrides=overrides) as container:
        return container.read(sentence_provider)


def database_variable(service, payload, db):
    return os.environ["TETHERPY_DATABASE"]


async def careless(service, payload: str, db):
    """Leave the container open: it is disposed with the job."""
    container = service.job_container()

    @Provider
    def closing_provider(ref: Ref) -> str:
        ref.on_dispose(lambda: Path(payload).write_text("disposed"))
        return "open"

    return container.read(closing_provider)


@Provider.family
def traced_provider(ref: Ref, trace: str) -> int:
    ref.on_dispose(lambda: Path(trace).write_text("disposed"))
    return os.getpid()


async def shared(service, payload: str, db):
    """Read a value that lives as long as the worker."""
    assert service.job_container().parent is service.container
    return service.container.read(traced_provider(payload))


async def tick(service, payload, db):
    return "ticked"


def sentence_in_thread(service, payload: str, db):
    with service.job_container(overrides=[name_provider.override_with_value(payload)]) as container:
        return container.read(sentence_provider)
