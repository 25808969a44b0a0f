"""What the operating system offers for workers."""

from __future__ import annotations

import importlib.util
import os
import socket
import sys

FILE_LOCKS: bool = importlib.util.find_spec("fcntl") is not None
"""Whether a lock on a file shows that a process lives. Without, the jobs of a dead worker wait for their lease."""
WORKER_PROCESSES: bool = sys.platform != "win32" and FILE_LOCKS and hasattr(os, "fork") and hasattr(socket, "AF_UNIX")
"""Whether workers can have their own processes. Without, they run in the process of the app."""
