"""What heads and words are worth, found in a few passes, is what one finds by trying each."""

import json

import numpy as np
import pytest

from regard.looking.interventions import dropped, effects, replaced
from regard.looking.steering import HeadPlace, changed, off
from regard.looking.worth import every_change, similar, weighing, worth
from regard.model.attention import Tap

SETTINGS = {"model.norm": "pre", "model.tie": False, "decoding.max_length": 7, "text.vocabulary": 340}


@pytest.fixture(scope="module")
def trace(fresh):
    return fresh(SETTINGS).look("the dog did not know")


@pytest.fixture(scope="module")
def found(trace):
    return worth(trace, {"dog": ["animal", "street dog"]}, count=2)


def test_every_head_of_every_layer_is_switched_off_by_itself_and_each_stack_as_a_whole(trace, found):
    heads = [(block.kind, block.layer, head) for block in trace.attentions for head in range(2)]
    assert [effect.change.heads for effect in found.heads] == [(place,) for place in heads]
    assert [len(effect.change.heads) for effect in found.stacks] == [4, 6, 6]
    assert [effect.change.heads[0].kind for effect in found.stacks] == ["encoder", "decoder", "cross"]


def test_a_head_is_worth_what_the_model_loses_without_it(trace, found):
    translator = trace.living()
    for place in (HeadPlace("encoder", 1, 0), HeadPlace("decoder", 2, 1), HeadPlace("cross", 0, 1)):
        with changed(translator.model, off(translator.model, place.kind, layer=place.layer + 1, head=place.head + 1)):
            (forced,) = translator._log_probs([trace.source_ids], [trace.target_ids])
            anew = translator.translate(trace.text)
        effect = found.head(place)
        np.testing.assert_allclose(effect.delta, np.subtract(forced, trace.log_probs), atol=2e-5)
        assert effect.pieces == anew.pieces


def test_every_word_is_left_out_and_is_worth_what_the_line_without_it_says(trace, found):
    texts = [effect.change.text for effect in found.left_out]
    assert texts == ["dog did not know", "the did not know", "the dog not know", "the dog did know", "the dog did not"]
    for word, effect in zip(["the", "dog", "did", "not", "know"], found.left_out, strict=True):
        (alone,) = effects(trace, [dropped(trace, word)])
        np.testing.assert_allclose(effect.delta, alone.delta, atol=2e-5)
        assert effect.pieces == alone.pieces


def test_a_word_is_replaced_by_those_that_are_named_or_else_by_similar_ones(trace, found):
    dog = [effect for effect in found.replaced if effect.change.words == (1,)]
    assert [effect.change.text for effect in dog] == ["the animal did not know", "the street dog did not know"]
    (alone,) = effects(trace, [replaced(trace, "dog", "animal")])
    np.testing.assert_allclose(dog[0].delta, alone.delta, atol=2e-5)
    did = [effect.change.by for effect in found.replaced if effect.change.words == (2,)]
    (wanted,) = similar(trace, [trace.source_words[2]], 2)
    assert did == wanted


def test_the_mean_change_of_a_word_is_that_over_its_replacements(found):
    rows = [effect.word_delta for effect in found.replaced if effect.change.words == (1,)]
    assert len(rows) == 2
    np.testing.assert_allclose(found.mean_change(1), np.abs(rows).mean(axis=0))
    assert found.mean_change(99) == []


def test_similar_words_are_the_nearest_by_hand_and_of_the_words_own_shape(fresh):
    translator = fresh(SETTINGS | {"text.tokenizer": "word"})
    trace = translator.look("the dog")
    vocabulary, table = translator.tokenizer.source, translator.model.source_embedding.pieces.weight.detach().numpy()
    word = trace.source_words[0]
    assert word.text == "the"
    own = (table / np.linalg.norm(table, axis=1, keepdims=True).clip(1e-9))[trace.source_ids[word.slice]].mean(axis=0)
    nearest = {}
    for number, name in enumerate(vocabulary.pieces(range(len(vocabulary)))):
        text = name.removeprefix("\u2581")
        if text != name and text.isalpha() and text.islower() and len(text) >= 3 and text != "the":
            nearest[text] = table[number] @ own / np.linalg.norm(table[number])
    assert len(nearest) > 5
    assert similar(trace, [word], 3) == [sorted(nearest, key=lambda text: -nearest[text])[:3]]


def test_a_sign_has_no_similar_words(fresh):
    trace = fresh(SETTINGS).look("the dog!")
    assert [bool(listed) for listed in similar(trace, trace.source_words[:3])] == [True, True, False]


def test_the_work_tells_how_far_it_is_and_can_be_left_at_any_time(trace):
    total = len(every_change(trace, count=1))
    work = weighing(trace, count=1)
    first = [next(work) for _ in range(3)]
    assert [(progress.done, progress.total) for progress in first] == [(1, total), (2, total), (3, total)]
    work.close()
    assert not any(tap.listeners for tap in trace.living().model.modules() if isinstance(tap, Tap))
    assert [progress.done for progress in weighing(trace, count=1)] == list(range(1, total + 1))


def test_all_heads_take_a_few_passes_of_the_encoder_and_not_one_each(trace, monkeypatch):
    model, passes = trace.living().model, []
    encode = model.encode
    monkeypatch.setattr(model, "encode", lambda source: passes.append(len(source)) or encode(source))
    total = len(every_change(trace, count=1))
    list(weighing(trace, count=1))
    assert sum(passes) == total
    assert len(passes) == 1


def test_what_was_found_is_plain_json(found):
    record = json.loads(json.dumps(found.record()))
    assert {name: len(listed) for name, listed in record.items()} == {
        "stacks": 3,
        "heads": 16,
        "left_out": 5,
        "replaced": len(found.replaced),
    }
    assert record["heads"][0]["change"]["heads"] == [["encoder", 0, 0]]


def test_in_a_model_that_knows_its_words_each_is_worth_its_translation(learned):
    trace = learned.look("ba du be")
    found = worth(trace, {"ba": ["bo"], "du": ["bo"], "be": ["bo"]})
    assert [effect.translation for effect in found.replaced] == ["nob nud neb", "nab nob neb", "nab nud nob"]
    for word in range(3):
        assert max(range(3), key=found.mean_change(word + 1).__getitem__) == word
    assert [effect.translation for effect in found.left_out] == ["nud neb", "nab neb", "nab nud"]
    assert not found.stacks[2].same
    assert sum(found.stacks[2].delta) < -1
