"""BLEU, chrF and TER: known values, signatures, intervals."""

import math
import os

import pytest

from regard.errors import InputError
from regard.evaluation import SEED, bleu, evaluate, tokenization

REFERENCES = [
    "The cat sat on the mat .",
    "A dog runs through the green grass .",
    "Two men talk in front of a house .",
    "She reads a long book about the sea .",
    "The children play with a red ball .",
]
TRANSLATIONS = [
    "The cat sat on a mat .",
    "A dog runs over the grass .",
    "Two men talk in front of a house .",
    "She reads a book about the ocean .",
    "The children play with the red ball .",
]


def scores(*texts, **settings):
    return {score.metric: score for score in evaluate(*texts, **settings)}


def test_what_is_the_same_is_perfect():
    got = {score.metric: score.score for score in evaluate(REFERENCES, REFERENCES, resamples=0)}
    assert got == pytest.approx({"BLEU": 100, "chrF2": 100, "TER": 0})


def test_what_has_nothing_in_common_is_worth_nothing():
    got = scores(["xyz"] * 3, ["a b c d e"] * 3, resamples=0)
    assert got["BLEU"].score == got["chrF2"].score == 0
    assert got["TER"].score == 100


def test_bleu_is_the_one_done_by_hand():
    """Precisions 4/5, 3/4, 2/3, 1/2; as long as the reference: (1/5) ** (1/4)."""
    assert bleu(["a b c d x"], ["a b c d e"]).score == pytest.approx(100 * (1 / 5) ** 0.25)


def test_what_is_too_short_is_punished():
    """All precisions are 1; four words for five: exp(1 - 5/4)."""
    assert bleu(["a b c d"], ["a b c d e"]).score == pytest.approx(100 * math.exp(-1 / 4))


def test_ter_is_the_share_of_words_that_must_be_changed():
    assert scores(["a b x d e"], ["a b c d e"], resamples=0)["TER"].score == pytest.approx(20)


def test_every_number_carries_the_recipe_that_made_it():
    got = scores(TRANSLATIONS, REFERENCES)
    for metric, parts in {
        "BLEU": {"nrefs:1", "case:mixed", "tok:13a", "smooth:exp"},
        "chrF2": {"nrefs:1", "nc:6", "nw:0"},
        "TER": {"nrefs:1", "case:lc", "tok:tercom"},
    }.items():
        assert parts | {"bs:1000"} <= set(got[metric].signature.split("|"))
        assert "|version:" in got[metric].signature
    assert "tok:13a" in bleu(TRANSLATIONS, REFERENCES).signature


def test_the_tokenisation_is_bleus_and_is_told():
    texts = ["a b c d!"], ["a b c d !"]
    assert bleu(*texts).score == pytest.approx(100)
    untouched = bleu(*texts, tokenize="none")
    assert untouched.score < 100
    assert "tok:none" in untouched.signature
    assert "tok:none" in scores(*texts, resamples=0, tokenize="none")["BLEU"].signature


def test_a_language_without_spaces_is_counted_by_its_characters():
    """Eleven of twelve are right; 13a sees one word, and that one wrong."""
    told = {"fr": "13a", None: "13a", "zh": "zh", "zh_TW": "zh", "ja": "char", "TH": "char", "ko": "13a"}
    assert {language: tokenization(language) for language in told} == told
    translation, reference = ["我们昨天去了北京看长城的"], ["我们昨天去了北京看长城吧"]
    assert bleu(translation, reference).score == 0
    for language in ("zh", "my"):
        assert bleu(translation, reference, tokenize=tokenization(language)).score > 80


def test_the_interval_contains_the_score_and_is_the_same_each_time():
    first, again = (scores(TRANSLATIONS, REFERENCES, resamples=200) for _ in range(2))
    assert first == again
    for score in first.values():
        assert score.low < score.score < score.high


def test_a_score_of_nothing_has_an_interval_too():
    perfect, wrong = scores(REFERENCES, REFERENCES, resamples=20), scores(["x"] * 5, REFERENCES, resamples=20)
    assert perfect["TER"][1:4] == wrong["BLEU"][1:4] == wrong["chrF2"][1:4] == (0, 0, 0)


def test_another_seed_draws_other_resamples_and_is_told_and_forgotten(monkeypatch):
    def seed_of(found):
        return found["BLEU"].signature.split("|seed:")[1].split("|")[0]

    monkeypatch.delenv(SEED, raising=False)
    own, other = (scores(TRANSLATIONS, REFERENCES, resamples=20, seed=seed) for seed in (None, 7))
    assert (seed_of(own), seed_of(other)) == ("12345", "7")
    assert own["BLEU"][2:4] != other["BLEU"][2:4]
    assert SEED not in os.environ
    monkeypatch.setenv(SEED, "11")
    assert seed_of(scores(TRANSLATIONS, REFERENCES, resamples=20, seed=7)) == "7"
    assert seed_of(scores(TRANSLATIONS, REFERENCES, resamples=20)) == os.environ[SEED] == "11"


def test_without_resampling_there_is_no_interval():
    for score in evaluate(TRANSLATIONS, REFERENCES, resamples=0):
        assert (score.low, score.high) == (None, None)
        assert "bs:" not in score.signature


@pytest.mark.parametrize("references", [["a b", "", "c d", "e f g"], ["a b", "c", "d", "e"]])
def test_so_few_lines_that_nothing_matches_in_some_resamples_have_intervals_all_the_same(references):
    for score in evaluate(["a b", "x", "c", "e f"], references):
        assert score.low <= score.score <= score.high


@pytest.mark.parametrize("count", [0, 2])
@pytest.mark.parametrize("way", [bleu, evaluate])
def test_unequal_counts_and_nothing_at_all_are_refused(way, count):
    with pytest.raises(InputError, match=rf"There are {count} translations and {5 * (count > 0)} references"):
        way(TRANSLATIONS[:count], REFERENCES if count else [])
