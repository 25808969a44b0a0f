"""``python -m examples.terminal_app``: the jobs of ``app.db`` in the current folder."""

from .app import TerminalApp

if __name__ == "__main__":
    TerminalApp().run()
