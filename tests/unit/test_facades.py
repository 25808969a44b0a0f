import pydoc
import subprocess
import sys

import pytest

import tetherpy
import tetherpy.durable
from tests.laws.imports import LIBRARY

FACADES = sorted(path for path in LIBRARY.rglob("__init__.py") if "__getattr__" in path.read_text())
DOCUMENTED = LIBRARY.parent / "docs" / "reference" / "api"
FACADES.remove(LIBRARY / "database" / "__init__.py")  # it also reports a driver that is not installed


@pytest.mark.parametrize("path", FACADES, ids=lambda path: path.parent.name)
def test_every_lazy_facade_uses_the_shared_function(path):
    assert "__getattr__, __dir__ = lazy_facade(" in path.read_text()


@pytest.mark.new_interpreter
def test_a_name_is_imported_once_at_its_first_use():
    code = (
        "import sys, tetherpy.testing as facade\n"
        "assert 'tetherpy.testing.clock' not in sys.modules and 'Clock' not in vars(facade)\n"
        "from tetherpy.testing import Clock\n"
        "assert vars(facade)['Clock'] is Clock is sys.modules['tetherpy.testing.clock'].Clock\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_name_is_an_attribute_error_with_the_package_name():
    with pytest.raises(AttributeError, match=r"module 'tetherpy' has no attribute 'Providr'"):
        _ = tetherpy.Providr


def test_help_describes_the_names_of_a_lazy_facade():
    described = pydoc.plain(pydoc.render_doc(tetherpy.durable))
    assert all(name in described for name in tetherpy.durable.__all__)


@pytest.mark.new_interpreter
def test_ipython_completes_the_names_of_every_documented_facade():
    packages = sorted(page.stem for page in DOCUMENTED.glob("tetherpy*.md"))
    code = f"""
import importlib
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell()
for package in {packages}:
    public = set(importlib.import_module(package).__all__)
    shell.user_ns["tetherpy"] = importlib.import_module("tetherpy")
    for text in (f"{{package}}.", f"from {{package}} import "):
        with provisionalcompleter():
            offered = {{each.text.lstrip(".") for each in shell.Completer.completions(text, len(text))}}
        assert public <= offered, (text, sorted(public - offered)[:5])
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
