"""The work of a job: read the sources of a package and count their contents, with services from providers."""

import ast
from collections.abc import Iterator
from pathlib import Path

import attrs

from tetherpy import Provider, Ref, SqlDatabase


@attrs.frozen
class AnalysePackage:
    """The payload of a job: a package and its folder."""

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
        """Return the report with another module added."""
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
    """Finds the source files of a package."""

    db: SqlDatabase

    def files(self, folder: Path) -> list[Path]:
        """Return the source files without tests, some of which do not parse on purpose."""
        return [file for file in sorted(folder.rglob("*.py")) if "test" not in file.parts and "tests" not in file.parts]


class SourceProcessor:
    """Parses source files one by one."""

    def reports(self, package: str, files: list[Path]) -> Iterator[PackageReport]:
        """Yield the report after each file; raises SyntaxError with the name of a file that does not parse."""
        report = PackageReport(package)
        for file in files:
            source = file.read_text(encoding="utf-8", errors="replace")
            report = report.plus(source, ast.parse(source, filename=file.name))
            yield report


@Provider
def source_fetcher_provider(ref: Ref) -> SourceFetcher:
    """Must be overridden with a fetcher for the job's database."""
    raise NotImplementedError("source_fetcher_provider must be overridden with SourceFetcher(db)")


@Provider
def source_processor_provider(ref: Ref) -> SourceProcessor:
    """The processor."""
    return SourceProcessor()
