"""A worker whose supervisor sends an invalid frame: it logs an error and ends."""

import asyncio
import socket
import sys
from contextlib import closing

import pytest

WORKER = """
import sys
from socket import socket
from tetherpy.service.protocol.settings import WorkerConfig
from tetherpy.service.supervisor.child_process import WorkerSockets
from tetherpy.service.worker.worker_process import work

control, events = (socket(fileno=int(number)) for number in sys.argv[2:])
sys.exit(work(WorkerConfig(database=sys.argv[1], callback="builtins:id"), WorkerSockets(control, events)))
"""
LINES = [b"[" * 100_000, b'{"type":"event","name":"e","data":1e400}', b'{"type":"event","name":"e","data":"\xff"}']


@pytest.mark.parametrize("line", ["control", "events"])
@pytest.mark.parametrize("text", LINES, ids=["deep", "too large", "not UTF-8"])
async def test_a_worker_that_receives_an_invalid_frame_logs_it_and_exits(tmp_path, line, text):
    ours, theirs = zip(socket.socketpair(), socket.socketpair(), strict=True)
    numbers = [end.fileno() for end in theirs]
    arguments = ["-c", WORKER, str(tmp_path / "app.db"), *map(str, numbers)]
    with closing(ours[0]), closing(ours[1]):
        worker = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, pass_fds=numbers, stderr=asyncio.subprocess.PIPE
        )
        for end in theirs:
            end.close()
        await asyncio.to_thread(ours[0].recv, 1 << 16)  # it is ready
        ours[("control", "events").index(line)].sendall(text + b"\n")
        async with asyncio.timeout(25):
            _, said = await worker.communicate()
    assert worker.returncode == 0
    assert b"cannot read from its supervisor and ends" in said
