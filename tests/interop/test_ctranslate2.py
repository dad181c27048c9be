"""The fast engine against PyTorch, its slow twin: in float32 they agree piece by piece."""

import dataclasses

import numpy as np
import pytest
import torch

from regard.config import EOS
from regard.decoding.directory import load
from regard.decoding.sentences import Sentence, longest_target
from regard.interop.ctranslate2 import (
    CTranslate2Engine,
    Threads,
    as_spec,
    cannot_express,
    position_rows,
    write_engine,
)
from regard.interop.rest import fit_rest
from regard.interop.shortlist import Rest, Shortlist, left_out
from regard.text.formats import Pairs
from regard.text.store import encode_pairs
from regard.weights import weights_of

LINES = ["the animal did not cross the street", "it was too tired", "a dog ran", "you don't know it", "a", "it ran"]
SHAPES = {
    "post-norm": {},
    "pre-norm": {"model__norm": "pre"},
    "gelu": {"model__activation": "gelu"},
    "swiglu": {"model__activation": "swiglu", "model__norm": "pre"},
    "untied": {"model__tie": False},
    "a vocabulary for each side": {"text__joint": False},
    "a vocabulary for each side, untied": {"text__joint": False, "model__tie": False},
    "learned positions": {"model__positions": "learned", "model__max_length": 557},
    "no positions": {"model__positions": "none"},
    "wide heads": {"model__d_k": 7, "model__d_v": 7},
    "deep and shallow": {"model__n_encoder_layers": 5, "model__n_decoder_layers": 1},
    "two directions": {"text__directions": ("en-fr", "fr-en")},
}


def arrays(translator):
    """The weights, as the file holds them."""
    return {name: weight.detach().numpy() for name, weight in weights_of(translator.model).items()}


def with_engine(translator, folder, quantization="float32", shortlist=None):
    """The translator with a fast engine of that precision."""
    folder.mkdir(exist_ok=True)
    kind = {"quantization": quantization, "shortlist": shortlist}
    write_engine(arrays(translator), translator.config, translator.tokenizer, folder, **kind)
    engine = CTranslate2Engine(folder, translator.tokenizer, translator.config, Threads(1, 1))
    return dataclasses.replace(translator, fast=engine)


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        assert one.pieces == other.pieces
        assert one.log_probs == pytest.approx(other.log_probs, abs=1e-4)
        assert (one.text, one.score) == (other.text, pytest.approx(other.score, abs=1e-4))


def assert_same_but_for_those_cut_off(found, expected):
    """To CTranslate2, a target that is cut off is as good as one that ended."""
    same = [row for row, one in enumerate(found) if one.pieces[-1] == "</s>" or expected[row].pieces[-1] != "</s>"]
    assert len(same) >= 3
    assert_same([found[row] for row in same], [expected[row] for row in same])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("ends", [0.0, 4.0])
def test_greedy_finds_the_pieces_that_pytorch_finds(random_translator, tmp_path, shape, ends):
    slow = random_translator(ends, **SHAPES[shape])
    assert_same(with_engine(slow, tmp_path).translate(LINES, beam_size=1), slow.translate(LINES, beam_size=1))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("ends", [-6.0, 0.0, 4.0])
def test_a_beam_finds_the_pieces_that_pytorch_finds(random_translator, tmp_path, shape, ends):
    slow = random_translator(ends, **SHAPES[shape])
    found, expected = (one.translate(LINES, beam_size=4) for one in (with_engine(slow, tmp_path), slow))
    assert_same_but_for_those_cut_off(found, expected)


@pytest.mark.parametrize("shape", ["post-norm", "untied", "a vocabulary for each side", "two directions"])
@pytest.mark.parametrize("beam_size", [1, 4])
def test_with_a_shortlist_it_finds_what_pytorch_finds_with_those_logits(random_translator, tmp_path, shape, beam_size):
    """The slow twin: what is not kept has no probability, and the copies of the rest, here the vector of a piece that
    is left out, share out what theirs has."""
    slow = random_translator(-6.0, **SHAPES[shape])
    vocabulary = len(slow.tokenizer.target)
    pieces = np.random.default_rng(3).permutation(np.arange(EOS + 1, vocabulary))
    vector = slow.model.output.weight[int(pieces[-1])].detach().numpy()
    short = Shortlist(np.array([EOS, *sorted(pieces[:150])]), Rest(vector, 2.0, copies=30))
    fast = with_engine(slow, tmp_path, shortlist=short)
    kept, bias, copies, _ = short.outputs(vocabulary)
    shift = torch.full((vocabulary,), -torch.inf)
    shift[torch.from_numpy(kept)] = torch.from_numpy(bias)
    takes_from = torch.arange(vocabulary)
    takes_from[torch.from_numpy(kept[copies])] = int(pieces[-1])
    slow.model.logits.listeners.append(lambda logits: logits[..., takes_from] + shift)
    found, expected = (one.translate(LINES, beam_size=beam_size) for one in (fast, slow))
    assert_same_but_for_those_cut_off(found, expected)
    slow.model.logits.listeners.clear()
    assert [one.pieces for one in slow.translate(LINES, beam_size=beam_size)] != [one.pieces for one in found]


def test_in_8_bits_a_shortlist_has_nearly_the_log_probabilities_of_the_whole(random_translator, tmp_path):
    """The vector of the rest is fitted; without it they would be too high by what is left out."""
    slow = random_translator(-6.0, model__norm="pre")
    size = len(slow.tokenizer.target)
    listed = np.arange(EOS, size // 2)
    with torch.no_grad():
        slow.model.output.weight[left_out(listed, size)] *= 0.3
    encoded = encode_pairs(slow.tokenizer, Pairs(LINES, LINES[::-1]))
    rests = fit_rest(slow.model, encoded, listed), Rest(np.zeros(slow.config.model.d_model, np.float32), -1e4)
    means = []
    for number, rest in enumerate(rests):
        fast = with_engine(slow, tmp_path / str(number), "int8", Shortlist(listed, rest))
        (found,) = fast.translate(LINES[:1], beam_size=1)
        target = [slow.tokenizer.target.id_of(piece) for piece in found.pieces]
        exact = slow._log_probs([slow.tokenizer.encode_source(LINES[0])], [target])[0]
        means.append((np.array(found.log_probs) - exact).mean())
    assert abs(means[0]) < 0.03
    assert means[1] > 0.06


def test_a_shortlist_is_for_the_best_translation_alone(random_translator, tmp_path):
    slow = random_translator()
    listed = np.arange(EOS, len(slow.tokenizer.target) // 2)
    rest = Rest(np.zeros(slow.config.model.d_model, np.float32), 0.0)
    short = with_engine(slow, tmp_path / "short", shortlist=Shortlist(listed, rest))
    assert "proved for the best translation alone" in short.refusal(n_best=2)
    assert not short.refusal(n_best=1)
    assert not with_engine(slow, tmp_path / "whole").refusal(n_best=2)
    assert short.translate(LINES[0], n_best=2) == slow.translate(LINES[0], n_best=2)


def test_some_of_these_targets_end_and_some_are_cut_off(random_translator):
    answers = [random_translator(ends, model__norm="pre").translate(LINES, beam_size=1) for ends in (0.0, 4.0)]
    assert {answer.pieces[-1] == "</s>" for row in answers for answer in row} == {True, False}


@pytest.mark.parametrize("beam_size", [1, 2, 5])
def test_a_model_that_has_learned_finds_the_same_with_both(two_way, toy, tmp_path, beam_size):
    slow = load(two_way)
    lines = (toy.folder / "toy.fr").read_text().splitlines()[:100]
    expected = slow.translate(lines, beam_size=beam_size)
    found = with_engine(slow, tmp_path / "float32").translate(lines, beam_size=beam_size)
    assert_same(found, expected)
    quick = with_engine(slow, tmp_path / "int8", "int8").translate(lines, beam_size=beam_size, log_probs=False)
    assert sum(one.text == other.text for one, other in zip(quick, expected, strict=True)) >= 96


def test_without_log_probabilities_the_texts_are_the_same(random_translator, tmp_path):
    fast = with_engine(random_translator(), tmp_path)
    texts = [answer.text for answer in fast.translate(LINES, log_probs=False)]
    assert texts == [answer.text for answer in fast.translate(LINES)]
    assert not any(answer.log_probs for answer in fast.translate(LINES, log_probs=False))


def test_the_n_best_have_the_scores_that_pytorch_gives_them(random_translator, tmp_path):
    slow = random_translator(model__norm="pre")
    for answer in with_engine(slow, tmp_path).translate(LINES, beam_size=5, n_best=3, length_penalty=0.6):
        assert len(answer.others) == 2
        for one in (answer, *answer.others):
            assert one.score == pytest.approx(sum(one.log_probs) / len(one.pieces) ** 0.6)


def test_a_target_is_as_long_as_its_own_source_allows_whatever_stands_beside_it(random_translator, tmp_path):
    slow = random_translator()
    fast = with_engine(slow, tmp_path)
    for beam_size in (1, 3):
        for line in LINES:
            (alone,) = fast.translate([line], beam_size=beam_size)
            assert alone.pieces == fast.translate([line, 3 * LINES[0]], beam_size=beam_size)[0].pieces
            limit = longest_target(len(slow.tokenizer.encode_source(line)), slow.config.decoding)
            assert len(alone.pieces) <= limit


@pytest.mark.parametrize(("workers", "sizes"), [(1, [6]), (2, [3, 3]), (4, [2, 3, 1])])
def test_a_few_short_lines_are_shared_out_among_the_workers(random_translator, tmp_path, monkeypatch, workers, sizes):
    slow = random_translator()
    fast = with_engine(slow, tmp_path)
    shared = dataclasses.replace(
        fast, fast=CTranslate2Engine(tmp_path, slow.tokenizer, slow.config, Threads(workers, 1))
    )
    begun, begin = [], CTranslate2Engine._translate
    monkeypatch.setattr(CTranslate2Engine, "_translate", lambda *asked: begun.append(len(asked[1])) or begin(*asked))
    lines = ["it ran", "a dog", "it was", "a cat", "it is", "a bird"]
    assert [one.text for one in shared.translate(lines, beam_size=1)] == [
        one.text for one in slow.translate(lines, beam_size=1)
    ]
    assert begun == sizes


def test_the_weights_stay_as_they_were_and_the_8_bits_are_a_copy(random_translator, tmp_path):
    translator = random_translator(model__activation="swiglu")
    before = {name: weight.copy() for name, weight in arrays(translator).items()}
    with_engine(translator, tmp_path, "int8")
    for name, weight in arrays(translator).items():
        np.testing.assert_array_equal(weight, before[name])


def test_in_8_bits_the_log_probabilities_are_nearly_the_same(random_translator, tmp_path):
    slow = random_translator(model__d_model=48)
    source = LINES[0]
    (fast,) = with_engine(slow, tmp_path, "int8").translate([source], beam_size=1)
    forced = slow._log_probs(
        [slow.tokenizer.encode_source(source)], [[slow.tokenizer.target.id_of(p) for p in fast.pieces]]
    )
    assert np.abs(np.array(forced[0]) - fast.log_probs).mean() < 0.3
    assert np.abs(np.array(forced[0]) - fast.log_probs).max() > 0


def test_the_positions_are_those_of_pytorch(random_translator):
    translator = random_translator()
    ours = translator.model.source_embedding.positions.numpy()
    spec = as_spec(arrays(translator), translator.config, translator.tokenizer)
    assert len(spec.encoder.position_encodings.encodings) == position_rows(translator.config) == 1024
    np.testing.assert_allclose(spec.encoder.position_encodings.encodings[:200], ours[:200], atol=2e-5)


def test_the_first_answers_are_there_while_the_last_are_still_searched_for(random_translator, tmp_path, monkeypatch):
    """So that they can be written in words meanwhile."""
    fast, read = with_engine(random_translator(), tmp_path), []
    monkeypatch.setattr("regard.interop.ctranslate2.BATCH_TOKENS", 8)
    monkeypatch.setattr(
        CTranslate2Engine, "_read", lambda *given, was=CTranslate2Engine._read: read.append(1) or was(*given)
    )
    sentences = [Sentence((*range(7, 7 + length), EOS)) for length in (6, 5, 4)]
    for log_probs, before in ((False, [1, 2, 3]), (True, [3, 3, 3])):
        read.clear()
        assert [
            len(read) for _ in fast.fast.search(sentences, fast.decoding(beam_size=1), log_probs=log_probs)
        ] == before


def test_every_weight_has_its_place(random_translator):
    """CTranslate2 refuses a spec that lacks something; this one has no number of ours twice or not at all."""
    translator = random_translator(model__tie=False, text__joint=False, model__norm="pre")
    spec = as_spec(arrays(translator), translator.config, translator.tokenizer)
    spec.validate()
    stored = sum(value.numpy().size for name, value in spec.variables().items() if not value.is_scalar())
    tables = 2 * position_rows(translator.config) * translator.config.model.d_model
    assert stored - tables == sum(weight.size for weight in arrays(translator).values())


def test_values_of_a_width_of_their_own_are_refused_with_the_reason(random_translator):
    assert cannot_express(random_translator().config) == ""
    assert "d_k = d_v, and this model has 5 and 7" in cannot_express(
        random_translator(model__d_k=5, model__d_v=7).config
    )


@pytest.mark.parametrize(
    ("settings", "prefix", "why"),
    [
        ({}, "", ""),
        ({"beam_size": 3, "n_best": 2, "length_penalty": 0.0}, "", ""),
        ({"temperature": 1.0}, "", "temperature"),
        ({"no_repeat_ngram": 2}, "", "no_repeat_ngram"),
        ({"max_length": 2000}, "", "1024 positions"),
        ({"beam_size": 129}, "", "the beam is wider than 128"),
        ({}, "un", "prefix"),
    ],
)
def test_what_only_pytorch_can_do_is_left_to_it(random_translator, tmp_path, settings, prefix, why):
    slow = random_translator()
    fast = with_engine(slow, tmp_path)
    said = fast.refusal(prefix=prefix, **settings)
    assert why in said
    assert bool(said) == bool(why)
    if said and "beam_size" not in settings:
        expected = slow.translate(LINES[:2], prefix=prefix, **settings)
        assert fast.translate(LINES[:2], prefix=prefix, **settings) == expected


def test_a_learned_table_ends_where_it_ends(random_translator, tmp_path):
    slow = random_translator(model__positions="learned", model__max_length=557)
    assert "557 positions" in with_engine(slow, tmp_path).fast.refusal(
        dataclasses.replace(slow.decoding(), max_length=558), ()
    )
