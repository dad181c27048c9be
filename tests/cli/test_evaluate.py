import json

import pytest


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


def test_one_pair_is_enough_for_a_score(regard, two_way, tmp_path):
    (tmp_path / "one.tsv").write_text("ba be\tnab neb\n")
    ran = regard("evaluate", two_way, "--json", "--resamples", 20, "--test", tmp_path / "one.tsv")
    assert scores(ran)["chrF2"]["score"] > 50
