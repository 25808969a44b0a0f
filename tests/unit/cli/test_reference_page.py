"""The reference names every command, argument and option there is, with their meanings."""

from tests.unit.cli.reference import BEGIN, END, PAGE, written


def test_the_commands_are_written_as_they_are():
    _, _, rest = PAGE.read_text().partition(BEGIN)
    commands, _, _ = rest.partition(END)
    assert commands.strip() == written().strip(), "write them anew: python tests/unit/cli/reference.py"
