"""That an RNN goes all the way of a Transformer: it learns, goes on bit by bit, and answers every verb."""

import json
import random

import pytest
import torch
from safetensors.torch import load_file

from regard.cli import main
from regard.config import configure, flatten, parse_setting
from regard.decoding.directory import load
from regard.errors import InputError
from regard.looking.gazing import gaze
from regard.training.loop import Updated, train
from regard.training.prepare import Wanted, prepare

WORDS = ["ba", "da", "fa", "ga", "la", "ma", "na"]
SETTINGS = {
    "model.architecture": "rnn",
    "model.n_encoder_layers": 1,
    "model.n_decoder_layers": 1,
    "model.d_model": 32,
    "model.p_drop": 0.0,
    "text.tokenizer": "word",
    "text.vocabulary": 300,
    "text.directions": ("xx-yy",),
    "training.batch_tokens": 1024,
    "training.learning_rate": 1e-2,
    "training.label_smoothing": 0.0,
    "training.warmup": 50,
    "training.ema": 0.9,
    "training.updates": 150,
    "training.validate_every": 150,
    "training.validate_pairs": 0,
    "training.precision": "float32",
}


def lines(count, seed):
    """Different lines of two to six words."""
    numbers, seen = random.Random(seed), {}
    while len(seen) < count:
        seen[" ".join(numbers.choices(WORDS, k=numbers.randint(2, 6)))] = True
    return list(seen)


EVERY = lines(1100, seed=1)


def reverse(line):
    return " ".join(reversed(line.split()))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A thousand lines, and the same backwards."""
    path = tmp_path_factory.mktemp("rnn") / "corpus.tsv"
    path.write_text("".join(f"{line}\t{reverse(line)}\n" for line in EVERY[:1000]), encoding="utf-8")
    return path


def begin(corpus, name, **changes):
    given = SETTINGS | {key.replace("_", ".", 1): value for key, value in changes.items()}
    resumed = (corpus.parent / name / "training").exists()
    files = [] if resumed else [str(corpus)]
    wanted = Wanted(folder=corpus.parent / name, train=files, valid=[], given=given, device=torch.device("cpu"))
    return prepare(wanted)


@pytest.fixture(scope="module")
def learned(corpus):
    """A model with attention that has learned to reverse lines."""
    prepared = begin(corpus, "learned")
    losses = [event.log_loss for event in train(prepared.run, prepared.learner) if isinstance(event, Updated)]
    assert losses[-1] < 0.1
    return corpus.parent / "learned"


def right(folder):
    """How many of a hundred unseen lines it reverses."""
    answers = load(folder).translate(EVERY[1000:], beam_size=1)
    return sum(answer.text == reverse(line) for answer, line in zip(answers, EVERY[1000:], strict=True))


def test_with_attention_an_rnn_learns_to_reverse_lines_that_it_has_not_seen(learned):
    assert right(learned) >= 95


def test_the_weights_say_where_each_word_was_taken_from(learned):
    """The i-th word of the answer is the i-th from the end of the question."""
    seen = gaze(load(learned), "ba fa na ga la")
    assert seen.translation == "la ga na fa ba"
    assert [word.text for word in seen.source_words] == ["ba", "fa", "na", "ga", "la", "</s>"]
    torch.testing.assert_close(torch.from_numpy(seen.weights).sum(dim=1), torch.ones(6))
    for word in ("la", "ga", "na", "fa"):
        near = max(seen.of(word), key=lambda looked: looked.weight)
        assert near.word in {word, *neighbours(word)}, word
    assert seen.log_prob(seen.word("na")) == pytest.approx(0, abs=0.05)


def neighbours(word):
    """An annotation knows its neighbours too, so the decoder may look beside the word."""
    row = ["", "ba", "fa", "na", "ga", "la", "</s>"]
    place = row.index(word)
    return row[place - 1], row[place + 1]


@pytest.mark.parametrize("changes", [{}, {"model_cell": "lstm", "model_attention": False}])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_training_that_was_interrupted_ends_bit_equal_to_one_that_was_not(corpus, changes, precision):
    """Dropout on, two layers, batches side by side."""
    settings = dict(
        training_precision=precision, training_updates=7, training_validate_every=3, training_accumulate=2,
        training_save_every=1, model_p_drop=0.3, model_n_encoder_layers=2, model_n_decoder_layers=2, **changes,
    )  # fmt: skip
    name = f"{precision}-{len(changes)}"
    whole = begin(corpus, f"{name}-whole", **settings)
    for _ in train(whole.run, whole.learner):
        pass
    for last in (2, 5, 7):
        part = begin(corpus, f"{name}-parts", **settings)
        for _ in train(part.run, part.learner, lambda part=part, last=last: part.learner.standing.update == last):
            pass
    for file in ("model.safetensors", "training/last.safetensors"):
        one, other = (load_file(corpus.parent / f"{name}-{kind}" / file) for kind in ("whole", "parts"))
        assert one.keys() == other.keys()
        assert [key for key in one if not torch.equal(one[key], other[key])] == []


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_two_cores_side_by_side_learn_bit_by_bit_what_one_learns(corpus, precision):
    """Dropout on, and more batches than cores."""
    settings = dict(training_precision=precision, training_accumulate=3, training_batch_tokens=128, model_p_drop=0.3)
    learners = []
    for cores in (1, 2):
        torch.set_num_threads(cores)
        try:
            prepared = begin(corpus, f"{precision}-{cores}-cores", **settings, training_updates=3)
            for _ in train(prepared.run, prepared.learner):
                pass
        finally:
            torch.set_num_threads(1)
        learners.append(prepared.learner)
    assert [len(learner.replicas) for learner in learners] == [1, 2]
    for one, other in zip(*(learner.model.parameters() for learner in learners), strict=True):
        assert torch.equal(one, other)


@pytest.fixture(scope="module")
def said(learned, corpus):
    """Runs a verb in this process; its exit status."""
    return lambda verb, *options: main([verb, str(learned), *map(str, options)])


def test_every_way_to_translate_gives_the_answer(said, capsys):
    for options in (["--beam", 1], ["--beam", 3], ["--set", "decoding.temperature=0.1"], ["--nbest", 2]):
        assert said("translate", "ba fa na", *options) == 0
        assert capsys.readouterr().out.split("\n")[0].endswith("na fa ba"), options


def test_beam_search_alone_and_in_a_batch_agree(learned):
    translator, some = load(learned), EVERY[1000:1013]
    together = translator.translate(some, beam_size=3)
    for line, answer in zip(some, together, strict=True):
        alone = translator.translate(line, beam_size=3)
        assert alone.pieces == answer.pieces
        assert alone.log_probs == pytest.approx(answer.log_probs, abs=1e-4)


@pytest.fixture(scope="module")
def few(corpus):
    """Eleven unseen pairs."""
    path = corpus.parent / "few.tsv"
    path.write_text("".join(f"{line}\t{reverse(line)}\n" for line in EVERY[1000:1011]), encoding="utf-8")
    return path


def test_score_and_evaluate_read_pairs(said, few, capsys):
    assert said("score", "--pairs", few) == 0
    scores = [float(line) for line in capsys.readouterr().out.split()]
    assert len(scores) == 11
    assert sum(score > -0.1 for score in scores) >= 10
    assert said("evaluate", "--test", few, "--json", "--resamples", 0) == 0
    told = json.loads(capsys.readouterr().out)
    assert {score["metric"] for score in told} == {"BLEU", "chrF2", "TER"}
    assert told[0]["score"] > 90


def test_its_attention_aligns_words_better_than_chance(said, few, corpus, capsys):
    """Word i of the answer is the i-th from the end of the question; links by chance would be wrong 3 times in 4."""
    gold = corpus.parent / "few.gold"
    lengths = [len(line.split()) for line in EVERY[1000:1011]]
    links = [" ".join(f"{n - 1 - i}-{i}" for i in range(n)) for n in lengths]
    gold.write_text("".join(f"{line}\n" for line in links), encoding="utf-8")
    assert said("evaluate", "--test", few, "--alignment", gold, "--json", "--resamples", 0) == 0
    told = json.loads(capsys.readouterr().out)["alignment"]
    assert {(one["layer"], one["head"]) for one in told["every"]} == {(1, None), (1, 1)}
    assert min(one["aer"] for one in told["every"]) < 0.5


def test_look_shows_where_the_decoder_looks(said, capsys):
    assert said("look", "ba fa na ga", "--word", "fa") == 0
    shown = capsys.readouterr().out
    assert "Attention of fa" in shown
    rows = [line.split()[:2] for line in shown.split("\n") if line.split()[:1] in (["ba"], ["fa"], ["na"], ["ga"])]
    assert [row[0] for row in rows] == ["ba", "fa", "na", "ga"]
    assert 0.9 < sum(float(row[1]) for row in rows) <= 1.001


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["look", "ba fa", "--word", "fa", "--layer", "1"], "without layers and heads"),
        (["look", "ba fa"], "without heads"),
        (["look", "ba fa", "--word", "la"], "no word 'la': the target has fa ba </s>"),
        (["evaluate", "--test", "few.tsv", "--attribution", "--resamples", "0"], "without heads"),
        (["translate", "ba", "--engine", "ctranslate2"], "RNN"),
    ],
)
def test_what_an_rnn_has_not_is_refused_in_a_sentence(said, few, capsys, monkeypatch, arguments, wanted):
    monkeypatch.chdir(few.parent)
    assert said(*arguments) == 2
    shown = capsys.readouterr().err
    assert wanted in shown
    assert shown.count("\n") == 1


def test_a_trace_of_an_rnn_is_refused_with_what_can_be_looked_at_instead(learned):
    with pytest.raises(InputError, match=r"learned is an RNN .* regard look DIR"):
        load(learned).look("ba fa")


def test_an_rnn_without_attention_and_a_transformer_have_nothing_to_gaze_with(corpus, one_way):
    begin(corpus, "summary", model_attention=False, training_updates=1)
    prepared = begin(corpus, "summary", model_attention=False, training_updates=1)
    for _ in train(prepared.run, prepared.learner):
        pass
    with pytest.raises(InputError, match="one summary of the sentence"):
        gaze(load(corpus.parent / "summary"), "ba fa")
    with pytest.raises(InputError, match=r"to see is its score\.$"):
        load(corpus.parent / "summary").look("ba fa")
    with pytest.raises(InputError, match="is a Transformer"):
        gaze(load(one_way), "ba be")


def test_a_model_that_was_described_before_there_were_rnns_is_a_transformer(one_way, tmp_path):
    described = json.loads((one_way / "config.json").read_text(encoding="utf-8"))
    for name in ("architecture", "cell", "attention"):
        del described["settings"][f"model.{name}"]
    for path in one_way.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "config.json").write_text(json.dumps(described), encoding="utf-8")
    assert load(tmp_path).translate("ba be", beam_size=1) == load(one_way).translate("ba be", beam_size=1)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (["model.cell=lstm"], "add model.architecture = rnn"),
        (["model.attention=false"], "add model.architecture = rnn"),
        (["model.architecture=rnn", "model.positions=learned"], "takes no positions"),
        (["model.architecture=lstm"], "one of transformer, rnn"),
        (["model.architecture=rnn", "model.cell=gnu"], "one of gru, lstm"),
    ],
)
def test_a_setting_that_does_not_fit_is_refused_with_what_does(given, wanted):
    with pytest.raises(InputError, match=wanted):
        configure(dict(map(parse_setting, given)))


def test_an_rnn_has_no_heads_among_which_its_width_would_have_to_divide():
    config = configure({"model.architecture": "rnn", "model.d_model": 14})
    assert configure(flatten(config)) == config
