"""The reference page lists every command, argument and option with its help."""

import re

from tests.unit.cli.reference import BEGIN, END, PAGE, commands, written
from tetherpy.cli.app import COMMANDS
from tetherpy.cli.root import root


def test_the_page_is_up_to_date():
    _, _, rest = PAGE.read_text().partition(BEGIN)
    listed, _, _ = rest.partition(END)
    assert listed.strip() == written().strip(), "update the page: python tests/unit/cli/reference.py"


def test_every_command_with_json_output_has_a_documented_schema():
    offered = {
        name.removeprefix("tetherpy ")
        for name, command in commands(root(COMMANDS))
        if any("--json" in parameter.opts for parameter in command.params)
    }
    origins = re.findall(r"^From (.+)$", PAGE.read_text(), re.MULTILINE)
    assert {name for origin in origins for name in re.findall("`([a-z ]+)`", origin)} == offered
