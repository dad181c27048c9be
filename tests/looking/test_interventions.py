"""What is changed in a pass is what was asked for: each against a model whose weights were changed by hand."""

import copy
import json

import numpy as np
import pytest
import torch

from regard.errors import InputError
from regard.looking.interventions import TextChange, dropped, effects, replaced, surfaces_of, swapped
from regard.looking.listening import listening
from regard.looking.steering import HeadPlace, changed, fixed, heads_of, off, uniform
from regard.model.attention import Tap

LINE = "ba do bi, du be"


@pytest.fixture(scope="module")
def trace(learned):
    return learned.look(LINE)


@pytest.fixture(scope="module")
def deep(fresh):
    """A trace of a model of several layers, which has learned nothing: everything that is done to it shows."""
    settings = {"model.norm": "pre", "model.tie": False, "decoding.max_length": 11}
    return fresh(settings).look("the dog did not know it, the animal")


def attention_of(model, kind, layer):
    if kind == "encoder":
        return model.encoder.layers[layer].self_attention
    block = model.decoder.layers[layer]
    return block.self_attention if kind == "decoder" else block.cross_attention


def by_hand(trace, how, places):
    """The translator with a copy of its model: off, the head's columns of W_O are 0; uniform, its q are 0."""
    translator = copy.deepcopy(trace.living())
    with torch.no_grad():
        for kind, layer, head in places:
            attention = attention_of(translator.model, kind, layer)
            if how == "off":
                attention.w_o.weight.unflatten(1, (attention.n_heads, -1))[:, head] = 0
            else:
                attention.w_q.weight.unflatten(0, (attention.n_heads, -1))[head] = 0
                attention.w_q.bias.unflatten(0, (attention.n_heads, -1))[head] = 0
    return translator


WHERE = [("encoder", 2, 1), ("decoder", 1, 2), ("cross", 3, 1), ("encoder", None, None), ("cross", 2, None)]


@pytest.mark.parametrize("how", ["off", "uniform"])
@pytest.mark.parametrize(("kind", "layer", "head"), WHERE)
def test_an_effect_is_that_of_a_model_without_these_weights(deep, how, kind, layer, head):
    translator = deep.living()
    change = (off if how == "off" else uniform)(translator.model, kind, layer=layer, head=head)
    (effect,) = effects(deep, [change])
    other = by_hand(deep, how, change.heads)
    (forced,) = other._log_probs([deep.source_ids], [deep.target_ids])
    np.testing.assert_allclose(effect.delta, np.subtract(forced, deep.log_probs), atol=2e-5)
    assert np.abs(effect.delta).max() > 1e-3
    anew = other.translate(deep.text)
    assert (effect.translation, effect.pieces) == (anew.text, anew.pieces)
    assert effect.same == (anew.pieces == deep.writes)


@pytest.mark.parametrize("how", ["off", "uniform"])
@pytest.mark.parametrize(("kind", "layer", "head"), WHERE)
def test_within_the_block_the_model_is_the_changed_one_and_behind_it_the_old(deep, how, kind, layer, head):
    translator = deep.living()
    change = (off if how == "off" else uniform)(translator.model, kind, layer=layer, head=head)
    with changed(translator.model, change):
        during = translator.translate([deep.text, "a dog"])
    assert [one.pieces for one in during] == [
        one.pieces for one in by_hand(deep, how, change.heads).translate([deep.text, "a dog"])
    ]
    assert translator.translate(deep.text).pieces == deep.writes
    assert not any(tap.listeners for tap in translator.model.modules() if isinstance(tap, Tap))


def test_nothing_is_left_behind_after_an_error(deep):
    model = deep.living().model
    with pytest.raises(ZeroDivisionError), changed(model, uniform(model, "cross"), off(model, "encoder")):
        raise ZeroDivisionError
    assert not any(tap.listeners for tap in model.modules() if isinstance(tap, Tap))


def test_many_changes_in_one_batch_are_what_each_is_alone(deep):
    model = deep.living().model
    pattern = np.eye(len(deep.source_pieces))[np.arange(len(deep.writes)) % len(deep.source_pieces)]
    changes = [
        None,
        off(model, "cross", layer=1),
        dropped(deep, "dog"),
        uniform(model, "encoder", layer=2, head=1),
        off(model, "decoder", layer=2, head=1),
        fixed(model, "cross", pattern, layer=3, head=2),
        swapped(deep, "dog"),
        None,
    ]
    together = list(effects(deep, changes))
    for change, effect in zip(changes, together, strict=True):
        (alone,) = effects(deep, [change])
        np.testing.assert_allclose(effect.delta, alone.delta, atol=2e-5)
        assert effect.pieces == alone.pieces
    assert together[0].same
    np.testing.assert_allclose(together[0].delta, 0, atol=1e-5)
    assert len({tuple(effect.pieces) for effect in together}) > 3


def test_the_delta_of_a_word_is_the_sum_over_its_pieces(deep):
    (effect,) = effects(deep, [off(deep.living().model, "cross")])
    assert len(effect.word_delta) == len(deep.target_words)
    assert effect.word_delta == [pytest.approx(sum(effect.delta[w.slice])) for w in deep.target_words]


def test_a_pattern_is_where_the_head_looks(deep):
    model, n, m = deep.living().model, len(deep.source_pieces), len(deep.writes)
    column = np.zeros((m, n))
    column[:, 4] = 1
    with changed(model, fixed(model, "cross", column, layer=2, head=1)), listening(model) as heard:
        deep.living()._log_probs([deep.source_ids], [deep.target_ids])
    v, context = (heard[f"decoder.layers.1.cross_attention.{name}"][0] for name in ("v", "context"))
    torch.testing.assert_close(context[0], v[0, 4].expand(m, -1))
    assert (context[1] - v[1, 4]).abs().max() > 1e-3


@pytest.mark.parametrize("kind", ["encoder", "decoder", "cross"])
def test_the_models_own_weights_as_a_pattern_change_nothing(deep, kind):
    trace = deep.living().look(deep.text, beam_size=1)  # in a wider beam, the pattern meets other prefixes too
    model, block = trace.living().model, trace.attention(kind, 2)
    (effect,) = effects(trace, [fixed(model, kind, block.weights[1], layer=2, head=2)])
    np.testing.assert_allclose(effect.delta, 0, atol=1e-5)
    assert effect.same


@pytest.mark.parametrize("kind", ["encoder", "decoder", "cross"])
def test_a_pattern_is_the_same_for_the_search_piece_by_piece_and_for_the_forced_pass(deep, kind):
    translator, block = deep.living(), deep.attention(kind, 2)
    shifted = np.roll(block.weights[0], 1, axis=0) * block.mask + 1e-3 * block.mask
    change = fixed(translator.model, kind, shifted / shifted.sum(axis=1, keepdims=True), layer=2)
    with changed(translator.model, change):
        found = translator.translate(deep.text)
        ids = [translator.tokenizer.target.id_of(piece) for piece in found.pieces]
        (forced,) = translator._log_probs([deep.source_ids], [ids])
    np.testing.assert_allclose(found.log_probs, forced, atol=1e-5)
    (effect,) = effects(deep, [change])
    assert effect.pieces == found.pieces
    assert np.abs(effect.delta).max() > 1e-4


def test_a_pattern_that_is_none_is_refused(deep):
    model = deep.living().model
    for wrong in (np.full((3, 3), 0.5), np.array([[2.0, -1.0]])):
        with pytest.raises(InputError, match="each row must be at least 0 everywhere and sum to 1"):
            fixed(model, "encoder", wrong, layer=1)
    with pytest.raises(InputError, match="looks into the future"):
        fixed(model, "decoder", np.full((3, 3), 1 / 3), layer=1)
    wide = np.full((5, 99), 1 / 99)
    with pytest.raises(InputError, match="The pattern is for 99 pieces of the source, and here are"):
        list(effects(deep, [fixed(model, "cross", wide, layer=1)]))


def test_heads_count_from_1_and_those_that_are_not_there_are_refused(deep):
    model = deep.living().model
    assert heads_of(model, "cross", 3, 1) == (HeadPlace("cross", 2, 0),)
    assert heads_of(model, "encoder") == tuple(HeadPlace("encoder", layer, head) for layer in (0, 1) for head in (0, 1))
    assert heads_of(model, "decoder", head=2) == tuple(HeadPlace("decoder", layer, 1) for layer in range(3))
    with pytest.raises(InputError, match="no layer 3: encoder attention has layers 1 to 2"):
        off(model, "encoder", layer=3)
    with pytest.raises(InputError, match="no head 0: cross attention has heads 1 to 2"):
        uniform(model, "cross", head=0)


def test_the_words_of_a_line_are_the_line(trace, deep):
    for one in (trace, deep):
        assert "".join(surface.space + surface.text for surface in surfaces_of(one).values()) == one.text
    assert [surface.text for surface in surfaces_of(trace).values()] == ["ba", "do", "bi", ",", "du", "be"]


@pytest.mark.parametrize("line", ["a  dog ", "l'animal, 😀 ran!", "مرحبا بالعالم", "a\u2581b \x10_", "'", "the - dog"])
@pytest.mark.parametrize("kind", ["bpe", "word"])
def test_the_words_of_an_odd_line_are_the_line_too(fresh, line, kind):
    trace = fresh({"text.tokenizer": kind, "text.max_length": 99}).look(line, "un chien")
    assert "".join(surface.space + surface.text for surface in surfaces_of(trace).values()) == line


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda t: dropped(t, "the"), "dog did not know it, the animal"),
        (lambda t: dropped(t, "it"), "the dog did not know, the animal"),
        (lambda t: dropped(t, t.source_words[-2]), "the dog did not know it, the"),
        (lambda t: swapped(t, "dog"), "the did dog not know it, the animal"),
        (lambda t: swapped(t, "dog", "it"), "the it did not know dog, the animal"),
        (lambda t: swapped(t, "animal", "dog"), "the animal did not know it, the dog"),
        (lambda t: replaced(t, "dog", "tired animal"), "the tired animal did not know it, the animal"),
        (lambda t: replaced(t, "it", "you"), "the dog did not know you, the animal"),
    ],
)
def test_a_changed_text_is_translated_as_if_it_had_been_typed(deep, change, line):
    wanted, translator = change(deep), deep.living()
    assert wanted.text == line
    (effect,) = effects(deep, [wanted])
    assert effect.pieces == translator.translate(line).pieces
    (forced,) = translator._log_probs([translator.tokenizer.encode_source(line)], [deep.target_ids])
    np.testing.assert_allclose(effect.delta, np.subtract(forced, deep.log_probs), atol=2e-5)


def test_a_word_without_which_the_model_does_not_write_its_translation(learned):
    trace = learned.look("ba du be")
    assert trace.translation == "nab nud neb"
    effect, other = effects(trace, [replaced(trace, "du", "bi"), dropped(trace, "ba")])
    assert effect.translation == "nab nib neb"
    assert not effect.same
    assert min(range(4), key=lambda word: effect.word_delta[word]) == 1
    assert other.translation == "nud neb"


def test_the_direction_of_the_trace_is_kept(learned):
    trace = learned.look("nab nud", direction="en-fr")
    (effect,) = effects(trace, [replaced(trace, "nud", "neb")])
    assert effect.translation == "ba be"


def test_a_forced_translation_is_compared_with_the_one_that_the_model_would_write(learned):
    trace = learned.look("ba du", "nab neb")
    kept, swap = effects(trace, [None, swapped(trace, "ba")])
    assert (kept.translation, kept.same) == ("nab nud", True)
    assert (swap.translation, swap.same) == ("nud nab", False)
    assert len(kept.delta) == len(trace.writes)


def test_the_settings_of_a_search_can_be_changed(deep):
    (greedy,) = effects(deep, [dropped(deep, "dog")], beam_size=1)
    assert greedy.pieces == deep.living().translate("the did not know it, the animal", beam_size=1).pieces
    (kept,) = effects(deep, [None], beam_size=1)
    assert kept.same


def test_what_cannot_be_changed_is_refused(learned):
    trace = learned.look("ba du")
    for word in (trace.source_words[0], "</s>"):
        with pytest.raises(InputError, match="is no word of the source that could be changed"):
            dropped(trace, word)
    with pytest.raises(InputError, match="no word 'bo': the source has"):
        dropped(trace, "bo")
    with pytest.raises(InputError, match="'du' has no word behind it to be swapped with"):
        swapped(trace, "du")
    with pytest.raises(InputError, match="nothing would be left"):
        dropped(learned.look("ba"), "ba")


def test_an_effect_is_plain_json(trace):
    model = trace.living().model
    first, second, third = effects(trace, [None, off(model, "cross", layer=1, head=2), dropped(trace, "do")])
    assert json.loads(json.dumps(first.record()))["change"] == {"what": "nothing"}
    assert second.record()["change"] == {"what": "heads", "how": "off", "heads": [["cross", 0, 1]]}
    record = json.loads(json.dumps(third.record()))
    assert record["change"] == {"what": "text", "how": "dropped", "words": [2], "by": "", "text": "ba bi, du be"}
    assert record["word_delta"] == third.word_delta
    assert isinstance(third.change, TextChange)


def test_a_trace_from_a_file_cannot_be_asked(trace, tmp_path):
    trace.save(tmp_path / "a.npz")
    with pytest.raises(InputError, match="knows no model"):
        list(effects(type(trace).load(tmp_path / "a.npz"), [None]))
