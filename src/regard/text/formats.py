"""Parallel text in files: two line-parallel files, or one of tab-separated or JSON lines; plain or compressed."""

import gzip
import hashlib
import io
import itertools
import json
import lzma
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from regard.errors import InputError

zstd: Any
try:
    zstd = import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
except ImportError:
    zstd = None

_MAGIC = {b"\x1f\x8b": ".gz", b"\xfd7zXZ\0": ".xz", b"\x28\xb5\x2f\xfd": ".zst"}  # how compressed files begin
_NO_LANGUAGE = {"src", "tgt", "trg", "ref", "txt", "raw", "tok", "bpe"}  # endings that look like one
_BOM = b"\xef\xbb\xbf"
_DAMAGED = (gzip.BadGzipFile, zlib.error, lzma.LZMAError, *((zstd.ZstdError,) if zstd else ()))


class Pairs(NamedTuple):
    """Line i of the target translates line i of the source."""

    source: list[str]
    target: list[str]


def read_pairs(paths: Sequence[str | Path]) -> Pairs:
    """The pairs of two line-parallel files, or of one .tsv or .jsonl; each may end in .gz, .xz or .zst besides.

    A line of a .tsv is source TAB target. A line of a .jsonl is an object with the keys "source" and "target", whatever
    else it has. "-" is standard input of either kind, compressed or not. A pair with an empty side is kept.
    """
    names = [str(path) for path in paths]
    pairs = Pairs([], [])
    for source, target in _rows(names):
        pairs.source.append(source)
        pairs.target.append(target)
    if not pairs.source:
        raise InputError(f"{' and '.join(map(_called, names))}: empty, but at least one pair is wanted.")
    return pairs


def languages(files: Sequence[str]) -> list[str]:
    """What the names of two files, such as corpus.fr and corpus.en.gz, end with; nothing if not both are languages."""
    names = [Path(file).name.lower().split(".") for file in files]
    codes = [next((part for part in reversed(name) if f".{part}" not in _MAGIC.values()), "") for name in names]
    different = {code for code in codes if re.fullmatch("[a-z]{2,3}", code)} - _NO_LANGUAGE
    return codes if len(different) == 2 == len(codes) else []


def refuse_turned(files: Sequence[str], directions: Sequence[str]) -> None:
    """Raises InputError where the names of two files say that they stand the other way round than the first direction
    reads them."""
    codes = languages(files)
    if directions and codes[::-1] == directions[0].lower().split("-"):
        raise InputError(
            f"{' and '.join(files)}: their names say {' before '.join(codes)}, but pairs stand as the first direction, "
            f"{directions[0]}, reads them. Write {files[1]} {files[0]}."
        )


def drop_empty(pairs: Pairs) -> tuple[Pairs, int]:
    """The pairs with something on both sides, and how many have not."""
    full = [row for row, sides in enumerate(zip(*pairs, strict=True)) if all(side.strip() for side in sides)]
    kept = Pairs([pairs.source[row] for row in full], [pairs.target[row] for row in full])
    return kept, len(pairs.source) - len(full)


def fingerprint(pairs: Pairs) -> str:
    """SHA-256 of the pairs in their order."""
    digest = hashlib.sha256()
    for source, target in zip(*pairs, strict=True):
        digest.update(f"{source}\t{target}\n".encode(errors="surrogatepass"))
    return digest.hexdigest()


def read_lines(path: str | Path) -> Iterator[str]:
    r"""The lines of a UTF-8 file, plain or compressed, or of standard input ("-"), one at a time.

    Only \n ends a line; a \r before it and a byte order mark are dropped; the last line needs no \n. An empty file has
    no lines.
    """
    name, number = _called(path), 0
    try:
        with _open(str(path)) as file:
            for number, line in enumerate(file, 1):
                yield _text(line.removeprefix(_BOM) if number == 1 else line, f"{name}, line {number}")
    except EOFError:
        raise InputError(f"{name}: breaks off after line {number}. The file is cut short; copy it again.") from None
    except _DAMAGED as error:
        raise InputError(f"{name}: damaged after line {number}: {error}. Is it what its name says?") from None
    except OSError as error:
        raise InputError(f"{name}: cannot be read: {error.strerror}. Is the path right?") from None


def _called(path: str | Path) -> str:
    """What a message calls this file."""
    return "standard input" if str(path) == "-" else str(path)


def _rows(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    if len(names) == 2 and "-" not in names and not any(_kind(name) in (".tsv", ".jsonl") for name in names):
        return _side_by_side(*names)
    if len(names) == 1 and (names[0] == "-" or _kind(names[0]) in (".tsv", ".jsonl")):
        return _split(names[0])
    raise InputError(
        f"{' and '.join(names) or 'No file'}: expected two files, one for each language, line by line, "
        f"or one that ends in .tsv or .jsonl (all of them may be compressed: .gz, .xz, .zst)."
    )


def _kind(name: str) -> str:
    """The ending that tells the format: .tsv for corpus.tsv.gz."""
    path = Path(name)
    return (path.with_suffix("") if path.suffix in (".gz", ".xz", ".zst") else path).suffix


def _side_by_side(source: str, target: str) -> Iterator[tuple[str, str]]:
    left, right = read_lines(source), read_lines(target)
    number = 0
    for number, (first, second) in enumerate(itertools.zip_longest(left, right), 1):
        if first is None or second is None:
            most = number + sum(1 for _ in itertools.chain(left, right))
            longer, shorter = (target, source) if first is None else (source, target)
            raise InputError(
                f"{longer} has {most} line{'' if most == 1 else 's'}, {shorter} has {number - 1}: line {number} has "
                f"no partner. Line i of one has to translate line i of the other."
            )
        yield first, second


def _split(name: str) -> Iterator[tuple[str, str]]:
    split = _from_json if _kind(name) == ".jsonl" else _from_tsv
    for number, line in enumerate(read_lines(name), 1):
        if name == "-" and number == 1 and line.startswith("{") and "\t" not in line:
            split = _from_json
        yield split(line, f"{_called(name)}, line {number}")


def _from_tsv(line: str, where: str) -> tuple[str, str]:
    fields = line.split("\t")
    if len(fields) != 2:
        raise InputError(
            f"{where}: expected source TAB target, found {len(fields)} field{'s' if len(fields) > 1 else ''}. "
            f"Keep two columns (cut -f1,2) and one pair a line."
        )
    return fields[0], fields[1]


def _from_json(line: str, where: str) -> tuple[str, str]:
    try:
        row: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not JSON: {error}. Each line is an object of its own.") from None
    if not isinstance(row, dict):
        raise InputError(f'{where}: expected {{"source": ..., "target": ...}}, found {_json_kind(row)}.')
    return _value(row, "source", where), _value(row, "target", where)


def _value(row: dict[str, Any], key: str, where: str) -> str:
    if key not in row:
        found = ", ".join(map(repr, row)) or "none"
        raise InputError(f"{where}: no key '{key}'; found {found}. Name the keys 'source' and 'target'.")
    value = row[key]
    if not isinstance(value, str):
        raise InputError(f"{where}: '{key}' is {_json_kind(value)}; expected a string.")
    if "\n" in value:
        raise InputError(f"{where}: '{key}' holds a line break; a pair is one line a side. Put a space in its place.")
    return _text(value.encode(errors="surrogatepass"), where)


def _json_kind(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")


def _text(line: bytes, where: str) -> str:
    """The characters of a line without its end."""
    line = line.removesuffix(b"\n").removesuffix(b"\r")
    if b"\0" in line:
        raise InputError(f"{where}: a NUL character. Is this text in UTF-8, and not UTF-16 or something else?")
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise InputError(
            f"{where}: byte {error.start + 1} (0x{line[error.start]:02x}) is not UTF-8. "
            f"Convert the file (iconv -f ... -t UTF-8) or repair the line."
        ) from None


def _open(name: str) -> AbstractContextManager[Iterable[bytes]]:
    file: Any = sys.stdin.buffer if name == "-" else name
    ending = _stdin_ending() if name == "-" else Path(name).suffix
    if ending == ".zst" and zstd is None:
        raise InputError(
            f"{_called(name)}: reading Zstandard needs backports.zstd: pip install 'regard[scale]', or unpack it."
        )
    openers: dict[str, Callable[[Any], AbstractContextManager[Iterable[bytes]]]] = {
        ".gz": gzip.open,
        ".xz": lzma.open,
        ".zst": zstd and zstd.open,
    }
    if ending in openers:
        return openers[ending](file)
    return nullcontext(file) if name == "-" else Path(name).open("rb")


def _stdin_ending() -> str:
    """The ending that a file with the beginning of standard input would have; what is typed has none."""
    stdin = sys.stdin.buffer
    begin = stdin.peek(6) if isinstance(stdin, io.BufferedReader) and not stdin.isatty() else b""
    return next((ending for magic, ending in _MAGIC.items() if begin.startswith(magic)), "")


def without_end(line: str) -> str:
    r"""The line without the \n or \r\n at its end, where it has one."""
    return line[:-1].removesuffix("\r") if line.endswith("\n") else line


def one_line(text: str) -> str:
    """The text as a line that can be read again; a model may write anything, byte by byte."""
    return text.replace("\r", " ").replace("\n", " ").replace("\0", " ")
