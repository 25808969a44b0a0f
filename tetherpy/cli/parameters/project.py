"""The app that the working folder belongs to: whatever a ``tether.yaml`` says about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from tetherpy.generator import BackgroundServices


@attrs.frozen
class Project:
    """One app: its folder, and what its ``tether.yaml`` says about its jobs."""

    folder: Path
    service: BackgroundServices

    @property
    def database(self) -> str:
        """Return the database's path, or URL; a relative path begins at the ``tether.yaml``."""
        named = self.service.database_path
        return named if "://" in named else str(self.folder / named)


def find_project() -> Project | None:
    """Return the app of the nearest ``tether.yaml``, from the working folder upwards; None if there is none.

    Raises ``SettingsError`` if it says what cannot be followed.
    """
    # Whoever names the database needs no reader of YAML.
    from tetherpy.generator import SETTINGS_FILE, read_settings

    here = Path.cwd()
    for folder in (here, *here.parents):
        path = folder / SETTINGS_FILE
        if path.is_file():
            return Project(folder, read_settings(path).background_services)
    return None
