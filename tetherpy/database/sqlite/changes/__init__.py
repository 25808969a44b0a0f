"""Detect commits of any process: change signal file, watchers, live queries.

A commit writes the change signal file (``change_signal``). A watcher (``watcher_choice`` picks the kind) wakes the
``change_feed``, which reads the versions of the tables (``table_versions``) and reports the tables that changed.
"""

__all__: list[str] = []
