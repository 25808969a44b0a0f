"""``.. facade:: tetherpy.jobs`` documents every name in ``__all__`` of a public package.

A name that several packages export is documented once, on the page of the package that defines it; the other
pages have tables with links. References in signatures name the module that defines a class; they are resolved to the
package that exports it, so pages do not depend on how a package is divided into modules.
"""

from __future__ import annotations

import inspect
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

PAGES = Path(__file__).parents[1] / "reference" / "api"
FACADES = sorted(page.stem for page in PAGES.glob("tetherpy*.md"))
SECTIONS = ("Classes", "Functions", "Constants and types", "Errors")


class Facade(SphinxDirective):
    """Document what a package exports, in four sections."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the sections that have members."""
        facade = import_module(self.arguments[0])
        sections: dict[str, list[str]] = {title: [] for title in SECTIONS}
        elsewhere: dict[str, list[str]] = {}
        for name in facade.__all__:
            home = home_of(facade.__name__, name)
            if home == facade.__name__:
                value = getattr(facade, name)
                sections[section_of(value)] += directive_for(facade.__name__, name, value)
            else:
                elsewhere.setdefault(home, []).append(name)
        result: list[nodes.Node] = []
        for home, names in sorted(elsewhere.items()):
            result += self.section(f"From {home}", table_of(home, names))
        for title, lines in sections.items():
            if lines:
                result += self.section(title, lines)
        return result

    def section(self, title: str, lines: list[str]) -> list[nodes.Node]:
        """Parse reStructuredText into a section."""
        section = nodes.section("", nodes.title(text=title), ids=[nodes.make_id(title)])
        self.state.nested_parse(StringList(lines, self.arguments[0]), 0, section, match_titles=True)
        return [section]


def section_of(value: Any) -> str:
    """Return the title under which a value belongs."""
    if inspect.isclass(value):
        return "Errors" if issubclass(value, BaseException) else "Classes"
    return "Functions" if inspect.isroutine(value) else "Constants and types"


def directive_for(facade: str, name: str, value: Any) -> list[str]:
    """Return the lines that document one name."""
    full = f"{facade}.{name}"
    if inspect.isclass(value):
        named = set(value.__bases__) - {object, Generic, Protocol}
        return [f".. autoclass:: {full}", "   :members:", *(["   :show-inheritance:"] if named else []), ""]
    if inspect.isroutine(value):
        return [f".. autofunction:: {full}", ""]
    return [f".. py:data:: {full}", "", *(f"   {line}" for line in text_below(facade, name)), ""]


def table_of(home: str, names: list[str]) -> list[str]:
    """Return the lines of a table: each name with the first line of its docstring, errors last."""
    module = import_module(home)
    ordered = sorted(names, key=lambda name: section_of(getattr(module, name)) == "Errors")
    rows = [line for name in ordered for line in (f"   * - :py:obj:`~{home}.{name}`", f"     - {summary(home, name)}")]
    return [".. list-table::", "   :widths: 1 2", "", *rows, ""]


def summary(facade: str, name: str) -> str:
    """Return the first line of what documents a name."""
    value = getattr(import_module(facade), name)
    documented = inspect.isclass(value) or inspect.isroutine(value)
    text = (documented and inspect.getdoc(value)) or "\n".join(text_below(facade, name))
    return text.partition("\n")[0]


def text_below(facade: str, name: str) -> list[str]:
    """Return the docstring that follows a constant, in whichever module below the facade assigns it."""
    for module in [*sys.modules]:
        if module == facade or module.startswith(f"{facade}."):
            documented = ModuleAnalyzer.for_module(module).find_attr_docs()
            if ("", name) in documented:
                return documented["", name]
    return []


def home_of(facade: str, name: str) -> str:
    """Return the innermost public package that exports the object of this name and contains its definition.

    The module of a constant or a type alias is not known, so it is the innermost package that exports the object.
    """
    value = getattr(import_module(facade), name)
    homes = [other for other in FACADES if getattr_exported(other, name) is value]
    defined = getattr(value, "__module__", None) or ""
    inside = [home for home in homes if f"{defined}.".startswith(f"{home}.")]
    return max(inside or homes, key=len)


def getattr_exported(facade: str, name: str) -> Any:
    """Return an exported object, or None where the package has no such name."""
    module = import_module(facade)
    return getattr(module, name) if name in module.__all__ else None


def resolve(app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement) -> nodes.Node | None:
    """Resolve a reference to ``package.module.Name``, or to a bare ``Name``, to where a facade documents it."""
    if node.get("refdomain") != "py":
        return None
    words = node["reftarget"].split(".")
    for facade in FACADES:
        for position, word in enumerate(words):
            if word in import_module(facade).__all__:
                target = ".".join([home_of(facade, word), *words[position:]])
                if found := env.get_domain("py").objects.get(target):
                    return nodes.reference(
                        "",
                        "",
                        content,
                        internal=True,
                        refuri=app.builder.get_relative_uri(env.docname, found.docname) + f"#{found.node_id}",
                    )
    return None


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive and the resolution of references."""
    app.add_directive("facade", Facade)
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
