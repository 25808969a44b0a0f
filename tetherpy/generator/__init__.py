"""From ``tether.yaml`` to the providers of an app, and from nothing to an app that runs.

``read_settings`` reads the file, ``providers_package`` writes the sources that follow from it, ``Plan`` compares
them with what is there and puts them in place.
"""

from .errors import (
    FilesDifferError,
    FilesEditedError,
    FilesExistError,
    GeneratorError,
    ModuleHiddenError,
    NothingToGenerateError,
    SettingsError,
    SettingsMissingError,
    SettingValueError,
)
from .plan import Change, ChangeKind, Plan
from .providers_code import providers_package
from .settings import BackgroundServices, JobDeclaration, Settings
from .settings_reader import SETTINGS_FILE, read_settings
from .starter import create_starter

__all__ = [
    "SETTINGS_FILE",
    "BackgroundServices",
    "Change",
    "ChangeKind",
    "FilesDifferError",
    "FilesEditedError",
    "FilesExistError",
    "GeneratorError",
    "JobDeclaration",
    "ModuleHiddenError",
    "NothingToGenerateError",
    "Plan",
    "SettingValueError",
    "Settings",
    "SettingsError",
    "SettingsMissingError",
    "create_starter",
    "providers_package",
    "read_settings",
]
