"""What a teacher writes for a student, with a teacher that is made up, so that every answer is known."""

import dataclasses
import json
from contextlib import closing
from pathlib import Path

import pytest
import torch

from regard.config import configure
from regard.decoding.directory import WEIGHTS, new_model
from regard.decoding.sentences import Translation
from regard.decoding.translator import Translator
from regard.errors import InputError
from regard.text.formats import Pairs, read_pairs
from regard.text.tokenizer import Tokenizer
from regard.training import distillation
from regard.training.distillation import Teacher, begin, taught_by
from regard.training.prepare import Wanted, prepare

from .conftest import SMALL, WORDS


class Scripted(Translator):
    """Translates word by word; of a line with `sept` it says nothing, and it counts what it is asked."""

    asked: list[str] = []  # noqa: RUF012  (of each test: see the fixture)

    def stream(self, lines, **wish):
        for line in lines:
            self.asked.append(line)
            text = "" if "sept" in line else " ".join(f"T{WORDS[word]}" for word in line.split())
            yield Translation(text, [*text.split(), "</s>"], [], 0.0, [])


@pytest.fixture
def teacher(tmp_path, files) -> Teacher:
    """One of a single direction, fr-en."""
    Scripted.asked = []
    config = configure(SMALL | {"text.directions": ("fr-en",)})
    words = Tokenizer.train(read_pairs(files["numbers"]), config.text, 1)
    (tmp_path / "teacher").mkdir()
    (tmp_path / "teacher" / WEIGHTS).write_bytes(b"weights")
    return Teacher(tmp_path / "teacher", Scripted(new_model(config, words), words, config, "old master"))


@pytest.fixture
def wanted(tmp_path, files) -> Wanted:
    return Wanted(
        folder=tmp_path / "student",
        train=files["numbers"],
        valid=files["valid"],
        given={"training.updates": 3},
        device=torch.device("cpu"),
    )


def all_of(found):
    return list(found.translate())


def test_the_student_learns_from_the_pairs_and_from_what_the_teacher_made_of_them_where_it_made_something(
    teacher, wanted, files
):
    found = begin(wanted, teacher)
    pairs = read_pairs(files["numbers"])
    good = [source for source in pairs.source if "sept" not in source]
    assert 0 < len(good) < 97
    assert len(all_of(found)) == 97
    told = found.finish()
    assert told == (97, len(good), {"empty": 97 - len(good)})
    assert str(told).endswith(f"left out: {97 - len(good)} empty.")
    learned = read_pairs([wanted.folder / "distilled" / "train.jsonl"])
    made = [" ".join(f"T{WORDS[word]}" for word in source.split()) for source in good]
    assert learned == Pairs(pairs.source + good, pairs.target + made)
    assert read_pairs([wanted.folder / "distilled" / "valid.jsonl"]) == read_pairs(files["valid"])


def test_a_line_that_stands_twice_is_translated_once_and_learned_twice(teacher, wanted, tmp_path):
    for code, line in (("fr", "un deux"), ("en", "one two")):
        (tmp_path / f"twice.{code}").write_text(11 * f"{line}\n", encoding="utf-8")
    twice = dataclasses.replace(wanted, train=[str(tmp_path / f"twice.{code}") for code in ("fr", "en")])
    found = begin(twice, teacher)
    assert all_of(found) == ["Tone Ttwo"]
    assert found.finish()[:2] == (11, 11)


def test_an_interrupted_teacher_goes_on_behind_the_last_line_that_it_finished(teacher, wanted, monkeypatch):
    monkeypatch.setattr(distillation, "PART", 5)
    found = begin(wanted, teacher)
    with closing(found.translate()) as answers:
        for _ in range(13):
            next(answers)
    assert len(found.written()) == 13
    before = list(Scripted.asked)
    again = begin(dataclasses.replace(wanted, train=[], valid=[], given={}), teacher)
    assert len(all_of(again)) == 97 - 13
    assert Scripted.asked[len(before) :] == found.lines()[13:]
    again.finish()
    interrupted = (wanted.folder / "distilled" / "train.jsonl").read_bytes()
    whole = begin(dataclasses.replace(wanted, folder=wanted.folder.with_name("whole")), teacher)
    all_of(whole)
    whole.finish()
    assert (whole.home / "train.jsonl").read_bytes() == interrupted
    assert sorted(path.name for path in whole.home.iterdir()) == ["lock", "note.json", "train.jsonl", "valid.jsonl"]


def test_what_is_all_translated_is_not_translated_again(teacher, wanted):
    found = begin(wanted, teacher)
    all_of(found)
    found.finish()
    again = begin(wanted, teacher)
    assert again.corpus is None
    assert all_of(again) == []


def test_pairs_that_are_held_out_are_not_taught(teacher, wanted):
    found = begin(dataclasses.replace(wanted, valid=[]), teacher)
    all_of(found)
    found.finish()
    held_out = read_pairs([found.home / "valid.jsonl"]).source
    learned = read_pairs([found.home / "train.jsonl"]).source
    assert held_out
    assert not {*held_out} & {*learned}


def test_a_teacher_of_two_directions_teaches_the_one_that_is_asked_for(tmp_path, wanted, files):
    config = configure(SMALL | {"text.directions": ("fr-en", "en-fr")})
    pairs = read_pairs(files["numbers"])
    words = Tokenizer.train(pairs, config.text, 1)
    (tmp_path / "both").mkdir()
    (tmp_path / "both" / WEIGHTS).write_bytes(b"weights")
    translator = Scripted(new_model(config, words), words, config)
    found = begin(wanted, Teacher(tmp_path / "both", translator, "en-fr"))
    assert found.lines() == pairs.target
    student = found.student()
    assert student.given["text.directions"] == ("en-fr",)
    assert student.words is not None
    assert student.words.tag("en-fr") == []  # one direction needs no sign of it


def test_the_student_is_small_and_keeps_the_words_of_its_teacher(teacher, wanted):
    student = begin(wanted, teacher).student()
    assert student.words is not None
    assert student.words.source is teacher.translator.tokenizer.source
    assert (student.given["model.n_encoder_layers"], student.given["model.n_decoder_layers"]) == (6, 1)
    assert student.given["text.vocabulary"] == 300


def test_settings_of_words_or_sizes_have_their_way(teacher, wanted):
    given = {"text.tokenizer": "char", "model.d_model": 22, "model.n_heads": 2}
    student = begin(dataclasses.replace(wanted, given=given), teacher).student()
    assert student.words is None
    assert student.given["model.d_model"] == 22
    assert student.given["model.n_encoder_layers"] == 6


def test_the_student_is_trained_on_it_goes_on_and_says_who_taught_it(teacher, wanted):
    found = begin(dataclasses.replace(wanted, given=SMALL | {"training.updates": 3}), teacher)
    all_of(found)
    told = found.finish()
    begun = prepare(found.student())
    assert len(begun.run.train.source) == told.pairs + told.taught
    assert len(begun.run.valid.source) == 11
    assert begun.run.config.text.directions == ("fr-en",)
    again = begin(dataclasses.replace(wanted, train=[], valid=[], given={}), teacher)
    assert prepare(again.student()).resumed
    assert taught_by(wanted.folder) == "old master"
    assert taught_by(teacher.folder) == ""


def refused(message):
    return pytest.raises(InputError, match=message)


def test_another_teacher_beam_or_corpus_is_refused(teacher, wanted, files):
    begin(wanted, teacher)
    with refused("--beam was 5 and is now 3"):
        begin(wanted, teacher._replace(beam_size=3))
    with refused("valid.fr .*: not the pairs that .*student was begun with"):
        begin(dataclasses.replace(wanted, train=files["valid"]), teacher)
    (teacher.folder / WEIGHTS).write_bytes(b"other weights")
    with refused("the teacher was [0-9a-f]{12} and is now [0-9a-f]{12}"):
        begin(wanted, teacher)


def test_a_changed_corpus_is_refused(teacher, wanted, files):
    begin(wanted, teacher)
    for path, line in zip(files["numbers"], ("un", "one"), strict=True):
        Path(path).write_text(Path(path).read_text(encoding="utf-8") + f"{line}\n", encoding="utf-8")
    with refused("not the pairs that .*student was begun with"):
        begin(wanted, teacher)


def test_a_corpus_and_a_student_that_have_moved_are_gone_on_with(teacher, wanted, files):
    """The student's is renamed, too; no line is translated again, and a corpus with other pairs is refused still."""
    found = begin(dataclasses.replace(wanted, given=SMALL | {"training.updates": 3}), teacher)
    all_of(found)
    found.finish()
    prepare(found.student())
    moved = [str(Path(path).rename(Path(path).with_name(f"moved.{path[-2:]}"))) for path in files["numbers"]]
    renamed = wanted.folder.rename(wanted.folder.with_name("renamed"))
    again = begin(dataclasses.replace(wanted, folder=renamed, train=moved, valid=[], given={}), teacher)
    assert again.corpus is None
    assert prepare(again.student()).resumed
    assert prepare(dataclasses.replace(wanted, folder=renamed, train=[], valid=[], given={})).resumed
    assert json.loads((renamed / "distilled" / "note.json").read_text(encoding="utf-8"))["train"] == moved
    with refused("valid.fr .*: not the pairs that .*renamed was begun with"):
        begin(dataclasses.replace(wanted, folder=renamed, train=files["valid"]), teacher)


def test_what_cannot_be_begun_is_refused_before_the_teacher_says_a_word(teacher, wanted, tmp_path, files):
    with refused("nothing to go on with. Give it pairs"):
        begin(dataclasses.replace(wanted, train=[]), teacher)
    for turned in ({"train": wanted.train[::-1]}, {"valid": wanted.valid[::-1]}):
        with refused("pairs stand as the first direction, fr-en, reads them"):
            begin(dataclasses.replace(wanted, **turned), teacher)
    with refused("There is no direction 'de-en'"):
        begin(wanted, teacher._replace(direction="de-en"))
    with refused("decoding.beam_size is 0"):
        begin(wanted, teacher._replace(beam_size=0))
    with refused("choose one of its directions with --direction"):
        begin(dataclasses.replace(wanted, given={"text.directions": ("fr-en",)}), teacher)
    with refused("does not divide"):
        begin(dataclasses.replace(wanted, given={"model.n_heads": 7}), teacher)
    with refused("teacher holds a model.safetensors already"):
        begin(dataclasses.replace(wanted, folder=teacher.folder), teacher)
    assert not wanted.folder.exists()
    assert Scripted.asked == []


def test_a_training_without_a_teacher_is_left_alone(teacher, wanted):
    (wanted.folder / "training").mkdir(parents=True)
    (wanted.folder / "training" / "run.json").write_text("{}", encoding="utf-8")
    with refused("begun without a teacher"):
        begin(wanted, teacher)


@pytest.mark.parametrize("text", ["", "[]", json.dumps({"teacher": "x"})])
def test_a_damaged_note_is_named(text, teacher, wanted):
    begin(wanted, teacher)
    (wanted.folder / "distilled" / "note.json").write_text(text, encoding="utf-8")
    with refused("note.json: damaged"):
        begin(wanted, teacher)
