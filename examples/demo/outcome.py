"""The outcome of the demo: the rows in the database, and checks of the expectations."""

from collections.abc import Iterator, Sequence

import attrs
from rich.console import Console

from providers import background_job_manager_provider, database_provider
from tetherpy import BackgroundJob, JobAttempt, ProviderContainer

from .analysis import PackageReport
from .display import largest, summary
from .standard_library import BROKEN


@attrs.frozen
class Outcome:
    """The contents of the database at the end.

    Attributes:
        expected: the number of enqueued jobs.
        jobs: all finished jobs.
        attempts: the attempts of each job, by id.
        reports: the rows that handlers wrote, with the job that wrote each, largest package first.
        broken: the id of the job whose package does not parse.
        was_running: the ids of the jobs that ran when the worker was killed.
    """

    expected: int
    jobs: Sequence[BackgroundJob]
    attempts: dict[int, list[JobAttempt]]
    reports: Sequence[tuple[int, PackageReport]]
    broken: int
    was_running: frozenset[int]

    @classmethod
    async def read(
        cls, container: ProviderContainer, ids: Sequence[int], broken: int, was_running: frozenset[int]
    ) -> "Outcome":
        """Read it from the database."""
        db = await container.read(database_provider.future)
        manager = container.read(background_job_manager_provider)
        rows = await db.get_all(
            "SELECT job_id, package, modules, classes, functions, lines FROM package_reports ORDER BY lines DESC"
        )
        return cls(
            expected=len(ids),
            jobs=[job for job_id in ids if (job := await manager.get_job_by_id(job_id)) is not None],
            attempts={job_id: await manager.get_attempts(job_id) for job_id in ids},
            reports=[(row[0], PackageReport(*tuple(row)[1:])) for row in rows],
            broken=broken,
            was_running=was_running,
        )

    def show(self, console: Console) -> None:
        """Print the table of packages, the job that failed, and the jobs that ran twice."""
        reports = [report for _, report in self.reports]
        package_of = {job_id: report.package for job_id, report in self.reports}
        console.print(summary(reports))
        console.print(f"Ten largest: {largest(reports)}")
        for job in self.jobs:
            if job.id == self.broken:
                console.print(f"[bold]{BROKEN}[/]: {job.status} after {job.attempts} attempts: {job.last_error}")
        killed = ", ".join(package_of.get(job_id, BROKEN) for job_id in sorted(self.was_running))
        console.print(f"Killed in mid-work and run again, each counted once: {killed}")

    def problems(self) -> Iterator[str]:
        """Yield a message for each expectation that does not hold."""
        if len(self.jobs) != self.expected:
            yield f"{self.expected - len(self.jobs)} jobs are lost"
        written = [job_id for job_id, _ in self.reports]
        for job in self.jobs:
            if job.id == self.broken:
                yield from self._broken_problems(job)
            elif job.status != "COMPLETED":
                yield f"job {job.id} ended {job.status}: {job.last_error}"
            elif written.count(job.id) != 1:
                yield f"job {job.id} was counted {written.count(job.id)} times"
            if len(self.attempts[job.id]) != job.attempts:
                yield f"job {job.id} has {job.attempts} attempts and {len(self.attempts[job.id])} rows of them"
        if not self.was_running:
            yield "no job was running when the worker was killed"
        for job_id in self.was_running:
            error = self.attempts[job_id][0].error
            if error is None or "worker died" not in error:
                yield f"job {job_id} ran when the worker was killed, but its first attempt says {error!r}"

    def _broken_problems(self, job: BackgroundJob) -> Iterator[str]:
        if job.status != "FAILED" or job.attempts != job.max_attempts:
            yield f"{BROKEN} ended {job.status} after {job.attempts} attempts"
        if "SyntaxError" not in (job.last_error or ""):
            yield f"{BROKEN} ended with {job.last_error!r}, which is not the expected reason"
