"""The generated package: the copy in this repository is up to date, and all others are well-formed."""

import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest
from ruff import find_ruff_bin

from tetherpy.generator import BackgroundServices, JobDeclaration, Plan, providers_package, read_settings

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
RUFF = find_ruff_bin()

SHOP = BackgroundServices(
    enabled=True,
    package="shop.providers",
    database_path="data/it's.db",
    migrations="shop.schema:MIGRATIONS",
    app_initialization_callback="shop.worker:initialize",
    initial_notification_title='The "shop"',
    jobs=(
        JobDeclaration("sendMail", "shop.worker:Mail"),
        JobDeclaration("cleanUp"),
        JobDeclaration("other", "a:B.C"),
        *(JobDeclaration(f"report{number}") for number in (2, 10, 1)),
    ),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An app with the modules that the settings of the shop name."""
    Plan.make(tmp_path, providers_package(SHOP)).apply()
    (tmp_path / "shop" / "worker.py").write_text(
        "import attrs\n\n\n@attrs.frozen\nclass Mail:\n    to: str\n\n\ndef initialize(service: object) -> None: ...\n"
    )
    (tmp_path / "shop" / "schema.py").write_text(
        "from tetherpy.database import Migration\n\n"
        'MIGRATIONS = [Migration(1, "mails", "CREATE TABLE mails (address TEXT NOT NULL)")]\n'
    )
    (tmp_path / "shop" / "__init__.py").touch()
    (tmp_path / "a.py").write_text("class B:\n    class C: ...\n")
    return tmp_path


def run(folder: Path, *command: object) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", *map(str, command)]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_the_providers_in_this_repository_are_up_to_date():
    services = read_settings(ROOT / "tether.yaml").background_services
    assert not Plan.make(ROOT, providers_package(services)).differing


def test_generation_is_deterministic():
    assert providers_package(SHOP) == providers_package(SHOP)


LONG = BackgroundServices(
    enabled=True,
    database_path="d" * 40 + ".db",
    migrations=f"{'m' * 40}:MIGRATIONS",
    initial_notification_title="\u30c7" * 60,
    initial_notification_content="'\"\\\u00a0\u202e",
    jobs=tuple(JobDeclaration(("\u30c7" if wide else "k") * length) for wide in (0, 1) for length in (23, 24, 60)),
)


@pytest.mark.parametrize("length", [88, 100, 120])
@pytest.mark.parametrize("services", [SHOP, LONG, BackgroundServices()], ids=["shop", "long", "least"])
def test_the_code_is_formatted_for_usual_line_lengths(tmp_path, services, length):
    Plan.make(tmp_path, providers_package(services)).apply()
    (tmp_path / "shop").mkdir(exist_ok=True)
    for module in ("a", "m" * 40, "shop/__init__"):
        (tmp_path / f"{module}.py").touch()
    for rule in (["format", "--check", "--diff"], ["check", "--select", "E,F,I,W,UP,RUF022", "--ignore", "E501"]):
        command = [RUFF, *rule, "--no-cache", "--isolated", "--line-length", str(length), "."]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert not done.returncode, done.stdout + done.stderr


def test_tables_of_the_app_are_created_with_those_of_the_jobs(folder, monkeypatch):
    monkeypatch.setenv("TETHERPY_DATABASE", "")  # same as if the key were missing
    (folder / "main.py").write_text(
        "import asyncio\n"
        "from shop.providers import database_provider\n"
        "from tetherpy import ProviderContainer\n\n"
        "async def main():\n"
        "    async with ProviderContainer() as container:\n"
        "        db = await container.read(database_provider.future)\n"
        "        await db.execute(\"INSERT INTO mails VALUES ('ada')\")\n"
        '        print((await db.get("SELECT count(*) FROM background_service_jobs"))[0])\n\n'
        "asyncio.run(main())\n"
    )
    (folder / "data").mkdir()
    assert run(folder, "main").stdout == "0\n"
    assert (folder / "data" / "it's.db").is_file()


def test_a_module_with_payloads_may_import_the_providers(folder):
    worker = folder / "shop" / "worker.py"
    worker.write_text("from shop.providers import database_provider\n" + worker.read_text())
    done = run(folder, "shop.worker")
    assert not done.returncode, done.stderr


def test_the_code_is_typed_with_the_payloads_of_the_jobs(folder):
    (folder / "right.py").write_text(
        "from shop.providers import enqueue_clean_up, enqueue_send_mail\n"
        "from shop.worker import Mail\n"
        "from tetherpy.jobs import BackgroundJobManager\n\n\n"
        "async def right(manager: BackgroundJobManager) -> int:\n"
        "    await enqueue_clean_up(manager)\n"
        '    return await enqueue_send_mail(manager, Mail("ada"), priority=3, delay=1.5)\n'
    )
    (folder / "wrong.py").write_text((folder / "right.py").read_text().replace('Mail("ada")', '"ada"'))
    done = run(folder, "mypy", "--strict", "--cache-dir", folder / "cache", "shop", "right.py", "wrong.py")
    (error, summary) = done.stdout.splitlines()
    assert error.startswith("wrong.py:")
    assert 'incompatible type "str"; expected "Mail"' in error
    assert summary.startswith("Found 1 error")


def test_without_jobs_no_module_for_them_is_generated():
    assert set(providers_package(BackgroundServices())) == {
        PurePosixPath("providers", f"{name}.py")
        for name in ("__init__", "background_jobs", "background_service", "database")
    }
