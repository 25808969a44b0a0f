"""Shell completion of commands, options and values."""

import pytest


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("tetherpy serv", ["service"]),
        ("tetherpy jobs re", ["retry"]),
        ("tetherpy jobs list --status C", ["COMPLETED", "CANCELLED"]),
        ("tetherpy jobs list --off", ["--offset"]),
    ],
)
def test_bash_completes_commands_options_and_values(shell, typed, offered):
    words = typed.split(" ")
    environment = {"COMP_WORDS": typed, "COMP_CWORD": str(len(words) - 1), "_TETHERPY_COMPLETE": "complete_bash"}
    ran = shell(**environment)
    assert (ran.lines, ran.err) == (offered, ""), ran
