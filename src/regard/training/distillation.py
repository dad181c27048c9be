"""Sequence-level knowledge distillation (Kim and Rush, 2016): a student learns from what its teacher writes.

distilled/                   in the student's directory:
    note.json                who translates what, and the settings of the student
    part-00000.jsonl ...     what the teacher has written so far; it goes on behind that
    train.jsonl valid.jsonl  what the student learns from, once all is there
    lock                     held by the process that translates here
"""

import dataclasses
import json
from collections import Counter
from collections.abc import Generator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from regard.config import Settings, TrainingConfig, configure, flatten, preset
from regard.decoding.directory import WEIGHTS
from regard.decoding.translator import Translator
from regard.disk import hash_of, write_text
from regard.errors import InputError
from regard.text.formats import Pairs, fingerprint, one_line, refuse_turned
from regard.text.tokenizer import Tokenizer
from regard.training.faults import Judge, usual_ratio
from regard.training.lock import hold
from regard.training.prepare import (
    NOTE,
    Corpus,
    Wanted,
    files_of,
    read_enough,
    refuse_model,
    refuse_place,
    split,
    with_files,
)

HOME, TRAIN, VALID = "distilled", "train.jsonl", "valid.jsonl"
PART = 512  # lines that are translated before they are written down
WORDS = {"text.tokenizer", "text.vocabulary", "text.joint"}  # whoever sets one of these wants other words
OPTIONS = {
    "teacher": "the teacher",
    "direction": "--direction",
    "beam": "--beam",
}
P_DROP = 0.1  # a teacher is more regular than a corpus: there is less to overfit
AS_TAUGHT = (*sorted(WORDS), "text.max_length")


class Teacher(NamedTuple):
    """A trained model, and how it is to translate."""

    folder: Path
    translator: Translator
    direction: str | None = None  # None: its first
    beam_size: int | None = None  # None: as its settings say


class Distilled(NamedTuple):
    """What there is for the student to learn from."""

    pairs: int  # of the corpus
    taught: int  # of them, with the teacher's translation besides
    faults: dict[str, int]  # of the translations that were left out

    def __str__(self) -> str:
        """For a person."""
        why = ", ".join(f"{times:,} {fault}" for fault, times in sorted(self.faults.items(), key=lambda one: -one[1]))
        left_out = f"; translations left out: {why}" if why else ""
        return (
            f"{self.pairs:,} pairs of the corpus, {self.taught:,} of its sources as the teacher translates{left_out}."
        )


@dataclasses.dataclass(frozen=True)
class Distillation:
    """A teacher at work for a student. Made by `begin`."""

    wanted: Wanted  # the student, with the files of its corpus
    teacher: Teacher
    corpus: Corpus | None  # in the student's direction; None where all of it is translated already

    @property
    def home(self) -> Path:
        """Where its files are."""
        return self.wanted.folder / HOME

    def lines(self) -> list[str]:
        """All that is to be translated, each line once."""
        return list(dict.fromkeys(self.corpus.train.source)) if self.corpus else []

    def written(self) -> list[dict[str, str]]:
        """What is translated and on disk: for each of the first lines, its `target` and what is its `fault`."""
        texts = (path.read_text(encoding="utf-8") for path in self._parts())
        return [json.loads(line) for text in texts for line in text.split("\n") if line]

    def translate(self) -> Generator[str, None, None]:
        """Translates what is left, line by line. However it ends, what was translated is on disk."""
        teacher, left = self.teacher, self.lines()[len(self.written()) :]
        if not self.corpus or not left:
            return
        judge = Judge(teacher.translator.tokenizer, usual_ratio(self.corpus.train))
        wish: dict[str, Any] = {"beam_size": teacher.beam_size, "n_best": 1, "log_probs": False}
        answers = teacher.translator.stream(left, direction=teacher.direction, **wish)
        numbers, rows = count(len(self._parts())), []
        try:
            for line, answer in zip(left, answers, strict=True):
                rows.append({"target": one_line(answer.text), "fault": judge.fault(line, answer)})
                if len(rows) == PART:
                    _write(self.home / f"part-{next(numbers):05}.jsonl", rows)
                    rows = []
                yield answer.text
        finally:
            if rows:
                _write(self.home / f"part-{next(numbers):05}.jsonl", rows)

    def finish(self) -> Distilled:
        """Writes what the student learns from: the pairs, and once more their sources with what the teacher made of
        them, where nothing is wrong with it."""
        assert self.corpus
        train, rows = self.corpus.train, dict(zip(self.lines(), self.written(), strict=True))
        faults = Counter(rows[source]["fault"] for source in train.source)
        taught = [source for source in train.source if not rows[source]["fault"]]
        both = Pairs(train.source + taught, train.target + [rows[source]["target"] for source in taught])
        for name, pairs in ((VALID, self.corpus.valid), (TRAIN, both)):  # the last of them says that all is there
            sides = zip(*pairs, strict=True)
            _write(self.home / name, [{"source": source, "target": target} for source, target in sides])
        for path in self._parts():
            path.unlink()
        del faults[""]
        return Distilled(len(train.source), len(taught), dict(faults))

    def student(self) -> Wanted:
        """The student's training, to be prepared."""
        train, valid = ([str(self.home / name)] for name in (TRAIN, VALID))
        wanted = dataclasses.replace(self.wanted, train=train, valid=valid)
        if _begun(wanted.folder):  # its words and settings stand in its directory
            return wanted
        given = wanted.given
        if given.get("model.architecture") != "rnn":
            given = preset("student") | {"model.p_drop": P_DROP} | given
        words = None
        if not WORDS & given.keys():
            taught, own = flatten(self.teacher.translator.config), self.teacher.translator.tokenizer
            given = {name: taught[name] for name in AS_TAUGHT} | given
            words = Tokenizer(own.source, own.target, _directions(self.teacher))
        given = given | {"text.directions": _directions(self.teacher)}
        return dataclasses.replace(wanted, given=given, words=words)

    def _parts(self) -> list[Path]:
        return sorted(self.home.glob("part-*.jsonl"))


def begin(wanted: Wanted, teacher: Teacher) -> Distillation:
    """What this teacher is to translate for this student, or has to translate still, where it was interrupted.

    `wanted` has the files of the corpus, as the teacher's first direction reads them. The student keeps the teacher's
    words unless its settings say what others it wants: so it has only to learn what to write, not how to spell it.
    It learns one direction. Raises InputError where files or settings cannot be used, or are not those that the
    distillation was begun with.
    """
    refuse_place(wanted.folder)
    if "text.directions" in wanted.given:
        raise InputError("text.directions follows from the teacher; choose one of its directions with --direction.")
    path = wanted.folder / HOME / "note.json"
    note, ready = _read_note(path) if path.exists() else None, (wanted.folder / HOME / TRAIN).exists()
    given, moved = wanted.given, False
    if note is None:
        teacher = _settled(wanted, teacher)
    else:
        _refuse_changes(wanted, teacher, note)
        teacher = teacher._replace(direction=note["direction"], beam_size=note["beam"])
        wanted = dataclasses.replace(with_files(wanted, note), given=note["settings"] | given)
        moved = any(files_of(wanted)[option] != note[option] for option in ("train", "valid"))
    if ready and not moved:
        return _ready(wanted, teacher, given)
    corpus = _read_corpus(wanted, teacher)
    distillation = Distillation(wanted, teacher, corpus)
    if not ready:
        configure(distillation.student().given)  # refused before the work, not after it
    prints = {"fingerprint": fingerprint(corpus.train), "valid_fingerprint": fingerprint(corpus.valid)}
    if note and any(note[name] != now for name, now in prints.items()):
        raise InputError(
            f"{' '.join(wanted.train)}: not the pairs that {wanted.folder} was begun with, or divided by another "
            f"--seed. Restore them, or distill into a new folder."
        )
    hold(wanted.folder / HOME)
    write_text(path, json.dumps(_note(wanted, teacher) | prints, indent=2) + "\n")
    return _ready(wanted, teacher, given) if ready else distillation


def _ready(wanted: Wanted, teacher: Teacher, given: Settings) -> Distillation:
    """All is translated; a student that is in training has its settings in its directory, but for those given now."""
    return Distillation(dataclasses.replace(wanted, given=given) if _begun(wanted.folder) else wanted, teacher, None)


def _begun(folder: Path) -> bool:
    """Whether the student is in training."""
    return (folder / "training" / NOTE).exists()


def _directions(teacher: Teacher) -> tuple[str, ...]:
    return (teacher.direction,) if teacher.direction else ()


def _settled(wanted: Wanted, teacher: Teacher) -> Teacher:
    """The teacher, with what was left to its settings; refuses what cannot be begun."""
    if _begun(wanted.folder):
        raise InputError(f"{wanted.folder} holds a training that was begun without a teacher. Choose a new folder.")
    if not wanted.train:
        raise InputError(f"{wanted.folder}: nothing to go on with. Give it pairs: --train corpus.fr corpus.en")
    refuse_model(wanted.folder)
    translator = teacher.translator
    direction = teacher.direction or next(iter(translator.tokenizer.directions), None)
    translator.tokenizer.tag(direction)
    for files in (wanted.train, wanted.valid):
        refuse_turned(files, translator.tokenizer.directions)
    beam_size = translator.config.decoding.beam_size if teacher.beam_size is None else teacher.beam_size
    translator.decoding(beam_size=beam_size, n_best=1)
    return teacher._replace(direction=direction, beam_size=beam_size)


def _read_corpus(wanted: Wanted, teacher: Teacher) -> Corpus:
    """What is to be translated and what to be validated with, in the student's direction."""
    seed = wanted.given.get("training.seed", TrainingConfig().seed)
    corpus = split(wanted, *read_enough(wanted.train), seed)
    directions = teacher.translator.tokenizer.directions
    if len(directions) > 1 and teacher.direction == directions[1]:
        return corpus._replace(train=Pairs(*reversed(corpus.train)), valid=Pairs(*reversed(corpus.valid)))
    return corpus


def _note(wanted: Wanted, teacher: Teacher) -> dict[str, Any]:
    files = files_of(wanted)
    return {
        "name": teacher.translator.name,
        "teacher": hash_of(teacher.folder / WEIGHTS),
        "direction": teacher.direction,
        "beam": teacher.beam_size,
        "train": files["train"],
        "valid": files["valid"],
        "settings": wanted.given,
    }


def _read_note(path: Path) -> dict[str, Any]:
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
        return {
            name: note[name]
            for name in ("name", *OPTIONS, "train", "valid", "settings", "fingerprint", "valid_fingerprint")
        }
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path}: damaged; it says what is distilled. Take it from a copy.") from None


def _refuse_changes(wanted: Wanted, teacher: Teacher, note: dict[str, Any]) -> None:
    """What is distilled here was begun otherwise: says how."""
    now = _note(wanted, teacher)
    changes = [
        f"{option} was {_shown(note[name])} and is now {_shown(now[name])}"
        for name, option in OPTIONS.items()
        if now[name] and now[name] != note[name]
    ]
    if changes:
        raise InputError(
            f"{wanted.folder} holds a distillation that was begun otherwise: {'; '.join(changes)}. "
            f"Go on with the old ones, or distill into a new folder."
        )


def _shown(value: str | int | None) -> str:
    """A value of the note, in brief."""
    text = str(value or "not given")
    return text[:12] if len(text) == 64 else text


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def taught_by(folder: Path) -> str:
    """The name of the model that taught the one in this directory; empty where none did."""
    path = folder / HOME / "note.json"
    return str(_read_note(path)["name"]) if path.exists() else ""
