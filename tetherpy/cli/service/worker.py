"""``tetherpy worker``."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from tetherpy.database import redacted
from tetherpy.service import CallbackNameError, run_worker

from ..output.formats import remark
from ..parameters.options import DatabaseOption
from .worker_options import ReloadOption, WorkerPlan, with_worker_options


@with_worker_options
def run_in_foreground(
    *,
    reload: ReloadOption = False,
    database: DatabaseOption = None,
    **options: Any,
) -> int:
    """Run jobs in the foreground, until a signal.

    SIGTERM or Ctrl-C once: finish running jobs within 30 seconds; twice: release them now.
    """
    # Without an event loop and threads: the workers are forks of this process.
    plan = WorkerPlan.of(database, **options)
    plan.enter_folder()
    package = plan.callback.partition(":")[0].partition(".")[0]
    if package.isidentifier() and find_spec(package) is None:
        # The worker would report this with a traceback; this check runs no code of the app.
        raise CallbackNameError(plan.callback, f"there is no module {package!r} in {plan.folder}")
    remark(f"Running the jobs of {redacted(plan.database)}. Press Ctrl-C to finish running jobs and stop.")
    return run_worker(plan.database, plan.callback, **plan.options, reload=reload)
