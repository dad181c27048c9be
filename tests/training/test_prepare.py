"""What comes before the first update: beginning, going on, and what is refused with a reason."""

import json
import random
from pathlib import Path

import pytest
import torch

from regard.config import flatten
from regard.decoding.directory import load, load_config
from regard.errors import InputError
from regard.text.formats import Pairs, read_pairs
from regard.training.loop import Ended, train
from regard.weights import load_tensors, weights_of


def refused(message):
    return pytest.raises(InputError, match=message)


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def written(path, lines):
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(path)


def content(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def trained(begin):
    """The folder of a training that is over after two updates."""
    prepared = begin("trained", training_updates=2)
    assert isinstance(list(train(prepared.run, prepared.learner))[-1], Ended)
    return prepared.run.folder


def test_a_new_training_has_a_folder_that_a_later_one_can_go_on_in(begin, files):
    prepared = begin(training_updates=7, model_norm="pre")
    folder, run = prepared.run.folder, prepared.run
    assert (len(run.train.source), len(run.valid.source)) == (97, 11)
    assert run.train == read_pairs(files["numbers"])
    assert load_config(folder) == run.config
    note = json.loads((folder / "training" / "run.json").read_text())
    assert (note["train"], note["valid"]) == (files["numbers"], files["valid"])
    again = begin()
    assert (prepared.resumed, again.resumed) == (False, True)
    assert again.run.config == run.config
    assert (again.run.train, again.run.valid) == (run.train, run.valid)
    assert same(weights_of(again.learner.model), weights_of(prepared.learner.model))


def test_given_settings_are_taken_and_the_others_chosen_for_the_corpus(begin):
    prepared = begin()
    settings = flatten(prepared.run.config)
    assert settings["model.d_model"] == 14
    assert "model.d_model" not in prepared.choices
    assert settings["model.norm"] == prepared.choices["model.norm"].value == "pre"
    assert all(settings[name] == choice.value for name, choice in prepared.choices.items())


def test_the_names_of_the_files_say_the_direction(begin, tmp_path, files):
    assert begin("one").run.config.text.directions == ("fr-en",)
    assert begin("other", text_directions=("nl-de",)).run.config.text.directions == ("nl-de",)
    for left, right in (("left.txt", "right.txt"), ("a.src", "a.tgt"), ("a.fr", "b.fr"), ("source", "target")):
        paths = [str(tmp_path / name) for name in (left, right)]
        for path, file in zip(paths, files["numbers"], strict=True):
            Path(path).write_bytes(Path(file).read_bytes())
        assert begin(f"from {left}", train=paths).run.config.text.directions == ()


@pytest.mark.parametrize("directions", [("en-fr",), ("en-fr", "fr-en")])
def test_files_whose_names_stand_the_other_way_round_than_the_direction_are_refused(begin, files, directions):
    left, right = files["numbers"]
    with refused(
        f"{left} and {right}: .* fr before en, but pairs stand as the first direction, .* Write {right} {left}."
    ):
        begin(text_directions=directions)
    begin(train=[right, left], valid=files["valid"][::-1], text_directions=directions)


def test_validation_files_that_stand_the_other_way_round_than_the_others_are_refused(begin, files, tmp_path):
    right, left = files["valid"]
    with refused(
        f"{left} and {right}: .* en before fr, but pairs stand as the first direction, fr-en.* Write {right} {left}"
    ):
        begin(valid=[left, right])
    assert not (tmp_path / "model").exists()
    silent = [str(Path(file).rename(tmp_path / name)) for file, name in zip((left, right), "ab", strict=True)]
    begin(valid=silent)


def test_files_that_stand_the_other_way_round_than_in_the_model_to_start_from_are_refused(begin, files, trained):
    with refused("pairs stand as the first direction, fr-en, reads them"):
        begin("next", origin=trained, train=files["numbers"][::-1], valid=[])


def test_the_words_are_learned_from_the_training_pairs_alone(begin, tmp_path, files):
    lines = read_pairs(files["valid"])
    foreign = [
        written(tmp_path / f"foreign.{code}", [*side, "xylophone"]) for code, side in zip("ab", lines, strict=True)
    ]
    tokenizer = begin(valid=foreign, text_directions=("fr-en",)).run.tokenizer
    assert len(tokenizer.source.encode("sept")) == 1
    assert len(tokenizer.source.encode("xylophone")) > 1


def test_without_a_validation_file_some_pairs_are_held_out(begin, tmp_path):
    """One in fifty, whose sides occur but once; the others keep their order."""
    numbers = random.Random(1)
    fr = [" ".join(numbers.choices(["un", "deux", "cinq"], k=12)) for _ in range(80)] + ["sept"] * 20
    en = [line.upper() for line in fr]
    paths = [written(tmp_path / "some.fr", fr), written(tmp_path / "some.en", en)]
    run = begin(train=paths, valid=[]).run
    assert len(run.valid.source) == 2
    assert "sept" not in run.valid.source
    held = set(run.valid.source)
    assert run.train == Pairs(*([line for line in side if line.lower() not in held] for side in (fr, en)))
    assert begin("again", train=paths, valid=[]).run.valid == run.valid
    assert begin("otherwise", train=paths, valid=[], training_seed=2).run.valid != run.valid


def test_empty_pairs_and_long_ones_are_left_out_and_counted(begin, tmp_path):
    fr = ["un deux", "", "un", " ", *["un deux trois"] * 11, "un deux trois un", "deux un un un un"]
    en = ["one two", "one", "", "\t", *["one two three"] * 11, "one", "two"]
    paths = [written(tmp_path / "some.fr", fr), written(tmp_path / "some.en", en)]
    prepared = begin(train=paths, text_max_length=4)  # three words and the end
    assert (prepared.empty, len(prepared.run.train.source)) == (3, 12)
    long_ones_of_validation = 11 - len(prepared.run.valid.source)
    assert prepared.long == 2 + long_ones_of_validation
    assert max(len(line.split()) for line in prepared.run.valid.source) <= 3


@pytest.mark.parametrize("what", ["train", "valid"])
def test_a_corpus_of_which_all_is_too_long_is_refused(begin, tmp_path, files, what):
    long = ["un " * 7] * 11
    paths = [written(tmp_path / f"long.{code}", long) for code in ("fr", "en")]
    with refused("long.fr .*long.en: every pair has more than 5 pieces on a side. Raise text.max_length"):
        begin(**{"train": written_short(tmp_path), what: paths}, text_max_length=5)


def written_short(folder):
    return [written(folder / f"short.{code}", ["un deux"] * 11) for code in ("fr", "en")]


def test_too_few_pairs_are_refused(begin, tmp_path):
    paths = [written(tmp_path / f"few.{code}", ["un"] * 9 + [""] * 5) for code in ("fr", "en")]
    with refused("few.en: 9 pairs; at least 10 are needed"):
        begin(train=paths)


def test_a_validation_file_with_nothing_in_it_is_refused(begin, tmp_path):
    paths = [written(tmp_path / f"none.{code}", [""] * 3) for code in ("fr", "en")]
    with refused("none.en: no pair with something on both sides"):
        begin(valid=paths)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model_n_head": 3}, "no setting 'model.n_head'"),
        ({"model_n_heads": 3}, "the width does not divide"),
        ({"text_sampling": 0.1}, "only one way to write a line"),
    ],
)
def test_a_wrong_setting_leaves_no_folder(begin, tmp_path, settings, message):
    with refused(message):
        begin(**settings)
    assert not (tmp_path / "model").exists()


def test_a_folder_with_nothing_to_go_on_with_is_refused(begin):
    with refused("model: no training to go on with. Give it pairs: --train"):
        begin(train=[])


def test_a_model_without_its_training_is_not_overwritten(begin, trained):
    for path in (trained / "training").iterdir():
        path.unlink()
    (trained / "training").rmdir()
    before = content(trained)
    with refused("trained holds a .* already, without its training. Choose a new folder"):
        begin("trained")
    assert content(trained) == before


def test_a_folder_that_is_a_file_is_refused(begin, tmp_path):
    (tmp_path / "model").write_text("a file")
    with refused("model is a file; the model needs a folder"):
        begin()


def test_limits_can_change_when_going_on_and_nothing_else_can(begin, trained):
    assert begin("trained", training_updates=5, training_patience=3).run.config.training.updates == 5
    before = content(trained)
    with refused("begun otherwise: model.d_model was 14 and is now 22; training.seed was 1 and is now 3"):
        begin("trained", model_d_model=22, training_seed=3)
    assert content(trained) == before
    assert begin("trained", model_d_model=14).run.config.training.updates == 5


@pytest.mark.parametrize("option", ["train", "valid"])
def test_other_files_are_refused_when_going_on(begin, files, trained, option):
    assert begin("trained", **{option: files["numbers" if option == "train" else "valid"]}).resumed
    other = list(reversed(files["valid" if option == "train" else "numbers"]))
    own = files["numbers" if option == "train" else "valid"]
    with refused(f"{other[0]} {other[1]}: not the pairs .* was begun with .* of {own[0]} {own[1]}"):
        begin("trained", **{option: other})


def test_files_that_have_moved_are_gone_on_with_and_remembered(begin, files, trained):
    for kind in ("numbers", "valid"):
        files[kind] = [str(Path(path).rename(Path(path).with_stem(f"moved-{kind}"))) for path in files[kind]]
    with refused("numbers.fr: "):
        begin("trained")
    for given in ({"train": files["numbers"], "valid": files["valid"]}, {}):
        assert begin("trained", **given).resumed


def test_files_within_the_models_folder_are_found_when_it_is_renamed(begin, files, tmp_path):
    (tmp_path / "old" / "own").mkdir(parents=True)
    inside = [str(Path(path).rename(tmp_path / "old" / "own" / Path(path).name)) for path in files["numbers"]]
    assert not begin("old", train=inside, valid=files["valid"], training_updates=2).resumed
    (tmp_path / "old").rename(tmp_path / "new")
    assert begin("new").resumed


def test_what_no_weight_depends_on_can_change_when_going_on(begin, trained):
    """And does not make a training that is over go on."""
    again = begin("trained", training_save_every=7, training_tensorboard=True, decoding_beam_size=3)
    training, decoding = again.run.config.training, again.run.config.decoding
    assert (training.save_every, training.tensorboard, decoding.beam_size) == (7, True, 3)
    assert again.learner.standing.finished
    with refused("decoding.max_length was 512 and is now 7"):  # of the translations that validate
        begin("trained", decoding_max_length=7)


@pytest.mark.parametrize("option", ["numbers", "valid"])
def test_files_whose_lines_have_changed_are_refused_when_going_on(begin, files, trained, option):
    path = Path(files[option][1])
    original = path.read_text()
    path.write_text(original.replace("one", "ONE", 1))
    with refused(f"{option}.en: not the pairs that .*trained was begun with"):
        begin("trained")
    path.write_text(original)
    assert begin("trained").resumed


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"{}"])
def test_a_damaged_note_is_refused(begin, trained, damage):
    (trained / "training" / "run.json").write_bytes(damage)
    with refused("run.json: damaged"):
        begin("trained")


def test_a_model_can_start_from_another_ones_weights_and_words(begin, trained):
    prepared = begin("next", origin=trained, training_seed=7)
    origin = load(trained)
    assert same(weights_of(prepared.learner.model), weights_of(origin.model))
    assert same(weights_of(prepared.learner.average), weights_of(origin.model))
    assert prepared.run.tokenizer.source.model == origin.tokenizer.source.model
    assert prepared.learner.standing.update == 0
    start = load_tensors(prepared.run.own / "last.safetensors")[0]
    assert torch.equal(
        start["weights.encoder.layers.0.feed_forward.w_1.bias"], origin.model.encoder.layers[0].feed_forward.w_1.bias
    )


def test_who_starts_from_a_model_learns_more_slowly_than_a_new_one(begin, trained):
    new, old = (
        begin(name, origin=origin).choices["training.learning_rate"]
        for name, origin in (("new", None), ("old", trained))
    )
    assert (new.value, old.value) == (0.003, 0.001)
    assert "goes on from a trained model" in old.reason


def test_the_rate_follows_the_model_that_is_started_from(begin):
    post = begin("post", model_norm="post", training_updates=1)
    list(train(post.run, post.learner))
    rate = begin("next", origin=post.run.folder).choices["training.learning_rate"].value
    assert rate == float(f"{begin('new', model_norm='post').choices['training.learning_rate'].value / 3:.2g}")


def test_what_a_training_left_that_was_killed_while_it_saved_is_cleared_away(begin, trained):
    rests = [trained / "training" / f".{name}.0123abcd" for name in ("last.safetensors", "update-3.safetensors")]
    rests.append(trained / ".model.safetensors.0123abcd")
    others = [trained / ".mine.0123abcd", trained / "training" / ".last.safetensors.saved"]
    for path in rests + others:
        path.touch()
    assert begin("trained").resumed
    assert [path for path in rests + others if path.exists()] == others


def test_what_was_left_before_the_first_save_is_cleared_away_too(begin, files, tmp_path):
    rest = tmp_path / "model" / "training" / ".last.safetensors.0123abcd"
    rest.parent.mkdir(parents=True)
    rest.touch()
    small = dict(text_tokenizer="word", text_vocabulary=300, model_d_model=14, model_n_heads=2)
    assert not begin(train=files["numbers"], valid=files["valid"], **small).resumed
    assert not rest.exists()


def test_who_starts_from_a_model_keeps_its_shape_but_may_change_its_dropout(begin, trained):
    assert begin("next", origin=trained, model_p_drop=0.5).run.config.model.p_drop == 0.5
    with refused("model.d_model is 14 in the model to start from; 22 would be another model"):
        begin("other", origin=trained, model_d_model=22)


def test_the_same_seed_begins_with_the_same_weights_and_another_with_others(begin):
    weights = [
        weights_of(begin(name, training_seed=seed).learner.model) for name, seed in (("a", 3), ("b", 3), ("c", 5))
    ]
    assert same(weights[0], weights[1])
    assert not same(weights[0], weights[2])
