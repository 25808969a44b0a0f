"""The page about job states draws the table that the code obeys, and names every outcome there is."""

import re
from pathlib import Path

from tetherpy.jobs import BackgroundJobStatus, state_diagram

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "job-states.md").read_text()


def test_the_diagram_is_drawn_from_the_table_of_legal_moves():
    (drawn,) = re.findall(r"```mermaid\n(.*?)```", PAGE, re.DOTALL)
    assert drawn == state_diagram()


def test_every_status_is_explained():
    explained = re.findall(r"^\| `([A-Z]+)` \|", PAGE, re.MULTILINE)
    assert explained == list(BackgroundJobStatus)
