"""Traces: facts that the processes of the campaign write as whole lines, so that no kill removes them."""

import json
import os
import time
from pathlib import Path

import attrs

FOLDER_VARIABLE = "TETHERPY_CRASH_FOLDER"
STATE_VARIABLE = "XDG_STATE_HOME"
"""Names the state folder of the machine that a process runs on."""
BY_ITS_JOB = "by its job"


@attrs.frozen
class Traces:
    """Append facts to files that all processes share; ``t`` is the machine's monotonic clock."""

    folder: Path

    @classmethod
    def inherited(cls):
        """Return the traces of the campaign that started this process."""
        return cls(Path(os.environ[FOLDER_VARIABLE]))

    @property
    def plan(self):
        return json.loads((self.folder / "plan.json").read_text())

    @property
    def database(self):
        """The address of the database: of a server if the plan names one, else a file in the folder."""
        return self.plan.get("server") or self.folder / "app.db"

    @property
    def seed(self):
        return self.plan["seed"]

    def machine(self, number):
        """Return the state folder of one machine; with SQLite the service folder is next to the file."""
        return self.folder / f"machine-{number}"

    def note(self, name, **facts):
        """Append one fact and return the end of the file: no two processes get the same."""
        line = json.dumps({"t": time.monotonic(), "pid": os.getpid(), **facts}) + "\n"
        file = os.open(self._path(name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            # One write, so that the line is complete or missing.
            os.write(file, line.encode())
            return os.lseek(file, 0, os.SEEK_CUR)
        finally:
            os.close(file)

    def read(self, name):
        """Return the recorded facts, oldest first."""
        path = self._path(name)
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def count(self, name):
        path = self._path(name)
        return path.read_bytes().count(b"\n") if path.exists() else 0

    def count_kills(self):
        """Count the random kills; jobs that kill their worker are scripted."""
        return sum(kill["kind"] != BY_ITS_JOB for kill in self.read("kills"))

    @property
    def calm(self):
        """Tell whether the kills have ended."""
        return (self.folder / "calm").exists()

    def calm_down(self):
        (self.folder / "calm").touch()

    def _path(self, name):
        return self.folder / f"{name}.jsonl"
