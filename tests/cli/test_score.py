import json

import pytest


@pytest.fixture
def answers(regard, two_way, tmp_path):
    """What the model wrote, and what it thought of it."""
    lines = ["ba be", "du", "bi bo bu da", "di"]
    rows = [
        json.loads(line)
        for line in regard("translate", two_way, "--engine", "torch", "--json", *lines).out.splitlines()
    ]
    path = tmp_path / "pairs.tsv"
    path.write_text("".join(f"{line}\t{row['text']}\n" for line, row in zip(lines, rows, strict=True)))
    return path, rows


def test_scoring_a_translation_gives_the_score_that_the_search_gave_it(regard, two_way, answers):
    path, rows = answers
    ran = regard("score", two_way, "--quiet", "--pairs", path)
    assert (ran.code, ran.err) == (0, "")
    assert [float(line) for line in ran.out.splitlines()] == pytest.approx([row["score"] for row in rows], abs=1e-4)


def test_json_has_the_log_probability_of_each_piece(regard, two_way, answers):
    path, rows = answers
    scored = [json.loads(line) for line in regard("score", two_way, "--json", "--pairs", path).out.splitlines()]
    for one, row in zip(scored, rows, strict=True):
        assert (one["text"], one["pieces"]) == (row["text"], row["pieces"])
        assert one["log_probs"] == pytest.approx(row["log_probs"], abs=1e-4)


def test_the_score_is_the_sum_divided_by_the_length_penalty(regard, two_way, answers):
    options = ("--set", "decoding.length_penalty=0", "--pairs", answers[0])
    summed = [float(line) for line in regard("score", two_way, *options).out.splitlines()]
    assert summed == pytest.approx([sum(row["log_probs"]) for row in answers[1]], abs=1e-4)


def test_a_wrong_translation_is_less_probable_and_the_direction_matters(regard, two_way, tmp_path):
    (tmp_path / "left").write_text("ba be\nba be\n")
    (tmp_path / "right").write_text("nab neb\nneb nab\n")
    files = (tmp_path / "left", tmp_path / "right")
    right, wrong = (float(line) for line in regard("score", two_way, "--pairs", *files).out.splitlines())
    assert right > wrong + 1
    back = regard("score", two_way, "--direction", "en-fr", "--pairs", *files).out.splitlines()
    assert float(back[0]) > float(back[1]) + 1


def test_the_second_direction_reads_the_same_pairs_from_right_to_left(regard, two_way):
    for direction, target in (("fr-en", "nab"), ("en-fr", "ba")):
        ran = regard("score", two_way, "--direction", direction, "--json", "--pairs", "-", stdin="ba\tnab\n")
        assert json.loads(ran.out)["text"] == target


def test_pairs_come_from_stdin_too_and_the_shared_options_are_taken(regard, two_way):
    shared = ("--quiet", "--seed", 5, "--threads", 1, "--device", "cpu")
    ran = regard("score", two_way, *shared, "--pairs", "-", stdin="ba\tnab\n\t\n")
    assert (ran.code, ran.err, len(ran.out.splitlines())) == (0, "", 2)


@pytest.mark.parametrize("options", [("score", "--pairs"), ("evaluate", "--resamples", 0, "--test")])
def test_files_whose_names_say_that_they_are_the_wrong_way_round_are_refused(regard, two_way, toy, options):
    verb, *options = options
    for direction in ("fr-en", "en-fr"):
        ran = regard(verb, two_way, "--direction", direction, *options, toy.folder / "toy.en", toy.folder / "toy.fr")
        assert (ran.code, ran.out) == (2, "")
        assert "pairs stand as the first direction, fr-en, reads them" in ran.err
