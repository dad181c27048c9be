import argparse
import json
from types import SimpleNamespace

import pytest

from regard.cli import evaluate


def scores(ran):
    assert ran.code == 0
    return {score["metric"]: score for score in json.loads(ran.out)}


def test_a_good_model_has_good_scores_with_signatures_and_intervals(regard, toy, two_way):
    files = (toy.folder / "toy.fr", toy.folder / "toy.en")
    ran = regard("evaluate", two_way, "--quiet", "--beam", 1, "--resamples", 101, "--json", "--test", *files)
    found = scores(ran)
    assert ran.err == ""
    assert list(found) == ["BLEU", "chrF2", "TER"]
    assert found["BLEU"]["score"] > 80 > 20 > found["TER"]["score"]
    for score in found.values():
        assert "bs:101" in score["signature"]
        assert score["low"] <= score["score"] <= score["high"]
    assert "tok:13a" in found["BLEU"]["signature"]


def test_a_line_that_is_too_long_to_be_read_at_once_is_said(regard, toy, two_way, tmp_path):
    line = "ba be bi bo " * 9
    (tmp_path / "long.tsv").write_text(f"{line}\t{toy.translate(line)}\n")
    ran = regard("evaluate", two_way, "--beam", 1, "--resamples", 0, "--test", tmp_path / "long.tsv")
    assert "1 line of more than 23 pieces was cut and translated part by part." in ran.err


@pytest.fixture
def test_set(toy, tmp_path):
    lines = ["ba be bi bo", "bu da de di do du", "du di de da"]
    path = tmp_path / "test.tsv"
    path.write_text("".join(f"{line}\t{toy.translate(line)}\n" for line in lines))
    return path


def test_the_second_direction_reads_the_pairs_from_right_to_left(regard, two_way, test_set):
    options = ("--json", "--resamples", 0, "--test", test_set)
    there = scores(regard("evaluate", two_way, "--direction", "fr-en", *options))
    back = scores(regard("evaluate", two_way, "--direction", "en-fr", *options))
    assert there["TER"]["score"] < 50 > back["TER"]["score"]


@pytest.mark.parametrize(("engine", "told"), [("auto", True), ("torch", False)])
def test_it_measures_and_keeps_what_translate_writes(regard, two_way, test_set, tmp_path, engine, told):
    source = "".join(line.split("\t")[0] + "\n" for line in test_set.read_text().splitlines())
    options = ("--engine", engine, "--output", tmp_path / "out" / "translated", "--resamples", 0)
    ran = regard("evaluate", two_way, *options, "--test", test_set)
    said = regard("translate", two_way, "--engine", engine, stdin=source).out
    assert ("CTranslate2 translated, in 8 bits" in ran.err) == told
    assert (tmp_path / "out" / "translated").read_text() == said


@pytest.mark.parametrize(
    ("direction", "asked", "used"),
    [(None, None, "zh"), ("zh-fr", None, "13a"), ("fr-zh", "char", "char"), ("zh-fr", "none", "none")],
)
def test_the_tokenizer_is_that_of_the_target_language_unless_another_is_asked_for(direction, asked, used):
    model = SimpleNamespace(tokenizer=SimpleNamespace(directions=("fr-zh", "zh-fr")))
    assert evaluate._tokenization(argparse.Namespace(direction=direction, tokenize=asked), model) == used


def test_without_resamples_there_is_no_interval(regard, two_way, test_set):
    found = scores(regard("evaluate", two_way, "--json", "--resamples", 0, "--test", test_set))
    assert (found["BLEU"]["low"], found["BLEU"]["high"]) == (None, None)
    assert "bs:" not in found["BLEU"]["signature"]


def test_a_person_gets_a_line_for_each_metric(regard, two_way, test_set):
    shared = ("--seed", 5, "--threads", 1, "--device", "cpu")
    ran = regard("evaluate", two_way, *shared, "--tokenize", "none", "--resamples", 20, "--test", test_set)
    assert [line.split()[0] for line in ran.out.splitlines()] == ["BLEU", "chrF2", "TER"]
    assert all("[" in line and "version:" in line for line in ran.out.splitlines())
    assert "tok:none" in ran.out
    assert ran.err.startswith("3 lines in ")


def test_the_resamples_are_drawn_with_sacrebleus_seed_unless_another_is_asked_for(regard, two_way, test_set):
    options = ("--json", "--resamples", 20, "--test", test_set)
    assert "|seed:12345|" in scores(regard("evaluate", two_way, *options))["BLEU"]["signature"]
    assert "|seed:5|" in scores(regard("evaluate", two_way, "--seed", 5, *options))["BLEU"]["signature"]
    refused = regard("evaluate", two_way, "--seed", -1, *options)
    assert (refused.code, refused.out) == (2, "")
    assert "--seed is -1; it must not be negative" in refused.err


def test_one_pair_is_enough_for_a_score(regard, two_way, tmp_path):
    (tmp_path / "one.tsv").write_text("ba be\tnab neb\n")
    ran = regard("evaluate", two_way, "--json", "--resamples", 20, "--test", tmp_path / "one.tsv")
    assert scores(ran)["chrF2"]["score"] > 50


@pytest.fixture
def gold(tmp_path):
    path = tmp_path / "gold.align"
    path.write_text("0-0 1-1 2-2 3-3\n0-0 1-1 2-2 3-3 4-4 5-5\n0-0 1-1 2?2 3-3\n")
    return path


def test_with_attribution_and_gold_the_json_has_all_three(regard, two_way, test_set, gold):
    options = ("--json", "--resamples", 0, "--quiet", "--attribution", 2, "--alignment", gold)
    ran = regard("evaluate", two_way, "--direction", "fr-en", *options, "--test", test_set)
    assert (ran.code, ran.err) == (0, "")
    found = json.loads(ran.out)
    assert [score["metric"] for score in found["scores"]] == ["BLEU", "chrF2", "TER"]
    methods = {row["method"]: row for row in found["attribution"]}
    assert methods["occlusion-unk"]["sentences"] == 2
    assert methods["occlusion-unk"]["anew"] > 0.3
    assert methods["marginalised"]["forced"] is None
    written, read = found["alignment"]["chosen"]
    assert (written["row"], read["row"], written["layer"]) == ("written", "read", 1)
    assert written["aer"] < 0.3 < read["aer"]
    assert len(found["alignment"]["every"]) == 10


def test_a_person_gets_a_table_of_each(regard, two_way, test_set, gold):
    options = ("--resamples", 0, "--attribution", 1, "--alignment", gold, "--test", test_set)
    ran = regard("evaluate", two_way, *options)
    lines = ran.out.splitlines()
    assert any(line.startswith("How far an attribution can be trusted") for line in lines)
    rows = {line.split()[0]: line.split()[1:] for line in lines if line}
    assert rows["marginalised"][0] == "-"
    assert -1 <= float(rows["alti"][1]) <= 1
    assert sum(line.startswith("rows by the word ") for line in lines) == 2
    assert "1 sentence is taken apart" in ran.err
    assert "8 bits" not in ran.err, "what is taken apart is what PyTorch computes"


def test_gold_for_the_first_direction_is_turned_for_the_second(regard, two_way, test_set, tmp_path):
    (tmp_path / "gold").write_text("0-0 0?1 1-1 2-2 3-3\n0-0\n0-0\n")
    options = ("--json", "--resamples", 0, "--quiet", "--alignment", tmp_path / "gold", "--test", test_set)
    found = json.loads(regard("evaluate", two_way, "--direction", "en-fr", *options).out)
    assert set(found) == {"scores", "alignment"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--output", "."), ". is a folder; a file is wanted"),
        (("--attribution", 0), "--attribution is 0; it needs one sentence at least"),
        (("--alignment", "GOLD"), "1 lines for 3 sentences"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_the_work(regard, two_way, test_set, tmp_path, options, message):
    (tmp_path / "gold").write_text("0-0\n")
    given = [tmp_path / "gold" if option == "GOLD" else option for option in options]
    ran = regard("evaluate", two_way, *given, "--test", test_set)
    assert ran.code == 2
    assert message in ran.err
    assert "lines in" not in ran.err
