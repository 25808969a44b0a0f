"""A Python interpreter that has imported tetherpy, and forks a copy for each program that a test starts.

``tests/forked_interpreters.py`` runs it as ``python [OPTIONS] tests/fork_server.py LISTENER ALIVE PADDING``. A copy
runs its program as ``python [OPTIONS]`` would: from a new ``__main__`` module to the end of the interpreter.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import fcntl
import gc
import importlib
import importlib.util
import io
import marshal
import os
import runpy
import select
import signal
import socket
import sys
import termios
import threading
import time
import types
from collections.abc import Sequence
from pathlib import Path

import attrs

PRELOADED = (
    "tetherpy.cli.app",
    "tetherpy.cli.jobs.group",
    "tetherpy.cli.service.group",
    "tetherpy.database.postgres",
    "tetherpy.durable",
    "tetherpy.generator",
    "tetherpy.jobs.postgres",
    "tetherpy.service.supervisor.entry_points",
    "jinja2",
    "psycopg_pool",
    "rich.live",
    "rich.progress",
    "rich.table",
    "typer.main",
    "uvicorn",
)
"""What the programs of tests import. None of it may start a thread, because a fork has none of them."""

PR_SET_PDEATHSIG = 1


@attrs.frozen
class Program:
    """A program to run, and the state that a new process takes over from its parent."""

    arguments: list[str]
    """The command line without the interpreter and its options: ``-m``, ``-c`` or a script, and what follows."""
    command_line: list[bytes]
    environment: dict[bytes, bytes]
    folder: str | bytes
    umask: int
    new_session: bool
    process_group: int
    controls_terminal: bool
    blocked: list[int]
    ignored: list[int]
    places: list[int]
    """The numbers of the descriptors in the new process, beginning with the standard streams."""


def serve(listener: socket.socket, alive: int) -> tuple[Program, list[int]]:
    """Fork a copy for each request, and return the request and its descriptors in the copy.

    The first descriptor delays the program: its other end is closed when the parent is ready. Exits when the process
    that started this interpreter has ended.
    """
    while True:
        if alive in select.select([listener, alive], [], [])[0]:
            os._exit(0)
        connection, _ = listener.accept()
        message, descriptors, _, _ = socket.recv_fds(connection, 1 << 20, 64)
        if message and (pid := fork_grandchild()) is None:
            connection.detach()
            listener.detach()
            return Program(**marshal.loads(message)), list(descriptors)
        # Closed before the answer: a lock of the parent or the end of its pipe must not live on here.
        for descriptor in descriptors:
            os.close(descriptor)
        if message:
            connection.send(str(pid).encode())
        connection.close()


def serve_tree(listener: socket.socket, alive: int) -> tuple[Program, list[int], bytes]:
    """Serve until this is a copy, and return its request, its descriptors, and the address of its own server.

    Only a descendant of a program can fork children for it. So each copy forks a server before its program starts.
    """
    libc = ctypes.CDLL(None)
    while True:
        program, descriptors = serve(listener, alive)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind("")  # the kernel chooses an address
        listener.listen(128)
        pid = os.getpid()
        closed, closing = os.pipe()
        if os.fork():
            os.close(closing)
            os.read(closed, 1)  # until the server has closed the descriptors of the program
            os.close(closed)
            return program, descriptors, listener.getsockname()
        os.close(closed)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != pid:
            os._exit(0)
        for descriptor in (*descriptors, closing):
            os.close(descriptor)


def fork_grandchild() -> int | None:
    """Fork a child of a child that ends, so that the requesting process becomes its parent. Return None in it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        grandchild = os.fork()
        if grandchild == 0:
            return None
        os.write(writing, str(grandchild).encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    pid = int(os.read(reading, 32))
    os.close(reading)
    return pid


def take_over(program: Program, descriptors: list[int]) -> None:
    """Take over descriptors, session, folder, signals, environment and command line, as ``exec`` would."""
    take_descriptors(program.places, descriptors)
    if program.new_session:
        os.setsid()
    if program.process_group >= 0:
        os.setpgid(0, program.process_group)
    if program.controls_terminal:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.chdir(program.folder)
    if program.umask >= 0:
        os.umask(program.umask)
    for number in program.ignored:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, program.blocked)
    os.environ.clear()
    os.environb.update(program.environment)
    time.tzset()
    show_command_line(program.command_line)


def take_descriptors(places: Sequence[int], descriptors: Sequence[int]) -> None:
    lowest = max(places) + 1
    ready, *sources = [fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, lowest) for descriptor in descriptors]
    os.read(ready, 1)
    for source, place in zip(sources, places, strict=True):
        os.dup2(source, place)
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in places:
            with contextlib.suppress(OSError):  # the descriptor of the listing is closed already
                os.close(int(name))


def show_command_line(command_line: Sequence[bytes]) -> None:
    """Have ``ps`` show the command line of the program; the padding in our own makes room for it."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    begin, end = int(fields[45]), int(fields[46])
    ctypes.memmove(begin, b"\0".join([*command_line, b""]).ljust(end - begin, b"\0"), end - begin)


def open_streams() -> None:
    """Open the standard streams on the new descriptors, as the interpreter does at its start."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        old = getattr(sys, name)
        raw = io.FileIO(number, mode, closefd=False)
        raw.name = f"<{name}>"
        line_buffering = name == "stderr" or os.isatty(number)
        buffer = raw if old.write_through else io.BufferedReader(raw) if mode == "r" else io.BufferedWriter(raw)
        stream = io.TextIOWrapper(buffer, old.encoding, old.errors, "\n", line_buffering, old.write_through)
        stream.mode = mode
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def run(arguments: list[str], path: list[str]) -> None:
    """Run the program in a new ``__main__`` module."""
    kind, *rest = arguments
    main = types.ModuleType("__main__")
    vars(main)["__builtins__"] = __builtins__
    sys.modules["__main__"] = main
    importlib.invalidate_caches()
    if kind == "-m":
        first = os.getcwd()
        sys.argv[:] = ["-m", *rest[1:]]
    elif kind == "-c":
        first = ""
        sys.argv[:] = ["-c", *rest[1:]]
    else:
        first = str(Path(kind).resolve().parent)
        sys.argv[:] = arguments
    environment = [os.path.abspath(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    sys.path[:] = [*([] if sys.flags.safe_path else [first]), *dict.fromkeys([*environment, *path])]
    if kind == "-m":
        runpy._run_module_as_main(rest[0])
    elif kind == "-c":
        exec(compile(rest[0], "<string>", "exec"), vars(main))
    else:
        vars(main)["__file__"] = kind
        exec(compile(Path(kind).read_bytes(), kind, "exec"), vars(main))


def leave(code: object) -> None:
    """End a program as an interpreter would, but keep the modules: freeing them copies most of the shared memory.

    Returns if there is more to do than to free modules: threads that run, an output that fails, an exit message.
    """
    if sys.flags.dev_mode or threading.active_count() > 1 or not isinstance(code, int | None):
        return
    atexit._run_exitfuncs()
    vars(sys.modules["__main__"]).clear()
    gc.collect()
    with contextlib.suppress(OSError, ValueError):  # otherwise the interpreter reports the error
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
        os._exit((code or 0) & 0xFF)


def report(kind, error, trace):
    """Report an error of the program without the frames of this module, which come first."""
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    sys.__excepthook__(kind, error.with_traceback(trace), trace)


def load_starter() -> types.ModuleType:
    """Load the module that starts programs as forks, so that programs start theirs as forks too."""
    place = Path(__file__).with_name("forked_interpreters.py")
    spec = importlib.util.spec_from_file_location("tests.forked_interpreters", place)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    path = sys.path[:] if sys.flags.safe_path else sys.path[1:]
    listener, alive = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])
    for module in PRELOADED:
        importlib.import_module(module)
    starter = load_starter()
    options = starter.options_of(sys.orig_argv)[0]
    gc.collect()
    gc.freeze()
    program, descriptors, address = serve_tree(listener, alive)
    take_over(program, descriptors)
    open_streams()
    sys.excepthook = report
    starter.install(starter.ForkServer(address, options))
    code: object = None
    try:
        run(program.arguments, path)
    except SystemExit as ended:
        code = ended.code
    leave(code)
    sys.exit(code)
