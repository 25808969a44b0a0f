"""The page about job states shows the transition table of the code, and every outcome."""

import re
from pathlib import Path

from tetherpy.jobs import BackgroundJobStatus, state_diagram

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "job-states.md").read_text()


def test_the_diagram_shows_the_transition_table():
    (drawn,) = re.findall(r"```mermaid\n(.*?)```", PAGE, re.DOTALL)
    assert drawn == state_diagram()


def test_every_status_is_explained():
    explained = re.findall(r"^\| `([A-Z]+)` \|", PAGE, re.MULTILINE)
    assert explained == list(BackgroundJobStatus)
