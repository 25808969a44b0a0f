import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap

import pytest


class Child:
    """A Python process that runs a script and communicates in lines."""

    def __init__(self, script, *args):
        self.process = subprocess.Popen(
            [sys.executable, "-X", "dev", "-W", "error", "-c", textwrap.dedent(script), *map(str, args)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    async def line(self):
        async with asyncio.timeout(25):
            line = await asyncio.to_thread(self.process.stdout.readline)
        if not line:
            pytest.fail(self.process.communicate(timeout=25)[1])
        return line.rstrip("\n")

    def tell(self, line):
        self.process.stdin.write(line + "\n")

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(20)

    async def end(self):
        output, errors = await asyncio.to_thread(self.process.communicate, timeout=25)
        assert self.process.returncode == 0, errors
        return output


@pytest.fixture
def child():
    children = []

    def start(script, *args):
        children.append(Child(script, *args))
        return children[-1]

    yield start
    for started in children:
        with contextlib.suppress(ProcessLookupError):
            started.process.kill()
        started.process.communicate(timeout=25)
