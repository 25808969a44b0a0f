"""Transactions that an app opens with SQLAlchemy, on a SQLite file or a PostgreSQL server."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any

import attrs
import sqlalchemy
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session

INSERT = "INSERT INTO app_orders (name) VALUES ('tea')"

Address = str | Path
"""The URL of a PostgreSQL database, or the path of a SQLite file."""


async def done(value: Any) -> Any:
    """Return a value, or what it gives when it is awaited."""
    return await value if hasattr(value, "__await__") else value


@attrs.define
class App:
    """A transaction of the app: what is passed as ``transaction``, and how to write and end it."""

    transaction: Any

    async def execute(self, sql: str) -> None:
        is_alchemy = type(self.transaction).__module__.startswith("sqlalchemy")
        await done(self.transaction.execute(sqlalchemy.text(sql) if is_alchemy else sql))

    async def commit(self) -> None:
        await done(self.transaction.commit())

    async def rollback(self) -> None:
        await done(self.transaction.rollback())


def _url(address: Address, file_driver: str) -> sqlalchemy.URL:
    if isinstance(address, Path):
        return sqlalchemy.URL.create(file_driver, database=str(address))
    return sqlalchemy.make_url(address).set(drivername="postgresql+psycopg")


@contextlib.contextmanager
def alchemy(address: Address, **options: Any) -> Generator[sqlalchemy.Engine]:
    engine = sqlalchemy.create_engine(_url(address, "sqlite"), **options)
    try:
        yield engine
    finally:
        engine.dispose()


@contextlib.asynccontextmanager
async def alchemy_connection(address: Address) -> AsyncGenerator[App]:
    with alchemy(address) as engine, engine.connect() as connection:
        yield App(connection)


@contextlib.asynccontextmanager
async def alchemy_session(address: Address) -> AsyncGenerator[App]:
    with alchemy(address) as engine, Session(engine) as session:
        yield App(session)


@contextlib.asynccontextmanager
async def async_alchemy(address: Address) -> AsyncGenerator[AsyncEngine]:
    engine = create_async_engine(_url(address, "sqlite+aiosqlite"))
    try:
        yield engine
    finally:
        await engine.dispose()


@contextlib.asynccontextmanager
async def async_alchemy_connection(address: Address) -> AsyncGenerator[App]:
    async with async_alchemy(address) as engine, engine.connect() as connection:
        yield App(connection)


@contextlib.asynccontextmanager
async def async_alchemy_session(address: Address) -> AsyncGenerator[App]:
    async with async_alchemy(address) as engine, AsyncSession(engine) as session:
        yield App(session)


ALCHEMY = [alchemy_connection, alchemy_session, async_alchemy_connection, async_alchemy_session]
