"""A set of files is replaced completely or not at all."""

from pathlib import Path

import pytest

from tetherpy.generator.file_replacement import replace_files


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() if path.is_file() else "" for path in folder.rglob("*")}


def test_files_are_written_replaced_and_removed(tmp_path):
    (tmp_path / "old").write_text("old")
    (tmp_path / "gone").write_text("gone")
    replace_files({tmp_path / "old": "new", tmp_path / "gone": None, tmp_path / "deep" / "er" / "made": "caf\u00e9\n"})
    assert contents(tmp_path) == {"old": "new", "deep": "", "deep/er": "", "deep/er/made": "caf\u00e9\n"}


def test_a_failed_replacement_restores_all_files(tmp_path):
    (tmp_path / "first").write_text("first")
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "gone").write_text("gone")
    with pytest.raises(FileNotFoundError):
        replace_files(
            {
                tmp_path / "first": "changed",
                tmp_path / "made": "made",
                tmp_path / "link": "no link",
                tmp_path / "gone": None,
                tmp_path / "deep" / "made": "made",
                tmp_path / "never there": None,
            }
        )
    assert (tmp_path / "link").readlink() == Path("nowhere")
    (tmp_path / "link").unlink()
    assert contents(tmp_path) == {"first": "first", "gone": "gone"}


def test_a_failed_write_replaces_no_file_and_leaves_no_folder(tmp_path):
    (tmp_path / "file").write_text("file")
    with pytest.raises(FileExistsError, match=r"file'$"):
        replace_files({tmp_path / "deep" / "made": "made", tmp_path / "file" / "below": "text"})
    assert contents(tmp_path) == {"file": "file"}
