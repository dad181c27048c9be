"""What comes before the first update: reading the pairs, choosing settings, learning the words."""

import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from regard.config import Settings, configure, flatten
from regard.decoding.directory import WEIGHTS, load, load_config, new_model, save_description
from regard.decoding.translator import Translator
from regard.disk import write_text
from regard.errors import InputError
from regard.text.formats import Pairs, drop_empty, fingerprint, read_pairs
from regard.text.store import encode_pairs
from regard.text.tokenizer import Tokenizer
from regard.training.learner import Learner
from regard.training.loop import Run
from regard.training.recipe import Choice, recommend
from regard.weights import set_weights, weights_of

LIMITS = {f"training.{name}" for name in ("epochs", "updates", "minutes", "patience")}  # may change when going on
FEWEST = 10  # pairs that can be trained on


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the user asked for."""

    folder: Path
    train: Sequence[str]  # files, as `read_pairs` takes them; none: as before
    valid: Sequence[str]  # none: some pairs of the training files are held out
    given: Settings  # settings by dotted name
    origin: Path | None = None  # a model to start from, with its words
    device: torch.device


class Prepared(NamedTuple):
    """A training that can begin, or go on."""

    run: Run
    learner: Learner
    choices: dict[str, Choice]  # the settings that follow from the corpus
    empty: int  # pairs left out, since a side of them is empty
    long: int  # pairs left out, since they have more than text.max_length pieces
    resumed: bool


def prepare(wanted: Wanted) -> Prepared:
    """Begins a training in a new folder, or finds the one that was interrupted there.

    Raises InputError where files or settings cannot be used, or are not those of the interrupted training.
    """
    if (noted := wanted.folder / "training" / "run.json").exists():
        return _go_on(wanted, json.loads(noted.read_text(encoding="utf-8")))
    if (wanted.folder / WEIGHTS).exists():
        raise InputError(f"{wanted.folder} holds a model already, without its training. Choose a new folder.")
    if not wanted.train:
        raise InputError(f"{wanted.folder}: no training to go on with. Give it pairs: --train corpus.fr corpus.en")
    return _begin(wanted)


def _begin(wanted: Wanted) -> Prepared:
    origin = load(wanted.origin) if wanted.origin else None
    read, empty = drop_empty(read_pairs(wanted.train))
    if len(read.source) < FEWEST:
        files = " ".join(wanted.train)
        raise InputError(f"{files}: {len(read.source)} pairs; at least {FEWEST} are needed, thousands are better.")
    choices = _names(wanted.train) | recommend(len(read.source), wanted.device.type, wanted.given)
    chosen = {name: choice.value for name, choice in choices.items()} | wanted.given
    config = configure(chosen | _of_origin(origin, wanted.given))
    pairs, valid = _split(wanted.valid, read, config.training.seed)
    tokenizer = origin.tokenizer if origin else Tokenizer.train(pairs, config.text, config.training.seed)
    pairs, long = _drop_long(pairs, tokenizer, config.text.max_length)
    run = Run(wanted.folder, config, tokenizer, pairs, valid)
    learner = _learner(run, wanted.device)
    if origin:
        set_weights(learner.model, weights_of(origin.model), wanted.folder)
    learner.save(run.own / "last.safetensors")
    save_description(config, tokenizer, wanted.folder)
    note = {
        "train": _absolute(wanted.train),
        "valid": _absolute(wanted.valid),
        "fingerprint": fingerprint(pairs),
    }
    write_text(run.own / "run.json", json.dumps(note, indent=2) + "\n")
    return Prepared(run, learner, choices, empty, long, False)


def _go_on(wanted: Wanted, note: dict[str, Any]) -> Prepared:
    trained = flatten(load_config(wanted.folder))
    _refuse_changes(wanted, note, trained)
    limits = {name: value for name, value in wanted.given.items() if name in LIMITS}
    config = configure(trained | limits)
    tokenizer = Tokenizer.load(wanted.folder, config.text.directions)
    pairs, empty = drop_empty(read_pairs(note["train"]))
    pairs, valid = _split(note["valid"], pairs, config.training.seed)
    pairs, long = _drop_long(pairs, tokenizer, config.text.max_length)
    if (now := fingerprint(pairs)) != note["fingerprint"]:
        raise InputError(
            f"{' '.join(note['train'])}: not the pairs that {wanted.folder} was trained on (fingerprint {now[:12]}, "
            f"then {note['fingerprint'][:12]}). Restore the files, or train in a new folder."
        )
    save_description(config, tokenizer, wanted.folder)
    run = Run(wanted.folder, config, tokenizer, pairs, valid)
    learner = _learner(run, wanted.device)
    learner.load(run.own / "last.safetensors")
    learner.standing.finished &= not limits
    return Prepared(run, learner, {}, empty, long, True)


def _learner(run: Run, device: torch.device) -> Learner:
    torch.manual_seed(run.config.training.seed)
    return Learner(new_model(run.config, run.tokenizer), run.config.training, device)


def _refuse_changes(wanted: Wanted, note: dict[str, Any], trained: Settings) -> None:
    """The training in the folder was begun with other files or settings: says which."""
    changes = [
        f"{name} was {trained[name]} and is now {value}"
        for name, value in wanted.given.items()
        if name not in LIMITS and trained[name] != value
    ]
    for kind, files in (("--train", wanted.train), ("--valid", wanted.valid)):
        before = note[kind.removeprefix("--")]
        if files and _absolute(files) != before:
            changes.append(f"{kind} was {' '.join(before) or 'not given'} and is now {' '.join(_absolute(files))}")
    if changes:
        raise InputError(
            f"{wanted.folder} holds a training that was begun otherwise: {'; '.join(changes)}. "
            f"Go on with the old ones, or train in a new folder (--from {wanted.folder} starts from its weights)."
        )


def _of_origin(origin: Translator | None, given: Settings) -> Settings:
    """The model's and the words' settings of the model to start from, which cannot be changed; dropout can."""
    if origin is None:
        return {}
    kept = flatten(origin.config)
    free = {"model.p_drop", "text.sampling", "text.max_length"}
    fixed = {name: kept[name] for name in kept if name.startswith(("model.", "text.")) and name not in free}
    for name, value in given.items():
        if name in fixed and fixed[name] != value:
            raise InputError(f"{name} is {fixed[name]} in the model to start from; {value} would be another model.")
    return fixed


def _names(files: Sequence[str]) -> dict[str, Choice]:
    """The direction that two files named corpus.fr and corpus.en speak of."""
    names = [Path(file).name.split(".") for file in files]
    codes = [next((part for part in reversed(name) if part not in ("gz", "xz", "zst")), "") for name in names]
    if len(codes) == 2 and codes[0] != codes[1] and all(code.isalpha() and 2 <= len(code) <= 3 for code in codes):
        return {"text.directions": Choice((f"{codes[0]}-{codes[1]}",), "from the names of the files")}
    return {}


def _split(valid: Sequence[str], pairs: Pairs, seed: int) -> tuple[Pairs, Pairs]:
    """Training and validation pairs; without a validation file, some that occur once are held out."""
    if valid:
        return pairs, drop_empty(read_pairs(valid))[0]
    count = min(1000, max(1, len(pairs.source) // 50))
    order = random.Random(seed).sample(range(len(pairs.source)), len(pairs.source))
    times = [Counter(side) for side in pairs]
    unique = (row for row in order if times[0][pairs.source[row]] == 1 == times[1][pairs.target[row]])
    held = set(islice(unique, count)) or set(order[:1])
    return _rows(pairs, set(order) - held), _rows(pairs, held)


def _rows(pairs: Pairs, rows: set[int]) -> Pairs:
    return Pairs(*([side[row] for row in sorted(rows)] for side in pairs))


def _drop_long(pairs: Pairs, tokenizer: Tokenizer, longest: int) -> tuple[Pairs, int]:
    """The pairs of which no side has more pieces than that, and the number of the others."""
    source, target = encode_pairs(tokenizer, pairs)
    count = len(pairs.source)
    fits = ((source.lengths <= longest) & (target.lengths <= longest)).reshape(-1, count).all(axis=0)
    kept = np.flatnonzero(fits)
    return (pairs, 0) if len(kept) == count else (_rows(pairs, set(kept.tolist())), count - len(kept))


def _absolute(files: Sequence[str]) -> list[str]:
    return [file if file == "-" else str(Path(file).absolute()) for file in files]
