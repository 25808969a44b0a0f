"""The files of a new app."""

import subprocess
import sys
from pathlib import Path

import pytest

from tetherpy.generator import FilesExistError, Plan, create_starter, providers_package, read_settings


@pytest.mark.parametrize("name", ["shop", 'my "shop"', "it's", "caf\u00e9", "- {a: b}", "$title", "a\nb", "a\udce4b"])
def test_generated_providers_match_the_settings(tmp_path, name):
    folder = tmp_path / name
    create_starter(folder)
    services = read_settings(folder / "tether.yaml").background_services
    assert not Plan.make(folder, providers_package(services)).differing
    for path in folder.rglob("*.py"):
        compile(path.read_text(), str(path), "exec")


def test_generated_files_are_formatted(tmp_path):
    create_starter(tmp_path)
    for rule in (["format", "--check", "--diff"], ["check", "--select", "E,F,I,W,UP,RUF022,N,TC004,ANN,B"]):
        argv = [sys.executable, "-m", "ruff", *rule, "--no-cache", "--isolated", "."]
        done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert not done.returncode, done.stdout + done.stderr


def test_created_files_are_listed(tmp_path):
    folder = tmp_path / "shop"
    written = create_starter(folder)
    assert written == sorted(path for path in folder.rglob("*") if path.is_file())


def test_other_files_in_the_folder_are_kept(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / "README.md").write_text("mine")
    create_starter(tmp_path)
    assert (tmp_path / "README.md").read_text() == "mine"


@pytest.mark.parametrize("name", ["main.py", "providers.py"])
def test_no_file_is_overwritten_or_shadowed(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(FilesExistError, match=f"{name} already exists") as caught:
        create_starter(tmp_path)
    assert caught.value.paths == (tmp_path / name,)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_in_place_of_the_folder_is_an_error(tmp_path):
    (tmp_path / "shop").write_text("a file")
    with pytest.raises((FileExistsError, NotADirectoryError)):
        create_starter(tmp_path / "shop")
    assert (tmp_path / "shop").read_text() == "a file"


def test_the_name_of_the_distribution_is_valid(tmp_path):
    create_starter(tmp_path / "My Shop!")
    assert 'name = "my-shop"' in Path(tmp_path / "My Shop!" / "pyproject.toml").read_text()
