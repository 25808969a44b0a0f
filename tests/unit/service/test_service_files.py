import pytest

from tetherpy.service import ServiceFolderError, UnsupportedDatabaseError
from tetherpy.service.config import WorkerConfig
from tetherpy.service.files import ServiceFiles


def test_every_spelling_of_the_path_gives_the_same_files(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "app.db")
    monkeypatch.chdir(tmp_path / "sub")
    expected = ServiceFiles.of(tmp_path / "app.db")
    for spelling in ("../app.db", tmp_path / "sub" / ".." / "app.db", str(tmp_path / "link")):
        assert ServiceFiles.of(spelling) == expected


def test_workers_are_those_with_a_lock_file(tmp_path):
    files = ServiceFiles.of(tmp_path / "app.db")
    assert files.worker_ids() == frozenset()
    files.create()
    files.create()
    files.worker_lock("one").touch()
    files.group_lock.touch()
    assert files.worker_ids() == {"one"}
    assert files.folder.stat().st_mode & 0o077 == 0


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "app.db", tmp_path / "nowhere" / "app.db"):
        with pytest.raises(ServiceFolderError, match="correct the database path"):
            ServiceFiles.of(path).create()


def test_socket_address_is_short_enough(tmp_path):
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    files = ServiceFiles.of(folder / "app.db")
    files.create()
    with files.socket_address() as address:
        assert len(address) < 100


@pytest.mark.parametrize("wrong", [{"concurrency": 0}, {"processes": -1}])
def test_config_refuses_what_makes_no_worker(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        WorkerConfig(database="a", callback="b:c", **wrong)


def test_config_survives_the_command_line():
    config = WorkerConfig(database="/ä/app.db", callback="b:c", queues=("q",), sys_path=("/x", "/y z"))
    assert WorkerConfig.from_argument(config.to_argument()) == config


def test_url_is_refused_and_not_taken_for_a_path():
    with pytest.raises(UnsupportedDatabaseError, match="SQLite"):
        ServiceFiles.of("postgresql://localhost/app")
