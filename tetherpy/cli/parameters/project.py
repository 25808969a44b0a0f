"""The app of the working folder, by its ``tether.yaml``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from tetherpy.generator import BackgroundServices


@attrs.frozen
class Project:
    """One app: its folder, and the job settings of its ``tether.yaml``."""

    folder: Path
    service: BackgroundServices

    @property
    def database(self) -> str:
        """Return the path or URL of the database; a relative path is relative to the ``tether.yaml``."""
        named = self.service.database_path
        return str(self.folder / named) if self.service.path_is_relative else named


def find_project() -> Project | None:
    """Return the app of the nearest ``tether.yaml``, from the working folder upwards; None if there is none.

    Raises ``SettingsError`` for invalid settings.
    """
    # Imported here: commands with --database do not need the YAML parser.
    from tetherpy.generator import SETTINGS_FILE, read_settings

    here = Path.cwd()
    for folder in (here, *here.parents):
        path = folder / SETTINGS_FILE
        if path.is_file():
            return Project(folder, read_settings(path).background_services)
    return None
