"""Kill and stop workers and supervisors at random while jobs are enqueued, then see that none was lost.

``python tests/integration/service/crash_campaign.py --kills 1000`` runs it at length and prints what
happened; the suite runs a sample.
"""

import argparse
import asyncio
import contextlib
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import attrs
import psutil

from tetherpy.database import Database
from tetherpy.jobs import JOB_MIGRATIONS, BackgroundJobManager, NewJob
from tetherpy.service import BackgroundService, WorkerStartError

APPS = Path(__file__).parent / "apps"
SETTLE_SECONDS = 60.0


@attrs.define
class Report:
    """What happened, and what must be empty or true for all to be well."""

    jobs: int = 0
    kills: int = 0
    stops: int = 0
    starts: int = 0
    broken_starts: Counter[str] = attrs.Factory(Counter)
    outcomes: dict[str, int] = attrs.Factory(dict)
    unfinished: int = 0
    completed_twice: int = 0
    unexplained: int = 0
    integrity: str = ""

    def flaws(self):
        return {
            "unfinished": self.unfinished,
            "completed twice": self.completed_twice,
            "re-runs without an attempt row that explains them": self.unexplained,
            "integrity": self.integrity if self.integrity != "ok" else 0,
        }


@attrs.define
class Campaign:
    path: Path
    kills: int
    chance: random.Random
    report: Report = attrs.Factory(Report)
    over: bool = False

    async def run(self):
        sys.path.insert(0, str(APPS))
        service = BackgroundService(
            self.path, "campaign_worker:initialize", processes=3, concurrency=6, lease=timedelta(seconds=2)
        )
        async with Database.open(self.path, migrations=JOB_MIGRATIONS) as db:
            try:
                manager = BackgroundJobManager(db)
                await asyncio.gather(self._enqueue(manager), self._disturb(service))
                await self._settle(service, manager)
                await self._examine(db)
                await service.stop(5)
            finally:
                self.over = True
                sys.path.remove(str(APPS))
                await service.aclose()
        return self.report

    async def _enqueue(self, manager):
        while not self.over:
            batch = (NewJob(job_key="work", max_attempts=1000) for _ in range(10))
            self.report.jobs += len(await manager.enqueue_many(batch))
            await asyncio.sleep(0.05)

    async def _disturb(self, service):
        await service.start()
        while self.report.kills < self.kills:
            await asyncio.sleep(self.chance.random() * 0.25)
            await self._strike()
            if self.chance.random() < 0.4 or not await service.is_running():
                await self._start(service)
        self.over = True

    async def _strike(self):
        processes = self._processes()
        if not processes:
            return
        victim = self.chance.choice(processes)
        with contextlib.suppress(ProcessLookupError):
            if self.chance.random() < 0.05:
                self.report.stops += 1
                os.kill(victim, signal.SIGSTOP)
                await asyncio.sleep(self.chance.random() * 3)
                os.kill(victim, signal.SIGCONT)
            else:
                os.kill(victim, signal.SIGKILL)
                self.report.kills += 1

    async def _start(self, service):
        try:
            await service.start()
            self.report.starts += 1
        except WorkerStartError as error:
            self.report.broken_starts[error.reason] += 1

    async def _settle(self, service, manager):
        deadline = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < deadline:
            await self._start(service)
            self.report.unfinished = self.report.jobs - (await manager.get_counts()).completed
            if not self.report.unfinished:
                return
            await asyncio.sleep(0.05)

    async def _examine(self, db):
        outcomes = await db.get_all("SELECT outcome, count(*) AS n FROM background_service_job_attempts GROUP BY 1")
        self.report.outcomes = {str(row["outcome"]): row["n"] for row in outcomes}
        self.report.completed_twice = len(
            await db.get_all(
                "SELECT 1 FROM background_service_job_attempts WHERE outcome = 'completed' "
                "GROUP BY job_id HAVING count(*) > 1"
            )
        )
        # Every counted attempt but the last has a row that says how it ended.
        self.report.unexplained = len(
            await db.get_all(
                "SELECT 1 FROM background_service_jobs j WHERE j.attempts <> (SELECT count(*) FROM "
                "background_service_job_attempts a WHERE a.job_id = j.id AND a.outcome <> 'released')"
            )
        )
        self.report.integrity = (await db.get("PRAGMA integrity_check"))[0]

    def _processes(self):
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if any(str(self.path) in part for part in process.cmdline()):
                    found.append(process.pid)
        return found


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--kills", type=int, default=1000)
    arguments.add_argument("--seed", type=int, default=None)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        campaign = Campaign(Path(folder) / "app.db", options.kills, random.Random(options.seed))
        report = asyncio.run(campaign.run())
    print(report)
    sys.exit(1 if any(report.flaws().values()) else 0)


if __name__ == "__main__":
    main()
