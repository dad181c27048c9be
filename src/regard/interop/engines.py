"""Which engine translates: made from the weights on first use, kept in the model directory, left out if need be.

engines/ctranslate2-int8/KEY/     KEY: a hash of what it was made from; another key is another model's, and stale
"""

import dataclasses
import hashlib
import importlib.util
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from regard.config import Config
from regard.decoding.directory import CONFIG, WEIGHTS, describe
from regard.decoding.translator import Translator
from regard.disk import hash_of
from regard.errors import InputError
from regard.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    from regard.interop.ctranslate2 import CTranslate2Engine
    from regard.interop.shortlist import Shortlist

FORMAT = "4"  # raised when engines that were made before are no longer to be used
HOME = Path("engines", "ctranslate2-int8")
SHORTLIST = "shortlist.npz"  # the target pieces that may come; not every model has one
READ = (WEIGHTS, CONFIG, "tokenizer.model", "source.model", "target.model", SHORTLIST)  # what an engine is made from
TRIES = 3  # to make an engine or to open one, while other processes replace the weights or a damaged engine
ABANDONED = 3600  # seconds after which what was made aside, and is still there, is that of a process that was killed
EngineName = Literal["auto", "torch", "ctranslate2"]


class Picked(NamedTuple):
    """A translator, and why it has no fast engine; empty where it has one, or none was asked for."""

    translator: Translator
    why: str


def load(
    folder: str | Path, device: str = "cpu", engine: EngineName = "torch", threads: int | None = None
) -> Translator:
    """The translator in a model directory.

    engine: "torch" translates as `look` sees it, in float32; "ctranslate2" several times quicker, in 8 bits, on a
    processor, and does not import PyTorch until it is needed; "auto" takes the quick one where it can be had. Raises
    InputError where there is no model, it is damaged or too new, or the engine cannot be had.
    """
    return pick(folder, device, engine, threads=threads).translator


def pick(
    folder: str | Path,
    device: str = "auto",
    engine: EngineName = "auto",
    *,
    threads: int | None = None,
    one: bool = False,
) -> Picked:
    """`load`, and why there is no fast engine. `one`: a line at a time."""
    folder = Path(folder)
    translator = describe(folder, device)
    if engine == "torch":
        return Picked(dataclasses.replace(translator, weights=translator.model), "")
    why = _why_not(translator.config, device if engine == "auto" else device.replace("auto", "cpu"))
    if why and engine == "ctranslate2":
        raise InputError(f"The engine ctranslate2 cannot be used: {why}.")
    if why:
        return Picked(dataclasses.replace(translator, weights=translator.model), why)
    return Picked(dataclasses.replace(translator, fast=_open(folder, translator, threads, one)), "")


def _why_not(config: Config, device: str) -> str:
    if device not in ("auto", "cpu"):
        return f"it computes on a processor, not on '{device}'"
    if importlib.util.find_spec("ctranslate2") is None:
        return "CTranslate2 is missing: pip install 'regard[fast]'"
    from regard.interop.ctranslate2 import cannot_express, graphics_cards

    if device == "auto" and graphics_cards():
        from regard.device import pick_device

        if pick_device().type != "cpu":  # PyTorch can use it, too
            return "there is a graphics card"
    return cannot_express(config)


def _open(folder: Path, translator: Translator, threads: int | None, one: bool) -> "CTranslate2Engine":
    from regard.interop.ctranslate2 import CTranslate2Engine, Threads

    cores = threads or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    shared = Threads(1 if one else cores, 1)  # two cores on one short sentence wait for each other

    def opened(damaged: int = 0, tries: int = TRIES) -> CTranslate2Engine:
        with ready(folder, translator.tokenizer, damaged=damaged) as made:
            found = _stamp(made)
            try:
                return CTranslate2Engine(made, translator.tokenizer, translator.config, shared)
            except RuntimeError:  # what lies there is damaged, or another process takes it away just now
                if tries == 1:
                    raise
        return opened(found, tries - 1)

    return opened()


@contextmanager
def ready(folder: Path, tokenizer: Tokenizer, *, damaged: int = 0) -> Iterator[Path]:
    """The directory of the engine for this model, made where there is none yet, or none but a damaged one: that which
    was written at this time.

    Made aside and then renamed, so two processes that make it at once both get a whole one, and neither takes away
    what the other has mended. Where the model directory cannot be written to, it is made elsewhere for this once.
    """
    place = folder / HOME / key(folder)
    _forget_abandoned(place.parent)
    if _stamp(place) not in (0, damaged):
        yield place
        return
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".", dir=place.parent))
    except OSError:
        with tempfile.TemporaryDirectory() as elsewhere:
            _make_one(folder, tokenizer, Path(elsewhere))
            yield Path(elsewhere)
        return
    try:
        place = place.with_name(_make_one(folder, tokenizer, aside))
        if damaged and _stamp(place) == damaged:
            _take_away(place)
        try:
            aside.rename(place)
        except OSError:  # another process was quicker
            if not place.is_dir():
                raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    _forget_others(place)
    yield place


def key(folder: Path) -> str:
    """A hash of everything that the engine is made from."""
    digest = hashlib.sha256(FORMAT.encode())
    for name in READ:
        path = folder / name
        digest.update(f"\n{name} {hash_of(path) if path.exists() else ''}".encode())
    return digest.hexdigest()[:16]


def _make_one(folder: Path, tokenizer: Tokenizer, place: Path) -> str:
    """Makes the engine in an empty directory, and returns the key of what it was made from: where a training saves
    other weights meanwhile, it is made again."""
    for _ in range(TRIES):
        before = key(folder)
        _make(folder, tokenizer, place)
        if key(folder) == before:
            return before
        for file in place.iterdir():
            file.unlink()
    raise InputError(f"{folder}: its files change while they are read. Is it being copied or trained? Wait a little.")


def _make(folder: Path, tokenizer: Tokenizer, place: Path) -> None:
    from regard.interop.ctranslate2 import write_engine
    from regard.weights import weights_of

    translator = describe(folder)  # by PyTorch, which tells weights that are not those of config.json
    weights = {name: weight.detach().numpy() for name, weight in weights_of(translator.model).items()}
    write_engine(weights, translator.config, tokenizer, place, quantization="int8", shortlist=_shortlist(folder))
    place.chmod(0o755)  # a temporary directory is for its owner alone


def _shortlist(folder: Path) -> "Shortlist | None":
    """The one that was proved for these weights; of one for others, nobody knows what it would do here."""
    from regard.interop.shortlist import Shortlist

    if not (folder / SHORTLIST).exists():
        return None
    shortlist = Shortlist.load(folder / SHORTLIST)
    return shortlist if shortlist.weights == hash_of(folder / WEIGHTS) else None


def _stamp(place: Path) -> int:
    """When this directory was written, in nanoseconds; 0 where it is not there."""
    try:
        return place.stat().st_mtime_ns
    except OSError:
        return 0


def _take_away(place: Path) -> None:
    """Deletes it at one stroke: nobody finds a half of it."""
    aside = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    with suppress(OSError):  # another process was quicker
        place.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)


def _forget_abandoned(home: Path) -> None:
    """Deletes what processes that were killed left half made."""
    for aside in home.glob(".*"):
        if _stamp(aside) < (time.time() - ABANDONED) * 1e9:
            shutil.rmtree(aside, ignore_errors=True)


def _forget_others(place: Path) -> None:
    """Deletes what was made from weights that are no longer there."""
    for other in place.parent.iterdir():
        if other != place and not other.name.startswith("."):
            shutil.rmtree(other, ignore_errors=True)
