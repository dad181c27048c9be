"""The lock on a folder, and what is done without it where a system has none."""

import importlib.util
import subprocess
import sys
from pathlib import Path

from regard.training import lock, rehearsal

ASK = "import sys; from pathlib import Path; from regard.training.lock import hold; hold(Path(sys.argv[1]))"


def asked_by_another(folder):
    """What a process of its own says when it asks for this folder."""
    return subprocess.run([sys.executable, "-c", ASK, str(folder)], capture_output=True, text=True, check=False).stderr


def test_two_processes_do_not_train_in_one_folder(begin):
    """The lock is this process' own from the beginning, though it may ask again."""
    own = begin().run.own
    for _ in range(2):
        assert f"InputError: {own}: another process trains here. Wait for its end or stop it" in asked_by_another(own)
        assert begin().resumed
    assert asked_by_another(own / "elsewhere") == ""


def test_a_system_with_neither_locks_nor_a_count_of_memory_can_train(begin, tmp_path, monkeypatch):
    """As Windows is: both modules as they are there."""
    prepared = begin()
    monkeypatch.setattr(sys, "platform", "win32")
    for name in ("fcntl", "resource"):
        monkeypatch.setitem(sys.modules, name, None)

    def there(module):
        spec = importlib.util.spec_from_file_location("there", Path(module.__file__))
        fresh = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(fresh)
        return fresh

    there(lock).hold(tmp_path)
    assert not (tmp_path / "lock").exists()
    assert there(rehearsal).rehearse(prepared.run, prepared.learner).bytes is None
