"""A worker whose database polls only after change signals."""

from pathlib import Path

from tetherpy.database import Database


async def initialize(service):
    path = Path(service._context.config.database)
    service.set_background_db_connection(await service.enter(Database.open(path, safety_interval=None)))
    service.register_job_handler("echo", echo)
    service.register_job_handler("connections", connections)


async def echo(service, payload, db):
    return payload


def connections(service, payload, db):
    """Return how often this process has the database open."""
    name = db.address
    return sum(1 for link in Path("/proc/self/fd").iterdir() if link.is_symlink() and str(link.readlink()) == name)
