"""What comes before the first update: reading the pairs, choosing settings, learning the words."""

import dataclasses
import json
import os
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from regard.config import DecodingConfig, Settings, configure, flatten, shown
from regard.decoding.directory import CONFIG, WEIGHTS, load, load_config, new_model, save_description
from regard.decoding.translator import Translator
from regard.device import half_gain
from regard.disk import discard_unfinished, write_text
from regard.errors import InputError
from regard.text.formats import Pairs, drop_empty, fingerprint, languages, read_pairs, refuse_turned
from regard.text.store import encode_pairs
from regard.text.tokenizer import Tokenizer
from regard.training.learner import Learner
from regard.training.lock import hold
from regard.training.loop import LAST, Run
from regard.training.recipe import Choice, Machine, recommend
from regard.weights import set_weights, weights_of

LIMITS = {f"training.{name}" for name in ("epochs", "updates", "minutes", "patience")}  # may change when going on
SEEN = 100_000  # pairs whose characters are counted
HARMLESS = {"training.save_every", "training.tensorboard"} | {  # no bit of the weights depends on these: so may they
    f"decoding.{field.name}" for field in dataclasses.fields(DecodingConfig) if field.name != "max_length"
}
FREE = {"model.p_drop", "text.sampling", "text.max_length"}  # may be others than in the model to start from
FEWEST = 10  # pairs that can be trained on
OURS = (CONFIG, WEIGHTS, "tokenizer.model", "source.model", "target.model", "README.md", "learning-curve.png")
NOTE = "run.json"  # in the folder `training`: what it was begun with


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the user asked for."""

    folder: Path
    train: Sequence[str]  # files, as `read_pairs` takes them; none: as before
    valid: Sequence[str]  # none: some pairs of the training files are held out
    given: Settings  # settings by dotted name
    origin: Path | None = None  # a model to start from, with its words
    words: Tokenizer | None = None  # to be kept; None: those of `origin`, or else learned from the pairs
    device: torch.device


class Prepared(NamedTuple):
    """A training that can begin, or go on."""

    run: Run
    learner: Learner
    choices: dict[str, Choice]  # the settings that follow from the corpus
    empty: int  # pairs left out, since a side of them is empty
    long: int  # pairs left out, since they have more than text.max_length pieces
    resumed: bool


class Corpus(NamedTuple):
    """Pairs to learn from and to validate with, and how many were left out of both."""

    train: Pairs
    valid: Pairs
    empty: int  # a side of them is empty
    long: int = 0  # they have more than text.max_length pieces


def prepare(wanted: Wanted) -> Prepared:
    """Begins a training in a new folder, or finds the one that was interrupted there.

    Raises InputError where files or settings cannot be used, or are not those of the interrupted training.
    """
    refuse_place(wanted.folder)
    own = wanted.folder / "training"
    if (own / NOTE).exists():
        return _go_on(wanted, _read_note(own / NOTE))
    if not wanted.train:
        raise InputError(f"{wanted.folder}: no training to go on with. Give it pairs: --train corpus.fr corpus.en")
    refuse_model(wanted.folder)
    return _begin(wanted)


def refuse_model(folder: Path) -> None:
    """Raises InputError where a model is that would be lost."""
    taken = [name for name in OURS if (folder / name).exists()]
    own = folder / "training"
    if taken and not (own / LAST).exists():  # a training that was killed before its note was written may begin again
        raise InputError(f"{folder} holds a {taken[0]} already, without its training. Choose a new folder.")


def refuse_place(folder: Path) -> None:
    """Finds out early, by InputError, that nothing can be written there."""
    place = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not place.is_dir():
        raise InputError(f"{place} is a file; the model needs a folder. Choose another name.")
    if not os.access(place, os.W_OK):
        raise InputError(f"{place}: nothing can be written there. Choose another folder for the model.")


def _begin(wanted: Wanted) -> Prepared:
    origin = load(wanted.origin) if wanted.origin else None
    settled = _of_origin(origin, wanted.given) | wanted.given
    read, empty = read_enough(wanted.train)
    machine = Machine(wanted.device.type, torch.get_num_threads(), half_gain(wanted.device))
    characters = len(set[str]().union(*read.source[:SEEN], *read.target[:SEEN]))
    recommended = _names(wanted.train) | recommend(
        len(read.source), machine, settled, characters=characters, trained=origin is not None
    )
    choices = {name: choice for name, choice in recommended.items() if name not in settled}
    config = configure({name: choice.value for name, choice in choices.items()} | settled)
    for files in (wanted.train, wanted.valid):
        refuse_turned(files, config.text.directions)
    corpus = split(wanted, read, empty, config.training.seed)
    known = origin.tokenizer if origin else wanted.words
    tokenizer = known or Tokenizer.train(corpus.train, config.text, config.training.seed)
    corpus = _drop_long(corpus, wanted, tokenizer, config.text.max_length)
    run = Run(wanted.folder, config, tokenizer, corpus.train, corpus.valid, trained=origin is not None)
    learner = _learner(run, wanted.device, origin)
    _hold(wanted.folder)
    learner.save(run.own / LAST)
    save_description(config, tokenizer, wanted.folder)
    write_text(run.own / NOTE, json.dumps(files_of(wanted) | _fingerprints(corpus), indent=2) + "\n")
    return Prepared(run, learner, choices, corpus.empty, corpus.long, False)


def read_enough(files: Sequence[str]) -> tuple[Pairs, int]:
    """The pairs of these files with something on both sides, and how many have not. Raises InputError for too few."""
    read, empty = drop_empty(read_pairs(files))
    if len(read.source) < FEWEST:
        names = " ".join(files)
        found = f"{len(read.source)} pair{'' if len(read.source) == 1 else 's'}"
        raise InputError(f"{names}: {found}; at least {FEWEST} are needed, thousands are better.")
    return read, empty


def _hold(folder: Path) -> None:
    """Keeps other trainings out, and clears away what one left that was killed while it saved."""
    hold(folder / "training")
    discard_unfinished(folder, OURS)
    discard_unfinished(folder / "training")


def _go_on(wanted: Wanted, note: dict[str, Any]) -> Prepared:
    _hold(wanted.folder)
    trained = flatten(load_config(wanted.folder))
    _refuse_changes(wanted, note, trained)
    changed = {name: value for name, value in wanted.given.items() if trained[name] != value}
    config = configure(trained | changed)
    tokenizer = Tokenizer.load(wanted.folder, config.text.directions)
    wanted = with_files(wanted, note)
    corpus = split(wanted, *drop_empty(read_pairs(wanted.train)), config.training.seed)
    corpus = _drop_long(corpus, wanted, tokenizer, config.text.max_length)
    _refuse_other_pairs(wanted, note, _fingerprints(corpus))
    run = Run(wanted.folder, config, tokenizer, corpus.train, corpus.valid, trained=bool(note["from"]))
    learner = _learner(run, wanted.device)
    try:
        learner.load(run.own / LAST)
    except (KeyError, TypeError):
        raise InputError(f"{run.own / LAST}: not of this training, or damaged. Take it from a copy.") from None
    if learner.standing.finished and LIMITS & changed.keys():
        learner.standing.finished, learner.standing.stale = False, 0
    save_description(config, tokenizer, wanted.folder)
    write_text(run.own / NOTE, json.dumps(note | files_of(wanted) | {"from": note["from"]}, indent=2) + "\n")
    return Prepared(run, learner, {}, corpus.empty, corpus.long, True)


def _learner(run: Run, device: torch.device, origin: Translator | None = None) -> Learner:
    torch.manual_seed(run.config.training.seed)
    model = new_model(run.config, run.tokenizer)
    if origin:
        set_weights(model, weights_of(origin.model), run.folder)
    return Learner(model, run.config.training, device)


def files_of(wanted: Wanted) -> dict[str, list[str]]:
    """What the training was asked to read, by option: absolute paths, but within its own folder from there on, so that
    the folder may be renamed."""
    given = {"train": wanted.train, "valid": wanted.valid, "from": [str(wanted.origin)] if wanted.origin else []}
    return {option: [_lasting(file, wanted.folder) for file in files] for option, files in given.items()}


def with_files(wanted: Wanted, note: dict[str, Any]) -> Wanted:
    """With the files of the note, made of `files_of`, where no others are given."""
    train, valid = (
        [file if file == "-" else str(wanted.folder / file) for file in note[kind]] for kind in ("train", "valid")
    )
    return dataclasses.replace(wanted, train=wanted.train or train, valid=wanted.valid or valid)


def _fingerprints(corpus: Corpus) -> dict[str, str]:
    return {"fingerprint": fingerprint(corpus.train), "valid_fingerprint": fingerprint(corpus.valid)}


def _read_note(path: Path) -> dict[str, Any]:
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
        return {"from": [], **note, "train": list(note["train"]), "valid": list(note["valid"])}
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path}: damaged; it says what the training was begun with. Take it from a copy.") from None


def _refuse_changes(wanted: Wanted, note: dict[str, Any], trained: Settings) -> None:
    """The training in the folder was begun with other settings or from another model: says which."""
    changes = [
        f"{name} was {shown(trained[name])} and is now {shown(value)}"
        for name, value in wanted.given.items()
        if name not in LIMITS | HARMLESS and trained[name] != value
    ]
    if (origin := files_of(wanted)["from"]) and origin != note["from"]:
        changes.append(f"--from was {' '.join(note['from']) or 'not given'} and is now {origin[0]}")
    if changes:
        raise InputError(
            f"{wanted.folder} holds a training that was begun otherwise: {'; '.join(changes)}. "
            f"Go on with the old ones, or train in a new folder (--from {wanted.folder} starts from its weights)."
        )


def _refuse_other_pairs(wanted: Wanted, note: dict[str, Any], fingerprints: dict[str, str]) -> None:
    """The files may have moved; it is their pairs that have to be the same."""
    for kind, now in fingerprints.items():
        if (then := note.get(kind, now)) == now:
            continue
        option = "valid" if kind.startswith("valid") and wanted.valid else "train"
        files, before = files_of(wanted)[option], note[option]
        raise InputError(
            f"{' '.join(files)}: not the pairs that {wanted.folder} was begun with (fingerprint {now[:12]}, then "
            f"{then[:12]}{'' if files == before else ' of ' + (' '.join(before) or 'pairs held out')}). "
            f"Restore the files, or train in a new folder."
        )


def _of_origin(origin: Translator | None, given: Settings) -> Settings:
    """The settings of the model to start from, but for its training; a size cannot be changed."""
    if origin is None:
        return {}
    kept = {name: value for name, value in flatten(origin.config).items() if not name.startswith("training.")}
    for name, value in given.items():
        if name.startswith(("model.", "text.")) and name not in FREE and kept[name] != value:
            raise InputError(
                f"{name} is {shown(kept[name])} in the model to start from; {shown(value)} would be another model. "
                f"Leave it out, or train without --from."
            )
    return kept


def _names(files: Sequence[str]) -> dict[str, Choice]:
    """The direction that the names of the files speak of."""
    codes = languages(files)
    return {"text.directions": Choice(("-".join(codes),), "from the names of the files")} if codes else {}


def split(wanted: Wanted, pairs: Pairs, empty: int, seed: int) -> Corpus:
    """Training and validation pairs; without a validation file, some that occur once are held out."""
    if wanted.valid:
        valid, more = drop_empty(read_pairs(wanted.valid))
        if not valid.source:
            raise InputError(f"{' '.join(wanted.valid)}: no pair with something on both sides; at least one is needed.")
        return Corpus(pairs, valid, empty + more)
    count = min(1000, max(1, len(pairs.source) // 50))
    order = random.Random(seed).sample(range(len(pairs.source)), len(pairs.source))
    times = [Counter(side) for side in pairs]
    unique = (row for row in order if times[0][pairs.source[row]] == 1 == times[1][pairs.target[row]])
    held = set(islice(unique, count)) or set(order[:1])
    return Corpus(_rows(pairs, set(order) - held), _rows(pairs, held), empty)


def _rows(pairs: Pairs, rows: set[int]) -> Pairs:
    return Pairs(*([side[row] for row in sorted(rows)] for side in pairs))


def _drop_long(corpus: Corpus, wanted: Wanted, tokenizer: Tokenizer, longest: int) -> Corpus:
    """The pairs of which no side has more pieces than that."""
    train, valid = (_short(pairs, tokenizer, longest) for pairs in (corpus.train, corpus.valid))
    for pairs, files in ((train, wanted.train), (valid, wanted.valid or wanted.train)):
        if not pairs.source:
            raise InputError(
                f"{' '.join(files)}: every pair has more than {longest} pieces on a side. "
                f"Raise text.max_length, or cut the lines at sentence ends."
            )
    dropped = sum(len(before.source) - len(now.source) for before, now in zip(corpus[:2], (train, valid), strict=True))
    return Corpus(train, valid, corpus.empty, dropped)


def _short(pairs: Pairs, tokenizer: Tokenizer, longest: int) -> Pairs:
    source, target = encode_pairs(tokenizer, pairs)
    count = len(pairs.source)
    fits = ((source.lengths <= longest) & (target.lengths <= longest)).reshape(-1, count).all(axis=0)
    kept = np.flatnonzero(fits)
    return pairs if len(kept) == count else _rows(pairs, set(kept.tolist()))


def _lasting(file: str, folder: Path) -> str:
    path, home = Path(file).absolute(), folder.absolute()
    return file if file == "-" else str(path.relative_to(home) if path.is_relative_to(home) else path)
