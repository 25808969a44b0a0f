"""The configuration of ``logging`` in a worker process."""

from __future__ import annotations

import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager

from ..protocol.settings import WorkerConfig
from .formats import formatter_of
from .printed_output import replace_standard_streams
from .records import job_records


@contextmanager
def worker_logging(config: WorkerConfig) -> Generator[None]:
    """Log to stderr in the format of the service, unless the app configures ``logging``.

    The handler is that of last resort, which applies while the root logger has none. So ``basicConfig`` and
    ``dictConfig`` in the initialization callback work as in any other process.
    """
    root = logging.getLogger()
    if not root.handlers:
        root.setLevel(config.log_level)
    replace_standard_streams(config.log_format)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter_of(config.log_format))
    logging.lastResort = handler
    with job_records():
        yield
