"""Which files of the app have changed since they were loaded."""

import importlib
import os
import sys

import pytest

from tetherpy.service.protocol import code_files as code
from tetherpy.service.protocol.code_files import MOST_NAMES, changed_files, code_files, record_imports


@pytest.fixture
def recorded(monkeypatch):
    monkeypatch.setattr(code.SourceFileLoader, "path_stats", code.SourceFileLoader.path_stats)
    record_imports()


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Return a function that writes and imports a module, and returns its path."""
    monkeypatch.syspath_prepend(str(tmp_path))
    names = []

    def load(text):
        names.append(f"code_of_a_test_{len(names)}")
        path = tmp_path / f"{names[-1]}.py"
        path.write_text(text)
        importlib.import_module(names[-1])
        return str(path)

    yield load
    for name in names:
        del sys.modules[name]


def test_only_files_of_the_app_are_compared(module):
    path = module("")
    loaded = code_files()
    assert loaded[path] == os.stat(path).st_mtime
    assert not any(path.startswith((os.path.dirname(pytest.__file__), os.path.dirname(os.__file__))) for path in loaded)
    assert os.path.abspath(code.__file__) not in loaded


def test_a_change_is_noticed_and_a_deletion_is_not(module):
    paths = [module(""), module("")]
    loaded = {path: modified for path, modified in code_files().items() if path in paths}
    assert changed_files([loaded]) == ()
    os.utime(paths[0], (1, 1))
    os.unlink(paths[1])
    assert changed_files([loaded, {}]) == (paths[0],)


def test_a_change_during_the_import_is_noticed(recorded, module):
    path = module("import os\nos.utime(__file__, (1, 1))")
    assert changed_files([code_files()]) == (path,)


def test_a_bounded_number_of_files_is_named(tmp_path):
    loaded = {str(tmp_path / str(number)): 1.0 for number in range(100)}
    for path in loaded:
        open(path, "w").close()
    assert len(changed_files([loaded])) == MOST_NAMES
