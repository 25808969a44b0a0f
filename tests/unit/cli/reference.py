"""The commands section of the reference page. ``python tests/unit/cli/reference.py`` generates it from the commands."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "reference" / "command-line.md"
BEGIN, END = "<!-- commands -->\n", "<!-- end of commands -->\n"


def commands(group, path="tetherpy"):
    """Yield every command, loaded, with its full name."""
    for name, stand_in in group.commands.items():
        command = stand_in.load()
        if hasattr(command, "commands"):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def section(name, command):
    """Return the Markdown of a command: its help, arguments and options."""
    text = "\n".join(" ".join(part.split()) + "\n" for part in command.help.strip().split("\n\n"))
    rows = [f"| {spelling(parameter)} | {meaning(parameter)} |" for parameter in command.params]
    table = ["| | |", "| --- | --- |", *rows] if rows else []
    return "\n".join([f"### `{name}`\n", text, *table]).rstrip() + "\n"


def spelling(parameter):
    if parameter.param_type_name == "argument":
        return f"`{parameter.metavar or parameter.name.upper()}`"
    value = "" if parameter.is_flag else f" {parameter.metavar or 'VALUE'}"
    return ", ".join(f"`{option}{value}`" for option in parameter.opts + parameter.secondary_opts).replace("|", "\\|")


def meaning(parameter):
    default = parameter.default
    has_default = default not in (None, False, [], ()) and not callable(default)
    shown = f" Default: `{getattr(default, 'value', default)}`." if has_default else ""
    return f"{parameter.help or ''}{shown}".strip()


def written():
    from tetherpy.cli.app import COMMANDS
    from tetherpy.cli.root import root

    return "\n".join(section(name, command) for name, command in commands(root(COMMANDS)))


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{written()}\n{END}{after}")
