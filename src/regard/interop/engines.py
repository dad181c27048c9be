"""Which engine translates: made from the weights on first use, kept in the model directory, left out if need be.

engines/ctranslate2-int8/KEY/     KEY: a hash of what it was made from; another key is another model's, and stale
"""

import dataclasses
import hashlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from regard.config import Config
from regard.decoding.directory import CONFIG, WEIGHTS, describe
from regard.decoding.translator import Translator
from regard.errors import InputError
from regard.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    from regard.interop.ctranslate2 import CTranslate2Engine

FORMAT = "2"  # raised when engines that were made before are no longer to be used
HOME = Path("engines", "ctranslate2-int8")
SHORTLIST = "shortlist.npz"  # the target pieces that may come; not every model has one
READ = (WEIGHTS, CONFIG, "tokenizer.model", "source.model", "target.model", SHORTLIST)  # what an engine is made from
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
        return "there is a graphics card"
    return cannot_express(config)


def _open(folder: Path, translator: Translator, threads: int | None, one: bool) -> "CTranslate2Engine":
    from regard.interop.ctranslate2 import CTranslate2Engine, Threads

    cores = threads or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    shared = Threads(1 if one else cores, 1)  # two cores on one short sentence wait for each other

    def opened(anew: bool) -> CTranslate2Engine:
        with ready(folder, translator.tokenizer, anew=anew) as made:
            return CTranslate2Engine(made, translator.tokenizer, translator.config, shared)

    try:
        return opened(anew=False)
    except RuntimeError:  # what lies there is damaged
        return opened(anew=True)


@contextmanager
def ready(folder: Path, tokenizer: Tokenizer, *, anew: bool = False) -> Iterator[Path]:
    """The directory of the engine for this model, made where it is not there yet, or `anew` in place of what is.

    Made aside and then renamed, so two processes that make it at once both get a whole one. Where the model directory
    cannot be written to, it is made elsewhere for this once.
    """
    place = folder / HOME / key(folder)
    if anew:
        shutil.rmtree(place, ignore_errors=True)
    elif place.is_dir():
        yield place
        return
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".", dir=place.parent))
    except OSError:
        with tempfile.TemporaryDirectory() as elsewhere:
            _make(folder, tokenizer, Path(elsewhere))
            yield Path(elsewhere)
        return
    try:
        _make(folder, tokenizer, aside)
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
        digest.update(f"\n{name} ".encode())
        if path.exists():
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


def _make(folder: Path, tokenizer: Tokenizer, place: Path) -> None:
    from regard.interop.ctranslate2 import write_engine
    from regard.interop.shortlist import Shortlist
    from regard.weights import weights_of

    translator = describe(folder)  # by PyTorch, which tells weights that are not those of config.json
    weights = {name: weight.detach().numpy() for name, weight in weights_of(translator.model).items()}
    shortlist = Shortlist.load(folder / SHORTLIST) if (folder / SHORTLIST).exists() else None
    write_engine(weights, translator.config, tokenizer, place, quantization="int8", shortlist=shortlist)
    place.chmod(0o755)  # a temporary directory is for its owner alone


def _forget_others(place: Path) -> None:
    """Deletes what was made from weights that are no longer there."""
    for other in place.parent.iterdir():
        if other != place and not other.name.startswith("."):
            shutil.rmtree(other, ignore_errors=True)
