"""``tetherpy doctor``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

from tetherpy.database import is_url, redacted
from tetherpy.errors import TetherError
from tetherpy.jobs import open_engine

from ..output.error_reporting import FAILED
from ..output.formats import Form, emit, form_of, print_all
from ..output.terminal_text import on_one_line
from ..parameters.database_location import existing_file
from ..parameters.options import DatabaseOption, JsonOption
from ..service.service_report import handle
from .finding import FINDINGS, STYLES, Finding, State
from .jobs import examine_jobs
from .machine import examine_disk, examine_file_system, examine_inotify
from .sqlite_file import examine_file, examine_version


async def examine(database: DatabaseOption = None, json: JsonOption = False) -> int:
    """Examine a database, its workers and this machine.

    The exit code is 1 if it finds a problem. It changes nothing.
    """
    address = existing_file(database)
    findings = [finding async for finding in _examine_all(address)]
    form = form_of(json)
    if form is Form.TABLE:
        _print_for_people(findings)
    else:
        print_all(form, FINDINGS, findings)
    return FAILED if any(finding.state is State.WRONG for finding in findings) else 0


async def _examine_all(address: str) -> AsyncIterator[Finding]:
    healthy = True
    if not is_url(address):
        for finding in _examine_sqlite(Path(address)):
            healthy = healthy and finding.state is not State.WRONG
            yield finding
    yield examine_inotify()
    serving = await handle(address).is_running()
    yield Finding.ok("service", "running on this machine" if serving else "not running on this machine")
    if not healthy:
        # Opening an unhealthy database could change it, or fail with the reported problem.
        return
    try:
        async with open_engine(address) as engine:
            async for finding in examine_jobs(engine, datetime.now(UTC), serving=serving):
                yield finding
    except TetherError as error:
        yield Finding.wrong("jobs", f"{redacted(address)} cannot be opened", on_one_line(str(error)))


def _examine_sqlite(path: Path) -> Iterator[Finding]:
    path = path.resolve()
    yield examine_version()
    yield examine_disk(path.parent)
    yield examine_file_system(path.parent)
    yield from examine_file(path)


def _print_for_people(findings: list[Finding]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console()
    width = max(len(finding.check) for finding in findings)
    for finding in findings:
        line = Text.assemble((f"{finding.state.value:<7}", STYLES[finding.state]), f"{finding.check:<{width}}  ")
        console.print(line.append(on_one_line(finding.found)), soft_wrap=True)
        if finding.remedy:
            console.print(Text(f"{'':7}{'':<{width}}  {on_one_line(finding.remedy)}", style="bold"), soft_wrap=True)
    if all(finding.state is State.OK for finding in findings):
        emit("No problems found.")
