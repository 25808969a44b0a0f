"""Bounds on waits for other processes, in seconds."""

START_SECONDS = 30.0
"""How long the initialization callback may take, unless the app says otherwise."""
ANSWER_SECONDS = 5.0
"""A supervisor that does not send its status to a new connection within this time counts as suspended."""
SEND_SECONDS = 10.0
"""How long to wait until a message is read: longer while a worker blocks its loop or the supervisor is suspended."""
FINISH_SECONDS = 3.0
"""How long to wait until the other process closes its end of a connection."""
STALLED_SECONDS = 5.0
"""An app is disconnected if it reads nothing for this long while messages wait for it."""
HANDLER_GRACE_SECONDS = 2.0
"""How long a handler may take to end after it was asked to; then its outcome is decided without it."""
STUCK_SECONDS = 5.0
"""How long handlers that ignore cancellation may hold all slots; then the worker ends and is replaced."""
EXIT_SECONDS = 2.0
"""How long the exit handlers of a worker may take."""
KILL_GRACE_SECONDS = HANDLER_GRACE_SECONDS + EXIT_SECONDS + 1.0
"""A worker is killed this long after the request to end at once."""
FAREWELL_SECONDS = 2.0
"""How long a supervisor waits for apps to read its last status."""
STOP_MARGIN_SECONDS = 5.0
"""How long a supervisor may take to end after its workers."""
SIGNAL_STOP_SECONDS = 30.0
"""How long jobs may take to finish when a service ends because of a signal or lost files."""
LOCK_RELEASE_SECONDS = 5.0
"""How long to wait for the lock of a killed group."""
