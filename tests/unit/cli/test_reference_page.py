"""The reference names every command, argument and option there is, with their meanings."""

import re

from tests.unit.cli.reference import BEGIN, END, PAGE, commands, written
from tetherpy.cli.app import COMMANDS
from tetherpy.cli.root import root


def test_the_commands_are_written_as_they_are():
    _, _, rest = PAGE.read_text().partition(BEGIN)
    listed, _, _ = rest.partition(END)
    assert listed.strip() == written().strip(), "write them anew: python tests/unit/cli/reference.py"


def test_every_command_with_json_has_its_document():
    offered = {
        name.removeprefix("tetherpy ")
        for name, command in commands(root(COMMANDS))
        if any("--json" in parameter.opts for parameter in command.params)
    }
    origins = re.findall(r"^From (.+)$", PAGE.read_text(), re.MULTILINE)
    assert {name for origin in origins for name in re.findall("`([a-z ]+)`", origin)} == offered
