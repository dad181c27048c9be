"""All or nothing on disk."""

import pytest

from regard.disk import write_text, written_whole


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
