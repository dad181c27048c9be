"""A lock on a folder, so that two processes never train in one."""

import os
import sys
from pathlib import Path

from regard.errors import InputError

if sys.platform != "win32":
    import fcntl

LOCK = "lock"
HELD: dict[Path, int] = {}  # folder -> the open file that this process holds, until it ends


def hold(folder: Path) -> None:
    """Keeps other processes out of this folder, however this one ends; it may itself ask again.

    Raises InputError where another one was first. On Windows, and where files cannot be locked, all are let in.
    """
    if sys.platform == "win32":
        return
    folder.mkdir(parents=True, exist_ok=True)
    place = folder.resolve()
    if place in HELD:  # closed before it is opened anew: the lock goes with the first of its files that is closed
        os.close(HELD.pop(place))
    file = os.open(place / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    HELD[place] = file
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        os.close(HELD.pop(place))
        raise InputError(
            f"{folder}: another process trains here. Wait for its end or stop it, or choose a new folder."
        ) from None
    except OSError:  # no locks on this file system
        pass
