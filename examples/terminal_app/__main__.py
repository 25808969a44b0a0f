"""``python -m examples.terminal_app``: the jobs of ``TETHERPY_DATABASE``, or of ``app.db`` in the checkout."""

from .app import TerminalApp

if __name__ == "__main__":
    TerminalApp().run()
