"""Commands whose stdout is closed, on a full disk, or a pipe without a reader."""

import os
import sys

import pytest

PRINTING = [
    "--help",
    "--version",
    "jobs",
    "jobs list --help",
    "init new --json",
    "generate --config app/tether.yaml",
    "migrate",
    "jobs list",
    "jobs list --json",
    "jobs show 1",
    "jobs stats",
    "jobs watch 1",
    "jobs enqueue greet",
    "jobs cancel 2",
    "jobs retry 1",
    "jobs delete 1",
    "doctor",
    "graph drawn",
    "graph drawn:make --format svg",
    "graph drawn:make --json",
    "service install --print --callback shop:initialize",
]


@pytest.fixture
def prepared(command, drawn):
    """Return the program, in a folder where every command prints something."""
    for typed in ("init app", "jobs enqueue greet", "jobs enqueue greet", "jobs cancel 1"):
        assert command(*typed.split()).code == 0
    return command


def closed():
    """Return the object that Python uses for a closed standard stream."""


def full():
    return open("/dev/full", "w")


def abandoned():
    reading, writing = os.pipe()
    os.close(reading)
    return open(writing, "w")


@pytest.mark.parametrize(
    ("stdout", "code", "told"),
    [
        (closed, 1, "error: stdout: Bad file descriptor\n"),
        (full, 1, "error: stdout: No space left on device\n"),
        (abandoned, 0, ""),
    ],
)
def test_a_command_whose_output_failed_does_not_exit_with_success(prepared, monkeypatch, stdout, code, told):
    for typed in PRINTING:
        monkeypatch.setattr(sys, "stdout", stdout())
        ran = prepared(*typed.split())
        sys.stdout.close()
        assert (ran.code, ran.err) == (code, told), typed
