"""What every verb understands."""

import pytest


@pytest.mark.parametrize(
    "command",
    [
        ("demo", ""), ("train", ""), ("train", "new", "--from", ""), ("distill", "", "new"), ("distill", "old", ""),
        ("translate", "", "x"), ("look", "", "x"), ("score", "", "--pairs", "x"), ("evaluate", "", "--test", "x"),
        ("experiment", "order", ""), ("look", "model", "x", "--against-model", ""),
    ],
)  # fmt: skip
def test_a_folder_without_a_name_is_not_the_one_that_one_is_in(regard, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    ran = regard(*command)
    assert (ran.code, ran.out) == (2, "")
    assert "the name is empty" in ran.err
    assert list(tmp_path.iterdir()) == []
