"""Run the demo: ``python -m examples.demo``. The app only subscribes to stream providers and renders."""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.live import Live

from providers import (
    background_job_manager_provider,
    background_service_provider,
    database_path_provider,
    database_provider,
    job_counts_stream_provider,
    jobs_by_status_stream_provider,
    service_state_stream_provider,
)
from tetherpy import AsyncState, BackgroundJobStatus, BackgroundService, ProviderContainer

from .analysis import AnalysePackage
from .crash import kill_in_mid_work
from .display import View
from .outcome import Outcome
from .standard_library import BROKEN, standard_packages, write_broken_package
from .worker import REPORTS, analyse_package

LIMIT_SECONDS = 120.0


def demo_container(folder: Path) -> ProviderContainer:
    """Return a container with a database in a folder, or the database in TETHERPY_DATABASE."""
    address = os.environ.get("TETHERPY_DATABASE") or folder / "app.db"
    service = BackgroundService(
        address,
        "examples.demo.worker:initialize",
        initial_notification_title="tetherpy demo",
        initial_notification_content="waiting for packages",
    )
    return ProviderContainer(
        overrides=[
            database_path_provider.override_with_value(address),
            background_service_provider.override_with_value(service),
        ]
    )


async def enqueue(container: ProviderContainer, folder: Path) -> dict[str, int]:
    """Enqueue one job per package, and return their ids by package."""
    db = await container.read(database_provider.future)
    await db.migrate([REPORTS])
    packages = {**standard_packages(), BROKEN: write_broken_package(folder)}
    ids = await container.read(background_job_manager_provider).enqueue_many(
        analyse_package.new(AnalysePackage(name, str(folder))) for name, folder in packages.items()
    )
    return dict(zip(packages, ids, strict=True))


def watch(container: ProviderContainer, view: View) -> ExitStack:
    """Update the view from stream providers."""

    def into(field: str) -> Callable[[object, AsyncState[object]], None]:
        def on_change(previous: object, state: AsyncState[object]) -> None:
            if state.has_value:
                setattr(view, field, state.value)

        return on_change

    running = jobs_by_status_stream_provider(BackgroundJobStatus.RUNNING)
    subscriptions = ExitStack()
    subscriptions.enter_context(container.listen(job_counts_stream_provider, into("counts"), fire_immediately=True))
    subscriptions.enter_context(container.listen(running, into("running"), fire_immediately=True))
    subscriptions.enter_context(container.listen(service_state_stream_provider, into("service"), fire_immediately=True))
    return subscriptions


async def run(container: ProviderContainer, folder: Path, console: Console) -> Outcome:
    """Work through all jobs, with a crash in the middle."""
    service = container.read(background_service_provider)
    ids = await enqueue(container, folder)
    view = View(total=len(ids), headline=f"One job per package, {len(ids)} jobs")
    with Live(view, console=console, refresh_per_second=10), watch(container, view):
        await service.start()
        was_running = await kill_in_mid_work(container, len(ids))
        view.headline = f"Killed the worker with SIGKILL while {len(was_running)} jobs ran; starting it again"
        await service.start()
        for job_id in ids.values():
            await container.read(background_job_manager_provider).wait_for(job_id)
    return await Outcome.read(container, list(ids.values()), ids[BROKEN], was_running)


async def main(folder: Path) -> int:
    """Run the demo and return its exit code: 0 only if every expectation holds."""
    console = Console()
    started = time.monotonic()
    async with demo_container(folder) as container, asyncio.timeout(LIMIT_SECONDS):
        service = container.read(background_service_provider)
        try:
            outcome = await run(container, folder, console)
        finally:
            await service.stop()
            await service.aclose()
    outcome.show(console)
    console.print(f"Time: {time.monotonic() - started:.1f} s")
    found = [*outcome.problems()]
    for problem in found:
        console.print(f"[red]Unexpected:[/] {problem}")
    return 1 if found else 0


if __name__ == "__main__":
    with TemporaryDirectory(prefix="tetherpy-demo-") as temporary:
        try:
            code = asyncio.run(main(Path(temporary)))
        except KeyboardInterrupt:
            code = 130
    sys.exit(code)
