"""The supervisor's entry: ``python -m tetherpy.service DATABASE LOCK SOCKET [APP_PIPE]``.

For ``BackgroundService.start``, which hands over the descriptors, and the configuration on standard input;
people use ``run_worker``. The database is named for whoever looks at the list of processes.
"""

from __future__ import annotations

import gc
import os
import sys


def main(arguments: list[str]) -> None:
    """Fork the supervisor and end, so that whoever started this need not wait for it."""
    if os.fork():
        os._exit(0)
    # What is imported stays, and looking for garbage in it meanwhile takes a tenth of the start.
    gc.disable()
    from .supervisor.entry_points import serve_launched

    _, *descriptors = arguments
    sys.exit(serve_launched(*(int(descriptor) for descriptor in descriptors)))


if __name__ == "__main__":
    main(sys.argv[1:])
