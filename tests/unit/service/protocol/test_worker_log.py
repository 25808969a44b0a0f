import resource
import signal

import pytest

from tetherpy.service import ServiceFolderError
from tetherpy.service.protocol.worker_log import WorkerLog, log_tail


def test_a_log_has_at_most_two_files_of_the_size_limit(tmp_path):
    log = WorkerLog(tmp_path / "worker.log", limit=100)
    for number in range(1000):
        log.write(f"{number:09}\n".encode())
    log.close()
    newest, older = tmp_path / "worker.log", tmp_path / "worker.log.1"
    assert sorted(tmp_path.iterdir()) == [newest, older]
    assert newest.stat().st_size <= 100
    text = older.read_text() + newest.read_text()
    assert text.split() == [f"{number:09}" for number in range(1000 - len(text) // 10, 1000)]
    assert len(text) > 100


def test_a_write_may_exceed_the_size_limit(tmp_path):
    log = WorkerLog(tmp_path / "worker.log", limit=10)
    log.write(b"0123456789" * 3 + b"end")
    log.close()
    assert (tmp_path / "worker.log").read_bytes() == b"end"
    assert (tmp_path / "worker.log.1").read_bytes() == b"0123456789"


def test_a_new_log_appends_to_the_last_one(tmp_path):
    for text in (b"first\n", b"second\n"):
        log = WorkerLog(tmp_path / "worker.log")
        log.write(text)
        log.close()
    assert (tmp_path / "worker.log").read_bytes() == b"first\nsecond\n"


def test_tail_returns_the_appended_text(tmp_path):
    path = tmp_path / "worker.log"
    assert log_tail(path, 0) == ""
    path.write_text("before|after")
    assert log_tail(path, len("before|")) == "after"
    assert log_tail(path, 0, limit=3) == "ter"


def test_tail_works_across_a_rotation(tmp_path):
    path = tmp_path / "worker.log"
    path.write_text("new")
    assert log_tail(path, since=1000) == "new"


def test_a_full_disk_drops_output_and_logs_this_later(tmp_path):
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    log = WorkerLog(tmp_path / "worker.log")
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4, limits[1]))
        log.write(b"kept")
        log.write(b"dropped")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, previous)
    log.write(b"again")
    log.close()
    text = (tmp_path / "worker.log").read_text()
    assert text == "kepttetherpy: 7 bytes of output could not be stored\nagain"


def test_a_deleted_log_is_created_again_by_rotation_or_a_check(tmp_path):
    path = tmp_path / "worker.log"
    log = WorkerLog(path, limit=100)
    log.write(b"a" * 50)
    path.unlink()
    log.write(b"b" * 200)
    assert path.exists()
    path.unlink()
    log.reopen_if_moved()
    log.write(b"seen")
    assert path.read_bytes() == b"seen"
    log.close()


def test_a_link_to_another_file_is_not_written_to(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("original")
    (tmp_path / "worker.log").symlink_to(victim)
    with pytest.raises(ServiceFolderError, match="symbolic link"):
        WorkerLog(tmp_path / "worker.log")
    assert victim.read_text() == "original"
