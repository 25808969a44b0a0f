"""Database addresses have one meaning in all parameters."""

import os

import pytest

from tetherpy.database import Database, DatabaseAddressError, applied_migrations, read_only
from tetherpy.jobs import open_database
from tetherpy.service import BackgroundService


async def open_file(address):
    async with Database.open(address) as db:
        return db.address


async def open_any(address):
    async with open_database(address) as db:
        return db.address


async def name_for_service(address):
    service = BackgroundService(address, "plain_worker:initialize")
    await service.aclose()
    return service._files.address


async def look(address):
    return applied_migrations(address)


async def read(address):
    with read_only(address) as connection:
        return connection.execute("SELECT 1").fetchone()


TAKERS = [open_file, open_any, name_for_service, look, read]


@pytest.mark.parametrize("take", TAKERS)
@pytest.mark.parametrize(
    "address",
    [
        ":memory:",
        "file:app.db",
        "file:app.db?mode=ro",
        "file:///app.db",
        "mysql://me:secret@host/app",
        "",
        "a\0b",
        "\ud800.db",
        "~no-user-has-this-name/app.db",
        b"app.db",
        None,
        5,
    ],
)
async def test_invalid_addresses_are_refused_alike_and_create_no_file(tmp_path, monkeypatch, take, address):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DatabaseAddressError, match="cannot open the database") as caught:
        await take(address)
    assert "secret" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("take", [open_file, look, read])
async def test_a_server_address_is_refused_where_only_files_are_supported(take):
    with pytest.raises(DatabaseAddressError, match="only files") as caught:
        await take("postgresql://me:secret@host/app")
    assert "secret" not in str(caught.value)
    assert caught.value.address == "postgresql://me@host/app"


@pytest.mark.parametrize("take", [open_file, open_any, name_for_service])
async def test_all_spellings_of_a_path_open_one_file(tmp_path, monkeypatch, take):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.db").symlink_to("app.db")
    spellings = ["~/app.db", "app.db", "./app.db", tmp_path / "app.db", os.fspath(tmp_path / "link.db")]
    assert {await take(spelling) for spelling in spellings} == {str(tmp_path / "app.db")}
