"""Whether a shortlist is harmless is tried on held-out lines; here they are those of a language of one word a word."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from regard.decoding.directory import CONFIG, WEIGHTS
from regard.disk import hash_of
from regard.interop import proof
from regard.interop.ctranslate2 import CTranslate2Engine
from regard.interop.engines import SHORTLIST, key, load
from regard.interop.proof import Verdict, give_shortlist, prove, worth_of
from regard.interop.rest import fit_rest, squares
from regard.interop.shortlist import Shortlist, likely_pieces
from regard.text.formats import Pairs
from regard.text.store import encode_pairs


@pytest.fixture
def learned(two_way, pairs, monkeypatch):
    """The list of the toy language but for some letters that it has not: else nothing would be left out. One of them
    has the vector of the rest, two are gone."""
    monkeypatch.setattr(proof, "LEAST", 0.0)
    translator = load(two_way)
    encoded, letters = encode_pairs(translator.tokenizer, pairs), ("<0x51>", "<0x52>", "<0x53>")
    whole = likely_pieces(encoded, translator.tokenizer)
    listed = np.setdiff1d(whole, [translator.tokenizer.target.id_of(letter) for letter in letters])
    return Shortlist(listed, fit_rest(translator.model, encoded, listed))


@pytest.fixture
def model(two_way, learned, tmp_path, monkeypatch):
    """A copy of a model, whose shortlist will be that."""
    monkeypatch.setattr(proof, "likely_pieces", lambda *_, **__: learned.listed)
    return shutil.copytree(two_way, tmp_path / "model")


@pytest.mark.parametrize(("same", "told"), [(0.0, "is used"), (1.1, "is left out")])
def test_it_is_kept_only_where_it_proves_itself(model, pairs, learned, monkeypatch, same, told):
    monkeypatch.setattr(proof, "SAME", same)
    monkeypatch.setattr(proof, "_timed", lambda *_: np.array([[2.0, 2.0], [1.0, 1.0]]))  # without, and with
    verdict = give_shortlist(model, pairs, pairs)
    assert f"{told}: with {verdict.pieces} of {verdict.vocabulary} pieces" in str(verdict)
    assert (model / SHORTLIST).exists() == verdict.kept == (told == "is used")
    if verdict.kept:
        given = Shortlist.load(model / SHORTLIST)
        assert np.array_equal(given.listed, learned.listed)
        assert given.rest.vector.tolist() == pytest.approx(learned.rest.vector.tolist(), abs=1e-5)
        assert given.weights == hash_of(model / WEIGHTS)
        assert (model / "engines" / "ctranslate2-int8" / key(model)).is_dir()


@pytest.mark.parametrize(
    ("together", "alone", "change", "kept"),
    [
        (1.01, 1.01, 0.0, True),
        (1.01, 1.01, -0.09, True),
        (1.01, 1.01, -0.11, False),
        (1.0, 2.0, 0.0, False),
        (2.0, 1.0, 0.0, False),
    ],
)
def test_it_must_be_quicker_together_and_alone_and_cost_next_to_no_bleu_in_any_direction(
    two_way, pairs, learned, monkeypatch, together, alone, change, kept
):
    scores = iter([30, 30, 31, 31, 40, 40, 41, 41 + change])  # fr-en, greedily without and with, by a beam; en-fr
    monkeypatch.setattr(proof, "bleu", lambda *_, **__: SimpleNamespace(score=next(scores)))
    monkeypatch.setattr(proof, "_timed", lambda *_: np.array([[together, alone], [1.0, 1.0]]))
    found = prove(two_way, learned, pairs)
    assert (found.same, found.together, found.alone) == (1, together, alone)
    assert found.bleu == pytest.approx(change)
    assert found.kept == kept


@pytest.mark.parametrize(("count", "told"), [(1, "(1; it takes 200)"), (199, "(199; it takes 200)"), (200, "")])
def test_few_held_out_pairs_prove_nothing(model, pairs, monkeypatch, count, told):
    tried = []
    monkeypatch.setattr(proof, "prove", lambda *_, **__: tried.append(True) or Verdict(False, 2, 3, 1.0, 0.0, 1.0, 1.0))
    found = give_shortlist(model, pairs, Pairs(*(side[:count] for side in pairs)))
    assert bool(tried) == (not told)
    if told:
        why = f"too few held-out pairs to prove that it does no harm {told}"
        assert str(found) == f"{proof.WHAT} left out: {why}."
    assert not (model / SHORTLIST).exists()


@pytest.mark.parametrize(("harmless", "tried"), [([True], "short"), ([False, True], "long"), ([False, False], "none")])
def test_a_longer_list_is_tried_only_where_a_shorter_one_does_harm(
    two_way, pairs, learned, tmp_path, monkeypatch, harmless, tried
):
    folder = shutil.copytree(two_way, tmp_path / "model")
    lists = {"long": learned.listed, "short": learned.listed[:-20]}
    monkeypatch.setattr(proof, "likely_pieces", lambda *_, worth=None: lists["long" if worth is None else "short"])
    verdicts, proved = iter(harmless), []

    def prove(folder, learned, held_out, *, threads):
        proved.append(learned.listed)
        return Verdict(next(verdicts), len(learned.listed), 300, 1.0, 0.0, 2.0, 2.0)

    monkeypatch.setattr(proof, "prove", prove)
    verdict = give_shortlist(folder, pairs, pairs)
    wanted = [lists["short"], lists["long"]][: len(harmless)]
    assert [list(one) for one in proved] == [list(one) for one in wanted]
    assert (folder / SHORTLIST).exists() == verdict.kept == (tried != "none")
    if verdict.kept:
        assert np.array_equal(Shortlist.load(folder / SHORTLIST).listed, lists[tried])


def test_what_the_model_writes_itself_is_worth_the_most(two_way, pairs, monkeypatch):
    monkeypatch.setattr(proof, "OWN", 40)
    translator = load(two_way, engine="ctranslate2")
    encoded = encode_pairs(translator.tokenizer, pairs)
    worth = worth_of(translator, pairs, encoded)
    some = np.random.default_rng(1).permutation(len(pairs.source))[:40]
    written = {
        piece
        for direction, side in (("fr-en", pairs.source), ("en-fr", pairs.target))
        for one in translator.translate([side[row] for row in some], direction=direction, beam_size=1)
        for piece in one.pieces
    }
    assert set(translator.tokenizer.target.pieces(np.flatnonzero(np.isinf(worth)).tolist())) == written
    rest = np.isfinite(worth)
    assert worth[rest].tolist() == squares(translator.model, encoded)[rest].tolist()


def test_two_engines_that_are_alike_do_not_race(model, two_way, pairs, monkeypatch):
    monkeypatch.setattr(proof, "likely_pieces", likely_pieces)  # of so small a vocabulary it leaves nothing out
    monkeypatch.setattr(proof, "LEAST", 0.1)
    monkeypatch.setattr(proof, "prove", lambda *_, **__: 1 / 0)
    pieces = len(load(two_way).tokenizer.target)
    assert f"left out: hardly any piece can be left out (0 of {pieces})." in str(give_shortlist(model, pairs, pairs))
    assert not (model / SHORTLIST).exists()


def test_bleu_is_that_of_the_target_language(two_way, pairs, learned, monkeypatch):
    languages, recipes, bleu = [], [], proof.bleu
    monkeypatch.setattr(proof, "tokenization", lambda language: languages.append(language) or "char")
    monkeypatch.setattr(proof, "bleu", lambda *given, tokenize: recipes.append(tokenize) or bleu(*given))
    prove(two_way, learned, pairs)
    assert languages == ["en", "fr"]
    assert recipes == ["char"] * 8


def test_the_threads_that_are_asked_for_hold_throughout(model, pairs, monkeypatch):
    asked, pick = [], proof.pick

    def noted(*given, threads, **kind):
        asked.append(threads)
        return pick(*given, threads=threads, **kind)

    monkeypatch.setattr(proof, "pick", noted)
    monkeypatch.setattr(proof, "SAME", 0.0)
    monkeypatch.setattr(proof, "_timed", lambda *_: np.array([[2.0, 2.0], [1.0, 1.0]]))
    assert give_shortlist(model, pairs, pairs, threads=1).kept
    assert asked == [1] * 6  # at first, without and with for many and for one, and the engine that is left there


def test_what_is_left_out_of_this_model_changes_nothing_and_what_it_needs_a_lot(two_way, pairs, learned):
    found = prove(two_way, learned, pairs)
    assert (found.same, found.bleu) == (1, 0)
    few = prove(two_way, Shortlist(learned.listed[: len(learned.listed) // 2], learned.rest), pairs)
    assert few.same < 0.5
    assert not few.kept


def test_it_is_the_fast_engine_that_is_tried_greedily_and_by_a_beam_whatever_the_model_is_set_to(
    two_way, pairs, learned, tmp_path, monkeypatch
):
    folder = shutil.copytree(two_way, tmp_path / "model")
    settings = json.loads((folder / CONFIG).read_text())
    settings["settings"] |= {"decoding.no_repeat_ngram": 2, "decoding.beam_size": 3, "decoding.temperature": 1.0}
    (folder / CONFIG).write_text(json.dumps(settings))
    assert load(folder, engine="ctranslate2").refusal()
    beams, search = [], CTranslate2Engine.search

    def noted(self, sentences, config, **kind):
        beams.append(config.beam_size)
        return search(self, sentences, config, **kind)

    monkeypatch.setattr(CTranslate2Engine, "search", noted)
    few = prove(folder, Shortlist(learned.listed[: len(learned.listed) // 2], learned.rest), pairs)
    assert set(beams) == {1, 5}
    assert few.same < 0.5


def test_it_is_proved_against_the_model_without_the_one_that_it_has(two_way, pairs, learned, tmp_path):
    folder = shutil.copytree(two_way, tmp_path / "model")
    Shortlist(learned.listed[: len(learned.listed) // 2], learned.rest).save(folder / SHORTLIST)
    assert prove(folder, learned, pairs).same == 1


def test_one_that_makes_nothing_quicker_is_left_out(two_way, pairs, learned, monkeypatch):
    monkeypatch.setattr(proof, "_timed", lambda *_: np.array([[2.0, 1.0], [1.0, 1.01]]))
    found = prove(two_way, learned, pairs)
    assert (found.together, found.alone > 1, found.kept) == (2, False, False)


def test_both_are_timed(two_way, pairs, learned, tmp_path):
    ways = [proof._opened(two_way, tmp_path / name, short) for name, short in (("plain", None), ("short", learned))]
    assert [(tmp_path / name / SHORTLIST).exists() for name in ("plain", "short")] == [False, True]
    seconds = proof._timed(ways, pairs.source, "fr-en")
    assert seconds.shape == (2, 2)
    assert np.isfinite(seconds).all()
    assert (seconds > 0).all()


def test_of_several_rounds_the_quickest_counts_of_each_alike(monkeypatch):
    clock = [0.0]

    def translate(seconds, lines, direction, beam):
        clock[0] += next(seconds)

    monkeypatch.setattr(proof, "time", SimpleNamespace(perf_counter=lambda: clock[0]))
    monkeypatch.setattr(proof, "_translate", translate)
    plain = proof._Ways(iter([5, 2, 7]), iter([3, 3, 1, 2, 9, 9]))  # three rounds; alone, two lines in each
    short = proof._Ways(iter([4, 8, 6]), iter([7, 7, 5, 5, 0.5, 0.5]))
    assert proof._timed([plain, short], ["un", "deux"], None).tolist() == [[2, 3], [4, 1]]


def test_who_is_interrupted_before_the_proof_leaves_no_shortlist(model, pairs, monkeypatch):
    def interrupted(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(proof, "_timed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        give_shortlist(model, pairs, pairs)
    assert not (model / SHORTLIST).exists()
