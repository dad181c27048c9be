"""The student's table, whose numbers can be computed by hand; and a trace from the side of a word or a head."""

import dataclasses
import math

import numpy as np
import pytest

from regard.errors import InputError
from regard.looking.table import steps
from regard.looking.trace import Attention
from regard.looking.views import keys, merged, queries
from regard.looking.words import Word


def block(**changed):
    """One head with d_k = 4 and d_v = 2, d_model = 3: one query looks at three keys, of which the last is hidden."""
    ln = math.log
    q, k = np.array([[[2, 0, 0, 1]]]), np.array([[[0, 5, 5, 0], [ln(3), 7, 0, 0], [9, 9, 9, 9]]])
    v, w_o = np.array([[[4, 0], [0, 8], [100, 100]]]), np.array([[[1, 0, 1], [0, 2, 1]]])
    weights, context = np.array([[[0.25, 0.75, 0]]]), np.array([[[1, 6]]])  # scores 0, 2 ln 3, 27; halved 0, ln 3
    numbers = {
        "q": q, "k": k, "v": v, "scores": q @ k.transpose(0, 2, 1), "scaled": q @ k.transpose(0, 2, 1) / 2,
        "weights": weights, "context": context, "w_o": w_o, "b_o": np.zeros(3), "x_in": np.zeros((1, 3)),
        "m_in": np.zeros((3, 3)), "added": np.array([[1, 12, 7]]), "x_out": np.array([[1, 12, 7]]),
        "norm_weight": np.ones(3), "norm_bias": np.zeros(3),
    }  # fmt: skip
    mask = np.array([[True, True, False]])
    floats = {name: value.astype(np.float32) for name, value in (numbers | changed).items()}
    return Attention(kind="cross", layer=1, mask=mask, **floats)


def test_the_steps_of_a_row_are_those_on_paper():
    found = steps(block(), 0, 0, query="il", keys=["a", "b", "c"])
    np.testing.assert_allclose(found.products, [[0, 0, 0, 0], [2 * math.log(3), 0, 0, 0], [18, 0, 0, 9]], atol=1e-6)
    np.testing.assert_allclose(found.scores, [0, 2 * math.log(3), 27], atol=1e-6)
    np.testing.assert_allclose(found.scaled, [0, math.log(3), 13.5], atol=1e-6)
    np.testing.assert_allclose(found.masked, [0, math.log(3), -np.inf], atol=1e-6)
    np.testing.assert_allclose(found.exponentials, [1 / 3, 1, 0], atol=1e-6)
    np.testing.assert_allclose(found.weights, [0.25, 0.75, 0], atol=1e-6)
    np.testing.assert_allclose(found.weighted, [[1, 0], [0, 6], [0, 0]], atol=1e-5)
    np.testing.assert_allclose(found.running, [[1, 0], [1, 6], [1, 6]], atol=1e-5)
    np.testing.assert_allclose(found.z, [1, 6], atol=1e-5)
    np.testing.assert_allclose(found.added, [1, 12, 7], atol=1e-5)
    assert found.difference < 1e-5


@pytest.mark.parametrize("name", ["scores", "scaled", "weights", "context"])
def test_a_number_of_the_model_that_does_not_follow_from_q_k_v_is_told(name):
    wrong = getattr(block(), name).copy()
    wrong[0, 0, 1] += 0.5
    assert steps(block(**{name: wrong}), 0, 0, query="il", keys=["a", "b", "c"]).difference >= 0.49


def test_a_table_is_a_record_a_key():
    records = steps(block(), 0, 0, query="il", keys=["a", "b", "c"]).records()
    assert [record["key"] for record in records] == ["a", "b", "c"]
    assert [record["softmax"] for record in records] == pytest.approx([0.25, 0.75, 0])
    assert records[1]["k"] == pytest.approx([math.log(3), 7, 0, 0])
    assert records[1]["a*v"] == pytest.approx([0, 6], abs=1e-5)
    assert records[2]["masked"] == -math.inf


def test_words_weigh_the_sum_over_a_keys_pieces_and_the_mean_over_a_querys():
    weights = np.array([[[0.1, 0.2, 0.7], [0.3, 0.3, 0.4], [1, 0, 0]]], dtype=np.float32)
    left, right = [Word("a", range(2)), Word("b", range(2, 3))], [Word("c", range(1)), Word("d", range(1, 3))]
    np.testing.assert_allclose(merged(weights, left, right), [[[0.2, 0.8], [1, 0]]], atol=1e-6)


@pytest.fixture(scope="module")
def trace(fresh):
    return fresh().look("the dog did not know", "un chien n'a pas traversé")


def test_rows_are_called_by_what_is_written_or_by_what_is_read(trace):
    assert queries(trace, "cross") == queries(trace, "decoder", "writes") == trace.writes
    assert queries(trace, "cross", "reads") == keys(trace, "decoder") == ["<s>", *trace.writes[:-1]]
    assert queries(trace, "encoder") == keys(trace, "encoder") == keys(trace, "cross") == trace.source_pieces


def test_a_word_of_the_target_is_looked_at_where_it_is_written_or_one_row_later_where_it_is_read(trace):
    word = next(word for word in trace.target_words if word.text == "chien")
    written = trace.word("chien").table(layer=2, head=1)
    assert [found.place for found in written] == list(word.pieces)
    assert [found.query for found in written] == [trace.writes[place] for place in word.pieces]
    assert {found.kind for found in written} == {"cross"}
    assert (written[0].layer, written[0].head) == (1, 0)
    read = trace.word("chien").table(layer=2, head=1, kind="decoder", rows="reads")
    assert [found.place for found in read] == [place + 1 for place in word.pieces]
    assert [found.query for found in read] == [found.query for found in written]
    np.testing.assert_allclose(read[0].weights, trace.attention("decoder", 2).weights[0, word.pieces[0] + 1], atol=1e-6)


def test_a_word_of_the_source_looks_in_the_encoder_alone(trace):
    view = trace.word("dog")
    assert (view.side, view.kind) == ("source", "encoder")
    assert {found.kind for found in view.table(layer=1, head=2)} == {"encoder"}
    with pytest.raises(InputError, match="'dog' is a word of the source; in cross attention, the words of the transl"):
        view.table(layer=1, head=2, kind="cross")
    with pytest.raises(InputError, match="'chien' is a word of the translation; in the encoder, the words of the sou"):
        trace.word("chien").table(layer=1, head=2, kind="encoder")
    with pytest.raises(InputError, match="only what is written has a probability"):
        _ = view.log_prob


def test_the_probability_of_a_word_is_that_of_its_pieces(trace):
    view = trace.word("chien")
    assert view.log_prob == pytest.approx(sum(trace.log_probs[place] for place in view.word.pieces))
    assert view.alternatives == [trace.alternatives[place] for place in view.word.pieces]


def test_the_end_is_written_and_never_read(trace):
    assert trace.word("</s>").table(layer=1, head=1)[0].place == len(trace.writes) - 1
    with pytest.raises(InputError, match="the model writes it, and reads it no more"):
        trace.word("</s>").table(layer=1, head=1, rows="reads")


def test_the_words_at_which_a_word_looks_come_in_the_order_of_their_weights(trace):
    gazes = trace.word("chien").gazes()
    assert [(gaze.layer, gaze.head) for gaze in gazes] == [(layer, head) for layer in range(3) for head in range(2)]
    for gaze in gazes:
        assert sorted(gaze.words) == sorted(word.text for word in trace.source_words)
        assert gaze.weights == sorted(gaze.weights, reverse=True)
        assert sum(gaze.weights) == pytest.approx(1, abs=1e-5)
    rows = trace.head("cross", layer=2, head=1).words()
    place = [word.text for word in trace.target_words].index("chien")
    assert trace.word("chien").gazes(layer=2, head=1)[0].weights[0] == pytest.approx(float(rows[place].max()))
    assert len(trace.word("chien").gazes(head=2)) == 3


def test_a_head_has_its_weights_its_contribution_and_its_records(trace):
    view, block = trace.head("decoder", layer=3, head=2), trace.attention("decoder", 3)
    np.testing.assert_array_equal(view.weights, block.weights[1])
    np.testing.assert_allclose(view.contribution, block.heads[1], atol=1e-6)
    records = view.table()
    assert len(records) == len(trace.writes) ** 2
    assert records[1] == {
        "kind": "decoder", "layer": 3, "head": 2, "query_place": 1, "query": trace.writes[0], "key_place": 2,
        "key": trace.reads[1], "score": float(block.scores[1, 0, 1]), "scaled": float(block.scaled[1, 0, 1]),
        "mask": False, "weight": 0.0,
    }  # fmt: skip
    np.testing.assert_allclose(view.words().sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(view.words("reads").sum(axis=1), 1, atol=1e-6)


def test_a_table_of_the_trace_holds_what_is_asked_for(trace):
    n, m = len(trace.source_pieces), len(trace.writes)
    assert len(trace.table()) == 2 * (2 * n * n + 3 * m * m + 3 * m * n)
    assert len(trace.table("cross")) == 2 * 3 * m * n
    assert len(trace.table("cross", layer=3, head=2)) == m * n
    assert {record["layer"] for record in trace.table(layer=3)} == {3}
    assert {record["kind"] for record in trace.table(layer=3)} == {"decoder", "cross"}


@pytest.mark.parametrize(
    ("kind", "layer", "head", "wrong"),
    [
        ("cross", 4, 1, "no layer 4: cross attention has layers 1 to 3"),
        ("encoder", 3, 1, "no layer 3: encoder attention has layers 1 to 2"),
        ("encoder", 1, 3, "no head 3: each layer has heads 1 to 2"),
        ("encoder", 1, 0, "no head 0"),
    ],
)
def test_a_head_that_is_not_there_is_refused_with_the_range(trace, kind, layer, head, wrong):
    with pytest.raises(InputError, match=wrong):
        trace.head(kind, layer=layer, head=head)
    with pytest.raises(InputError, match=wrong):
        trace.table(kind, layer=layer, head=head)


def test_a_trace_without_its_model_has_the_same_tables(trace, tmp_path):
    trace.save(tmp_path / "trace.npz")
    back = type(trace).load(tmp_path / "trace.npz")
    assert back.table("cross") == trace.table("cross")
    ours, theirs = (one.word("chien").table(layer=1, head=1)[0] for one in (trace, back))
    for field in dataclasses.fields(ours):
        np.testing.assert_array_equal(getattr(ours, field.name), getattr(theirs, field.name))
