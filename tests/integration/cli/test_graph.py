"""``tetherpy graph`` as a process: with a closed pipe, and on a terminal."""

import pytest

APP = """
from tetherpy import Provider, ProviderContainer

numbers = Provider.family(lambda ref, number: number)

def make():
    container = ProviderContainer()
    for number in range(20_000):
        container.read(numbers(number))
    return container

def small():
    container = ProviderContainer()
    container.read(numbers(1))
    return container
"""


@pytest.fixture
def app(shell):
    (shell.folder / "app.py").write_text(APP)


def test_a_closed_pipe_is_not_an_error(shell, app):
    ran = shell.pipeline("tetherpy graph app:make | head -n 1")
    assert (ran.code, ran.err) == (0, "")
    assert ran.lines == ["<lambda>(0)\tProvider\tCLEAN\t0\t\t0\tits first read"]


def test_a_terminal_gets_paragraphs(shell, app):
    with shell.terminal("graph", "app:small") as terminal:
        assert terminal.end() == 0
        assert terminal.shown.splitlines() == [
            "<lambda>(1) (Provider) = 1",
            "  CLEAN; 0 listeners; built after its first read",
        ]
