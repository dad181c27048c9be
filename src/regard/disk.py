"""All or nothing on disk: a file is there whole, or as it was before. And which file it is."""

import hashlib
import os
import re
import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from regard.errors import InputError


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; what was written takes the place of `path` when the block ends well.

    A link stays a link to what it leads to. A pipe or a device is written to as it is. An OSError names `path`.
    """
    if path.exists() and not path.is_file():
        yield path
        return
    whole = path.resolve()
    whole.parent.mkdir(parents=True, exist_ok=True)
    aside = whole.with_name(f".{whole.name}.{secrets.token_hex(4)}")
    try:
        yield aside
        with aside.open("r+b") as written:  # Windows flushes nothing that is open for reading alone
            os.fsync(written.fileno())
        aside.replace(whole)
    except OSError as error:
        if error.errno is None or error.filename not in (None, str(aside)):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        aside.unlink(missing_ok=True)


def discard_unfinished(folder: Path, names: Collection[str] = ()) -> None:
    """Deletes what `written_whole` left in this folder when it was killed: of the files of these names, or of all.

    Only for who knows that nobody else is writing them.
    """
    for path in folder.iterdir():
        aside = re.fullmatch(r"\.(.+)\.[0-9a-f]{8}", path.name)
        if aside and (not names or aside[1] in names):
            with suppress(OSError):  # Windows keeps what is open
                path.unlink()


def check_writable(path: Path) -> None:
    """Tells before the work that its fruit could not be written here. Raises InputError for a folder, and for a place
    in a folder that is none or cannot be written to."""
    if path.exists() and not path.is_file() and not path.is_dir():
        return  # a pipe or a device
    whole = path.resolve()
    folder = next(parent for parent in whole.parents if parent.exists())
    wrong = {
        "is a folder; a file is wanted": whole.is_dir(),
        f"cannot be written: {folder} is no folder": not folder.is_dir(),
        f"cannot be written: {folder} is not yours to write to": not os.access(folder, os.W_OK | os.X_OK),
    }
    for why, applies in wrong.items():
        if applies:
            raise InputError(f"{path} {why}. Name another place.")


def hash_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_text(path: Path, text: str) -> None:
    """Writes a UTF-8 text file, whole or not at all."""
    with written_whole(path) as aside:
        aside.write_bytes(text.encode("utf-8"))
