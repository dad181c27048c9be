"""All or nothing on disk."""

import errno
import os
from pathlib import Path

import pytest

from regard.disk import check_writable, write_text, written_whole
from regard.errors import InputError


def test_what_was_written_is_there_and_nothing_besides(tmp_path):
    path = tmp_path / "new" / "folder" / "note.txt"
    write_text(path, "première ligne\nseconde\n")
    assert path.read_bytes() == "première ligne\nseconde\n".encode()
    assert list(path.parent.iterdir()) == [path]


def test_a_file_is_as_before_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "note.txt"
    write_text(path, "old")
    with written_whole(path) as aside:
        aside.write_text("new")
        assert path.read_text() == "old"
        assert aside.parent == path.parent
    assert path.read_text() == "new"


def interrupted(path):
    with written_whole(path) as aside:
        aside.write_text("half")
        raise KeyboardInterrupt


def test_a_write_that_breaks_off_leaves_the_old_file_and_no_rest(tmp_path):
    path = tmp_path / "note.txt"
    write_text(path, "old")
    with pytest.raises(KeyboardInterrupt):
        interrupted(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_first_write_that_breaks_off_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path / "note.txt")
    assert list(tmp_path.iterdir()) == []


def test_a_link_stays_one_and_what_it_leads_to_is_written(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    link, path = tmp_path / "link.txt", tmp_path / "elsewhere" / "note.txt"
    link.symlink_to(path)
    for text in ("new", "newer"):
        write_text(link, text)
        assert link.is_symlink()
        assert path.read_text() == text
    assert list(path.parent.iterdir()) == [path]


def test_a_pipe_is_written_to_and_stays_one(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_text(pipe, "through")
    assert os.read(reader, 99) == b"through"
    os.close(reader)
    assert pipe.is_fifo()


def test_two_that_write_one_file_do_not_meet(tmp_path):
    path = tmp_path / "note.txt"
    with written_whole(path) as one, written_whole(path) as other:
        one.write_text("last")
        other.write_text("first")
    assert path.read_text() == "last"


def test_an_error_names_the_file_that_was_asked_for_and_no_other(tmp_path):
    path = tmp_path / "note.txt"

    def broken(*names):
        with written_whole(path) as aside:
            raise OSError(errno.ENOSPC, "No space left", *(name or str(aside) for name in names))

    for names, told in (((), "note.txt"), ((None,), "note.txt"), (("other",), "other")):
        with pytest.raises(OSError, match="No space left") as raised:
            broken(*names)
        assert Path(raised.value.filename).name == told


def test_where_nothing_could_be_written_is_told_and_nothing_is_made(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    for path in ("file", "new", "deep/er/new"):
        check_writable(tmp_path / path)
    check_writable(Path(os.devnull))
    for path, wrong in (("", "is a folder"), ("file/new", "file is no folder")):
        with pytest.raises(InputError, match=wrong):
            check_writable(tmp_path / path)
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    with pytest.raises(InputError, match=f"new cannot be written: {tmp_path} is not yours to write to"):
        check_writable(tmp_path / "deep" / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
