"""A trace as a page of its own and in a notebook; two looks side by side."""

import copy
import dataclasses
import json
import re

import numpy as np
import pytest
import torch

from regard.errors import InputError
from regard.looking.comparing import compared, with_model, with_sentence
from regard.looking.documents import document, head_svg, notebook, write_page
from regard.looking.interventions import dropped
from regard.looking.steering import off


@pytest.fixture(scope="module")
def trace(learned):
    return learned.look("ba be bi", direction="fr-en", beam_size=1)


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])


def test_a_page_holds_the_look_with_what_its_heads_and_words_are_worth(trace, tmp_path):
    write_page(trace, tmp_path / "look.html")
    (look,) = data_of((tmp_path / "look.html").read_text("utf-8"))["looks"]
    assert look["translation"] == "nab neb nib"
    assert len(look["worth"]["left_out"]) == 3
    assert np.asarray(look["attribution"]["source"]).shape == (len(trace.target_words), len(trace.source_words))


def test_nothing_is_measured_where_nobody_asks_or_no_model_is_known(trace):
    assert data_of(document(trace, measure=False))["looks"][0]["worth"] is None
    loaded = dataclasses.replace(trace, translator=None)
    assert data_of(document(loaded))["looks"][0]["worth"] is None


def test_a_word_left_out_is_a_second_look_with_what_the_first_loses_by_it(trace):
    found = compared(trace, dropped(trace, "be"))
    assert found.trace.translation == "nab nib"
    assert found.change["how"] == "dropped"
    forced = trace.living().score([found.trace.text], [trace.translation], direction="fr-en")[0].log_probs
    own = [sum(np.subtract(forced, trace.log_probs)[word.slice]) for word in trace.target_words]
    np.testing.assert_allclose(found.delta, own, atol=1e-4)
    looks = data_of(document(trace, others=[found], measure=False))["looks"]
    np.testing.assert_allclose(looks[1]["delta"], found.delta, atol=5e-5)
    assert looks[1]["change"]["words"] == [2]


def test_a_head_off_is_off_in_the_second_look_alone(trace):
    found = compared(trace, off(trace.living().transformer, "cross", layer=1, head=2))
    assert not found.trace.attention("cross", 1).context[1].any()
    assert found.trace.attention("cross", 1).context[0].any()
    again = trace.living().look("ba be bi", direction="fr-en", beam_size=1)
    np.testing.assert_array_equal(again.attention("cross", 1).context, trace.attention("cross", 1).context)


def test_another_sentence_stands_beside_the_first(trace):
    found = with_sentence(trace, "du do")
    assert found.trace.translation == "nud nod"
    assert found.change == {"what": "text", "words": [], "text": "du do"}
    with pytest.raises(InputError, match="knows no model"):
        with_sentence(dataclasses.replace(trace, translator=None), "du do")


def test_another_model_stands_beside_the_first_with_what_it_thinks_of_the_same_words(trace):
    first = trace.living()
    second = copy.deepcopy(first.model)
    with torch.no_grad():
        second.decoder.layers[0].feed_forward.w_2.weight *= 0.5
    other = dataclasses.replace(first, weights=second, name="earlier")
    found = with_model(trace, other)
    was, now = (
        sum(one.score([trace.text], [trace.translation], direction="fr-en")[0].log_probs) for one in (first, other)
    )
    assert sum(found.delta) == pytest.approx(now - was, abs=1e-4)
    assert abs(now - was) > 1e-3
    assert len(found.delta) == len(trace.target_words)
    assert found.change == {"what": "model", "how": "model", "by": "earlier"}
    assert with_model(trace, first).delta == pytest.approx([0.0] * len(trace.target_words), abs=1e-5)
    assert "earlier" in document(trace, others=[found], measure=False)


def test_a_notebook_shows_the_translation_without_a_script_and_the_page_in_a_frame(trace):
    shown = notebook(trace)
    still, frame = shown.split("<iframe", 1)
    assert "nab neb nib" in still
    assert "<script" not in still
    assert "&lt;script" in frame
    assert trace.text in still


def test_the_still_map_has_a_cell_for_each_pair_as_dark_as_its_weight(trace):
    drawn = head_svg(trace, layer=1, head=1)
    assert drawn.count("<rect") == len(trace.target_words) * len(trace.source_words)
    darkest = max(float(value) for value in re.findall(r'fill-opacity="([\d.]+)"', drawn))
    assert darkest == pytest.approx(0.05 + 0.95 * trace.head("cross", layer=1, head=1).words().max(), abs=1e-3)


def test_words_that_are_mark_up_are_text_in_a_notebook(learned):
    trace = learned.look("ba <img src=x>", "nab <b>x", direction="fr-en")
    assert "<img" not in notebook(trace)
    assert "<b>x" not in notebook(trace)
