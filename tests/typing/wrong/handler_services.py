"""Handlers whose first parameter is not a ServiceInstance: every line that ends in ``# wrong`` is an error.

No module imports this file; tests/unit/test_types.py runs type checkers on it, except pyrefly, which does not compare
the parameter of a function with the bound of a type variable.
"""

from __future__ import annotations

from tetherpy import (
    BackgroundService,
    Database,
    JobDefinition,
    ServiceInstance,
    SqlDatabase,
    SyncDatabase,
    SyncServiceInstance,
    background_job,
)

count = JobDefinition("count", payload=str, result=int)


@count.handler  # wrong
async def text_for_service(service: str, payload: str, db: SqlDatabase) -> int:
    return 1


@count.handler  # wrong
def app_for_service(service: BackgroundService, payload: str, db: SyncDatabase) -> int:
    return 1


@count.handler  # wrong
def exchanged(payload: str, service: SyncServiceInstance, db: SyncDatabase) -> int:
    return 1


@background_job("measure")  # wrong
async def database_for_service(service: Database, payload: str, db: Database) -> int:
    return 1


@background_job("measure")  # wrong
def exchanged_last(service: SyncDatabase, payload: str, db: SyncServiceInstance) -> int:
    return 1


@background_job("measure")  # wrong
def asynchronous_service(service: ServiceInstance, payload: str, db: SyncDatabase) -> int:
    return 1


@count.handler  # wrong
async def synchronous_service(service: SyncServiceInstance, payload: str, db: SqlDatabase) -> int:
    return 1


def text_by_key(service: str, payload: str, db: SqlDatabase) -> int:
    return 1


def initialize(service: ServiceInstance) -> None:
    service.register_job_handler("count", text_by_key)  # wrong
