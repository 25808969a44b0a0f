"""A callback that succeeds until a file exists."""

from pathlib import Path


async def initialize(service):
    if Path(service._context.config.database).with_name("broken").exists():
        raise RuntimeError("broken on purpose")
    service.register_job_handler("echo", echo)


async def echo(service, payload, db):
    return payload
