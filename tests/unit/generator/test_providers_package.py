"""The generated package: this project's own is one, and every other is as well formed."""

import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from tetherpy.generator import BackgroundServices, JobDeclaration, Plan, providers_package, read_settings

ROOT = Path(__file__).parents[3]

SHOP = BackgroundServices(
    enabled=True,
    package="shop.providers",
    database_path="data/it's.db",
    app_initialization_callback="shop.worker:initialize",
    initial_notification_title='The "shop"',
    jobs=(JobDeclaration("sendMail", "shop.worker:Mail"), JobDeclaration("cleanUp"), JobDeclaration("other", "a:B.C")),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An app that has what the settings of the shop name."""
    Plan.make(tmp_path, providers_package(SHOP)).apply()
    (tmp_path / "shop" / "worker.py").write_text(
        "import attrs\n\n\n@attrs.frozen\nclass Mail:\n    to: str\n\n\ndef initialize(service: object) -> None: ...\n"
    )
    (tmp_path / "shop" / "__init__.py").touch()
    (tmp_path / "a.py").write_text("class B:\n    class C: ...\n")
    return tmp_path


def run(folder: Path, *command: object) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", *map(str, command)]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_the_projects_own_providers_are_what_is_generated():
    services = read_settings(ROOT / "tether.yaml").background_services
    assert not Plan.make(ROOT, providers_package(services)).differing


def test_generating_twice_gives_the_same():
    assert providers_package(SHOP) == providers_package(SHOP)


@pytest.mark.parametrize("length", [88, 120])
def test_it_is_formatted_for_any_usual_length_of_lines(folder, length):
    for rule in (["format", "--check", "--diff"], ["check", "--select", "E,F,I,W,UP,RUF022,N"]):
        done = run(folder, "ruff", *rule, "--no-cache", "--isolated", "--line-length", length, "shop/providers")
        assert not done.returncode, done.stdout + done.stderr


def test_it_is_typed_and_jobs_are_enqueued_with_their_own_payloads(folder):
    (folder / "right.py").write_text(
        "from shop.providers import enqueue_clean_up, enqueue_send_mail\n"
        "from shop.worker import Mail\n"
        "from tetherpy.jobs import BackgroundJobManager\n\n\n"
        "async def right(manager: BackgroundJobManager) -> int:\n"
        "    await enqueue_clean_up(manager)\n"
        '    return await enqueue_send_mail(manager, Mail("ada"), priority=3, delay=1.5)\n'
    )
    done = run(folder, "mypy", "--strict", "--cache-dir", folder / "cache", "shop", "right.py")
    assert "Success" in done.stdout, done.stdout
    (folder / "wrong.py").write_text((folder / "right.py").read_text().replace('Mail("ada")', '"ada"'))
    done = run(folder, "mypy", "--strict", "--cache-dir", folder / "cache", "wrong.py")
    assert 'incompatible type "str"; expected "Mail"' in done.stdout


def test_without_jobs_there_is_no_module_for_them():
    assert set(providers_package(BackgroundServices())) == {
        PurePosixPath("providers", f"{name}.py")
        for name in ("__init__", "background_jobs", "background_service", "database")
    }
