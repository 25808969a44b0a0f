"""The code of every worker, on each machine."""

import socket
from typing import TypedDict

from tetherpy import JobDefinition, Migration, ServiceInstance, SqlDatabase

LETTERS = Migration(1, "letters", "CREATE TABLE letters (job_id bigint PRIMARY KEY, address text NOT NULL)")


class Letter(TypedDict):
    """The payload: the address of the receiver."""

    address: str


send_letter = JobDefinition("send_letter", payload=Letter, result=str)


@send_letter.handler
async def write_letter(service: ServiceInstance, payload: Letter, db: SqlDatabase) -> str:
    """Store the letter and complete the job in one transaction; return the name of the machine."""
    machine = socket.gethostname()
    async with db.transaction() as tx:
        await tx.execute("INSERT INTO letters VALUES (?, ?)", (service.job.id, payload["address"]))
        await service.complete(machine, transaction=tx)
    return machine


async def initialize(service: ServiceInstance) -> None:
    """Open this worker's connections and register the handler."""
    db = await service.enter(service.open_database(migrations=[LETTERS]))
    service.set_background_db_connection(db)
    service.register_jobs(send_letter)
