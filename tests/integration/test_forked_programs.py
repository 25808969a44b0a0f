"""Programs that tests start are forks of an interpreter, and behave as if they had started one."""

import subprocess
import sys

import pytest

INNER = "import os, sys; print(os.getppid(), flush=True); sys.exit(7)"
OUTER = f"""
import os, subprocess, sys
print(os.getpid(), flush=True)
sys.exit(subprocess.Popen([sys.executable, "-c", {INNER!r}]).wait() + 1)
"""


def run(script):
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)


def test_a_program_of_a_program_is_its_child():
    done = run(OUTER)
    parent, seen = done.stdout.split()
    assert (parent, done.returncode, done.stderr) == (seen, 8, "")


@pytest.mark.parametrize(
    ("script", "code", "output", "errors"),
    [
        ("import atexit; atexit.register(print, 'end'); print('work')", 0, "work\nend\n", ""),
        ("class Item:\n    def __del__(self): print('freed')\nitem = Item(); item.cycle = item", 0, "freed\n", ""),
        ("import threading, time; threading.Thread(target=lambda: (time.sleep(0.1), print(1))).start()", 0, "1\n", ""),
        ("import sys; sys.exit(3)", 3, "", ""),
        ("import sys; sys.exit('why')", 1, "", "why\n"),
        ("raise KeyboardInterrupt", -2, "", "Traceback*KeyboardInterrupt\n"),
        ("1 / 0", 1, "", "Traceback*ZeroDivisionError: division by zero\n"),
        ("import os; os.dup2(os.open('/dev/full', os.O_WRONLY), 1); print('lost')", (1, 120), "", "*No space left*"),
    ],
)
def test_a_program_ends_as_in_an_interpreter(script, code, output, errors):
    done = run(script)
    assert done.returncode in (code if isinstance(code, tuple) else (code,))
    assert done.stdout == output
    start, _, end = errors.partition("*")
    assert done.stderr.startswith(start)
    assert end.strip("*") in done.stderr
