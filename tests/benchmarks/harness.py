"""Shared parts of the benchmarks: the harness of other libraries, an environment with them, and the report page."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
WORK = ROOT / ".bench"
PAGE = ROOT / "docs" / "explanation" / "performance.md"


def harness(name: str) -> Path:
    """Return a copy of a harness with the adapters of tetherpy in it."""
    source = Path(os.environ.get("TETHERPY_PEERS", ROOT.parent / "shared" / "peers")) / name
    if not source.is_dir():
        sys.exit(f"The peers' harness is not at {source}. Set TETHERPY_PEERS to the folder that holds {name}/.")
    target = WORK / name
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(source, target, copy_function=shutil.copyfile)
    for adapter in (Path(__file__).parent / name).glob("*.py"):
        shutil.copyfile(adapter, target / "adapters" / adapter.name)
    return target


def environment(peers: list[str]) -> Path:
    """Return the interpreter of an environment with tetherpy and all other libraries that can be installed."""
    python = WORK / "venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", WORK / "venv"], check=True)
    pip = [python, "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "--editable", ROOT, "psutil"], check=True)
    for peer in peers:
        if subprocess.run([*pip, peer], check=False, capture_output=True).returncode:
            print(f"not installable here, left out: {peer}")
    return python


def write_section(title: str, text: str) -> None:
    """Replace one marked section of the performance page."""
    begin, end = f"<!-- {title} -->", f"<!-- end of {title} -->"
    page = PAGE.read_text()
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    PAGE.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}")
    print(f"wrote the section {title!r} of {PAGE.relative_to(ROOT)}")


def bar_chart(path: Path, title: str, bars: list[tuple[str, float]]) -> None:
    """Write horizontal bars as SVG; values are labelled, names stand on the left."""
    longest = max(value for _, value in bars)
    rows: list[str] = []
    for index, (name, value) in enumerate(bars):
        y = 40 + 26 * index
        color = "#2563eb" if name == "tetherpy" else "#94a3b8"
        rows.append(
            f'<text x="150" y="{y + 13}" text-anchor="end">{name}</text>'
            f'<rect x="160" y="{y}" width="{max(1.0, 380 * value / longest):.0f}" height="18" fill="{color}"/>'
            f'<text x="{166 + 380 * value / longest:.0f}" y="{y + 13}">{value:.2f}</text>'
        )
    height = 50 + 26 * len(bars)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 620 {height}" font-family="sans-serif" font-size="12">'
        f'<rect width="620" height="{height}" fill="white"/><text x="10" y="22" font-size="14">{title}</text>'
        f"{''.join(rows)}</svg>\n"
    )
