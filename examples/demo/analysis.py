"""What a job does: fetch a package's sources, count what is in them. Services behind providers."""

import ast
from collections.abc import Iterator
from pathlib import Path

import attrs

from tetherpy import Provider, Ref
from tetherpy.database import SqlDatabase


@attrs.frozen
class AnalysePackage:
    """The payload of a job: which package, and where it is."""

    package: str
    folder: str


@attrs.frozen
class PackageReport:
    """The result of a job."""

    package: str
    modules: int = 0
    classes: int = 0
    functions: int = 0
    lines: int = 0

    def plus(self, source: str, tree: ast.Module) -> "PackageReport":
        """Return the report with one more module counted."""
        nodes = list(ast.walk(tree))
        return attrs.evolve(
            self,
            modules=self.modules + 1,
            classes=self.classes + sum(isinstance(node, ast.ClassDef) for node in nodes),
            functions=self.functions + sum(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in nodes),
            lines=self.lines + source.count("\n"),
        )


@attrs.frozen
class SourceFetcher:
    """Finds the source files of a package, and knows the app's database."""

    db: SqlDatabase

    def files(self, folder: Path) -> list[Path]:
        """Return the package's source files, tests left out (some do not parse on purpose)."""
        return [file for file in sorted(folder.rglob("*.py")) if "test" not in file.parts and "tests" not in file.parts]


class SourceProcessor:
    """Parses source files one by one."""

    def reports(self, package: str, files: list[Path]) -> Iterator[PackageReport]:
        """Yield the report after each file; a file that does not parse is a SyntaxError that names it."""
        report = PackageReport(package)
        for file in files:
            source = file.read_text(encoding="utf-8", errors="replace")
            report = report.plus(source, ast.parse(source, filename=file.name))
            yield report


@Provider
def source_fetcher_provider(ref: Ref) -> SourceFetcher:
    """Override it with the job's database: a fetcher cannot be made without one."""
    raise NotImplementedError("source_fetcher_provider must be overridden with SourceFetcher(db)")


@Provider
def source_processor_provider(ref: Ref) -> SourceProcessor:
    """The processor."""
    return SourceProcessor()
