"""The worker side: the code that runs in the worker process."""

import asyncio
from pathlib import Path

from tetherpy import Backoff, JobDefinition, Migration, ServiceInstance, SqlDatabase

from .analysis import AnalysePackage, PackageReport, SourceFetcher, source_fetcher_provider, source_processor_provider

REPORTS = Migration(
    1,
    "package reports",
    "CREATE TABLE package_reports (job_id INTEGER NOT NULL, package TEXT NOT NULL, modules INTEGER NOT NULL, "
    "classes INTEGER NOT NULL, functions INTEGER NOT NULL, lines INTEGER NOT NULL)",
)
analyse_package = JobDefinition(
    "analyse_package",
    payload=AnalysePackage,
    result=PackageReport,
    retry=Backoff(initial=0.2),
)


def initialize(service: ServiceInstance) -> None:
    """Register the job; handlers get the service's database connection."""
    service.register_jobs(analyse_package)


@analyse_package.handler
async def count_lines(service: ServiceInstance, payload: AnalysePackage, db: SqlDatabase) -> PackageReport:
    """Count modules, classes, functions and lines of a package, in a provider container of this job."""
    report = PackageReport(payload.package)
    fetcher = source_fetcher_provider.override_with_value(SourceFetcher(db))
    async with service.job_container(overrides=[fetcher]) as container:
        files = container.read(source_fetcher_provider).files(Path(payload.folder))
        service.set_foreground_notification_info(title=f"Analysing {payload.package}", content=f"{len(files)} files")
        for done, report in enumerate(container.read(source_processor_provider).reports(payload.package, files), 1):
            service.report_progress(done / len(files), f"{report.lines:,} lines")
            await asyncio.sleep(0)  # let other jobs and the heartbeat run
    async with db.transaction() as tx:
        # The row and the job's completion are one commit: a crash leaves both or neither.
        await tx.execute(
            "INSERT INTO package_reports VALUES (?, ?, ?, ?, ?, ?)",
            (service.job.id, report.package, report.modules, report.classes, report.functions, report.lines),
        )
        await service.complete(report, transaction=tx)
    return report
