"""The entry point of a supervisor: ``python -m tetherpy.service DATABASE LOCK SOCKET [APP_PIPE]``.

``BackgroundService.start`` runs it, passes the descriptors on, and writes the configuration to standard input. To
start a worker manually, use ``run_worker``. The database is an argument only to be visible in the list of processes.
"""

from __future__ import annotations

import gc
import os
import sys


def main(arguments: list[str]) -> None:
    """Fork the supervisor and exit, so that the app does not have to reap it."""
    if os.fork():
        os._exit(0)
    # Imported modules are never garbage, and collecting during the imports takes a tenth of the start time.
    gc.disable()
    from .supervisor.entry_points import serve_launched

    _, *descriptors = arguments
    sys.exit(serve_launched(*(int(descriptor) for descriptor in descriptors)))


if __name__ == "__main__":
    main(sys.argv[1:])
