import pydoc
import re
import subprocess
import sys
from importlib import import_module

import pytest

import tetherpy
from tests.laws.imports import LIBRARY

FACADES = sorted(path for path in LIBRARY.rglob("__init__.py") if "__getattr__" in path.read_text())
DOCUMENTED = sorted(page.stem for page in (LIBRARY.parent / "docs" / "reference" / "api").glob("tetherpy*.md"))
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


@pytest.mark.parametrize("package", DOCUMENTED)
def test_help_describes_every_name_of_a_facade(package):
    facade = import_module(package)
    described = pydoc.plain(pydoc.render_doc(facade))
    entries = set(re.findall(r"^    (?:class |async )?(\w+)(?= = |\(|$)", described, re.MULTILINE))
    assert set(facade.__all__) <= entries


@pytest.mark.new_interpreter
def test_ipython_completes_the_names_of_every_documented_facade():
    code = f"""
import importlib
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell()
for package in {DOCUMENTED}:
    public = set(importlib.import_module(package).__all__)
    shell.user_ns["tetherpy"] = importlib.import_module("tetherpy")
    for text in (f"{{package}}.", f"from {{package}} import "):
        with provisionalcompleter():
            offered = {{each.text.lstrip(".") for each in shell.Completer.completions(text, len(text))}}
        assert public <= offered, (text, sorted(public - offered)[:5])
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
