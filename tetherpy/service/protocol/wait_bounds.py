"""Bounds on waits for other processes, in seconds."""

ANSWER_SECONDS = 5.0
"""A supervisor greets a connection within this time, or it stands still."""
SEND_SECONDS = 10.0
"""A message is read within this time; longer while a worker blocks its loop or the supervisor stands still."""
FINISH_SECONDS = 3.0
"""The other side answers the end of a connection within this time."""
STALLED_SECONDS = 5.0
"""An app that reads nothing for this long while messages wait for it loses its connection."""
HANDLER_GRACE_SECONDS = 2.0
"""A handler that was asked to end may take this long, before its outcome is decided without it."""
STUCK_SECONDS = 5.0
"""Handlers that ignore their end may hold all slots for this long; then the worker ends and a successor works."""
EXIT_SECONDS = 2.0
"""Exit handlers of a worker may take this long."""
KILL_GRACE_SECONDS = HANDLER_GRACE_SECONDS + EXIT_SECONDS + 1.0
"""A worker that was told to end at once is killed after this time."""
FAREWELL_SECONDS = 2.0
"""A supervisor waits this long for apps to read its last status."""
STOP_MARGIN_SECONDS = 5.0
"""A supervisor has ended this long after its workers."""
SIGNAL_STOP_SECONDS = 30.0
"""Jobs may take this long to finish when a signal or the loss of its files ends a service."""
LOCK_RELEASE_SECONDS = 5.0
"""A killed group has dropped its lock within this time."""
