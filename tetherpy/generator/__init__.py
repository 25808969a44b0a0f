"""Generate the providers of an app from ``tether.yaml``, and starter apps.

``read_settings`` reads the file, ``providers_package`` renders the sources, and ``Plan`` compares them with the files
on disk and writes them.
"""

from tetherpy.facades import facade_dir

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

__dir__ = facade_dir(__all__)
