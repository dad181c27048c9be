"""A trace says what the model computed, all of it, and nothing else; it can be saved, and leaves nothing behind."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from regard.decoding.beam import beam_tree
from regard.decoding.pytorch import longest_targets
from regard.errors import InputError
from regard.looking.listening import listening
from regard.looking.store import arrays, header
from regard.looking.trace import KINDS, Trace
from regard.model.attention import Tap

LINE = "the dog ran too, tired animal"
CASES = {
    "post-norm": {},
    "pre-norm": {"model.norm": "pre"},
    "12-1, gelu, learned positions": {
        "model.n_encoder_layers": 12,
        "model.n_decoder_layers": 1,
        "model.norm": "pre",
        "model.activation": "gelu",
        "model.positions": "learned",
    },
    "12-1, post-norm": {"model.n_encoder_layers": 12, "model.n_decoder_layers": 1},
    "swiglu, untied, no positions": {"model.activation": "swiglu", "model.tie": False, "model.positions": "none"},
    "a vocabulary for each side, words": {"text.joint": False, "text.tokenizer": "word"},
    "two directions, characters": {"text.directions": ("fr-en", "en-fr"), "text.tokenizer": "char"},
    "one head, wide": {"model.n_heads": 1, "model.d_k": None, "model.d_v": 31},
}


@pytest.fixture(scope="module", params=CASES.values(), ids=CASES.keys())
def translator(request, fresh):
    return fresh(request.param)


@pytest.fixture(scope="module")
def trace(translator):
    return translator.look(LINE)


def test_it_has_every_block_in_its_order_with_its_shapes(translator, trace):
    shape, n, m = translator.config.model, len(trace.source_pieces), len(trace.writes)
    deep = {"encoder": shape.n_encoder_layers, "decoder": shape.n_decoder_layers, "cross": shape.n_decoder_layers}
    assert [(b.kind, b.layer) for b in trace.attentions] == [(kind, at) for kind in KINDS for at in range(deep[kind])]
    for block in trace.attentions:
        rows, columns = (n if block.kind == "encoder" else m), (m if block.kind == "decoder" else n)
        assert block.weights.shape == (shape.n_heads, rows, columns)
        assert block.q.shape == (shape.n_heads, rows, shape.key_width)
        assert block.v.shape == (shape.n_heads, columns, shape.value_width)
        assert block.heads.shape == (shape.n_heads, rows, shape.d_model)
    assert [(f.stack, f.layer) for f in trace.feed_forwards] == [
        (stack, at) for stack in ("encoder", "decoder") for at in range(deep[stack])
    ]


def test_its_log_probabilities_are_those_of_the_fused_pass_that_nobody_hears(translator, trace):
    (scored,) = translator.score([LINE], [trace.translation])
    if scored.pieces == trace.writes:  # what a model that learned nothing writes may be spelt in other pieces
        np.testing.assert_allclose(trace.log_probs, scored.log_probs, atol=1e-5, rtol=0)
    forced = translator._log_probs([trace.source_ids], [trace.target_ids])
    np.testing.assert_allclose(trace.log_probs, forced[0], atol=1e-5, rtol=0)


def test_a_float64_twin_finds_every_number_of_every_block(trace, twin):
    for block in trace.attentions:
        found = twin.differences(block, post_norm=trace.model.norm == "post", epsilon=trace.model.norm_epsilon)
        assert max(found.values()) < 1e-5, (block.kind, block.layer, found)


def test_the_twin_is_not_content_with_weights_that_are_a_little_wrong(trace, twin):
    block = trace.attentions[0]
    found = twin.differences(
        dataclasses.replace(block, weights=block.weights + np.float32(1e-4)), post_norm=True, epsilon=1e-5
    )
    assert found["weights"] > 5e-5


def test_the_weights_of_a_row_sum_to_1_and_are_0_where_the_mask_is(trace):
    for block in trace.attentions:
        np.testing.assert_allclose(block.weights.sum(axis=2), 1, atol=1e-6)
        assert not block.weights[:, ~block.mask].any()
        assert (block.weights[:, block.mask] > 0).all()
    masks = {block.kind: block.mask for block in trace.attentions}
    assert masks["encoder"].all()
    assert masks["cross"].all()
    assert masks["decoder"].sum() == len(trace.reads) * (len(trace.reads) + 1) / 2


def module_of(model, block):
    """The attention that a block was heard from."""
    if block.kind == "encoder":
        return model.encoder.layers[block.layer].self_attention
    deep = model.decoder.layers[block.layer]
    return deep.self_attention if block.kind == "decoder" else deep.cross_attention


def test_what_a_block_adds_is_the_sum_over_heads_and_keys_of_a_times_f_and_b_o(translator, trace):
    for block in trace.attentions:
        w_v = module_of(translator.model, block).w_v
        per_head = w_v.weight.detach().numpy().reshape(len(block.q), -1, trace.model.d_model)
        bias = w_v.bias.detach().numpy().reshape(len(block.q), 1, -1)
        f = (np.einsum("jm,hdm->hjd", block.m_in, per_head) + bias) @ block.w_o
        np.testing.assert_allclose(np.einsum("hij,hjm->im", block.weights, f) + block.b_o, block.added, atol=1e-5)


def test_keys_are_made_of_m_and_queries_of_the_stream(translator, trace):
    for block in trace.attentions:
        attention = module_of(translator.model, block)
        m, x = torch.from_numpy(block.m_in), torch.from_numpy(block.x_in)
        if trace.model.norm == "pre":
            norm = torch.from_numpy(block.norm_weight), torch.from_numpy(block.norm_bias)
            x = torch.nn.functional.layer_norm(x, (x.shape[1],), *norm, eps=trace.model.norm_epsilon)
        for made, linear, of in ((block.k, attention.w_k, m), (block.q, attention.w_q, x)):
            flat = linear(of).detach().numpy()
            np.testing.assert_allclose(made.transpose(1, 0, 2).reshape(flat.shape), flat, atol=1e-5)


def test_the_stream_flows_from_block_to_block_and_ends_in_the_logits(translator, trace):
    stream = {"encoder": trace.attention("encoder", 1).x_in, "decoder": trace.attention("decoder", 1).x_in}
    for block in sorted(trace.attentions, key=lambda block: (block.kind != "encoder", block.layer)):
        stack = "encoder" if block.kind == "encoder" else "decoder"
        np.testing.assert_array_equal(block.x_in, stream[stack])
        stream[stack] = block.x_out
        if block.kind != "decoder":
            worked = next(f for f in trace.feed_forwards if (f.stack, f.layer) == (stack, block.layer))
            np.testing.assert_array_equal(worked.x_in, stream[stack])
            stream[stack] = worked.x_out
    with torch.no_grad():
        top = translator.model.decoder.norm(torch.from_numpy(stream["decoder"]))
        log_probs = translator.model.output(top).log_softmax(dim=-1)
    written = log_probs[torch.arange(len(trace.target_ids)), torch.tensor(trace.target_ids)]
    np.testing.assert_allclose(written.numpy(), trace.log_probs, atol=1e-5)


def test_its_translation_is_that_of_translate(translator, trace):
    found = translator.translate(LINE)
    assert (trace.translation, trace.writes) == (found.text, found.pieces)
    assert trace.reads == ["<s>", *found.pieces[:-1]]
    np.testing.assert_allclose(trace.log_probs, found.log_probs, atol=1e-5)


class Hearing:
    """A model that is listened to at every step of a search."""

    def __init__(self, model):
        self.model, self.steps = model, []

    def step(self, ids, state):
        with listening(self.model, lambda name: name.endswith(".weights")) as heard:
            answer = self.model.step(ids, state)
        self.steps.append(heard)
        return answer


def test_the_maps_heard_step_by_step_in_the_beam_are_those_of_the_forced_pass(translator, trace):
    hearing, config = Hearing(translator.model), translator.config.decoding
    with torch.no_grad():
        state = translator.model.start(translator.model.encode(torch.tensor([trace.source_ids])))
        limits = longest_targets(torch.tensor([len(trace.source_ids)]), config)
        found = beam_tree(hearing, state, batch=1, config=config, max_lengths=limits)
    assert found.hypotheses[0][0].ids == trace.target_ids
    parent = -1
    for place, (growth, heard) in enumerate(zip(found.tree, hearing.steps, strict=False)):
        if place == len(trace.target_ids):
            break
        here = (growth.parent[0] == parent) & (growth.piece[0] == trace.target_ids[place])
        (at,) = here.nonzero()[:, 0].tolist()
        parent, row = int(growth.node[0, at]), int(growth.row[0, at])
        for block in trace.attentions:
            if block.kind != "encoder":
                name = (
                    f"decoder.layers.{block.layer}.{'self' if block.kind == 'decoder' else 'cross'}_attention.weights"
                )
                width = place + 1 if block.kind == "decoder" else len(trace.source_pieces)
                np.testing.assert_allclose(heard[name][row, :, 0], block.weights[:, place, :width], atol=1e-5)


def test_the_beam_tree_leads_to_the_translation_and_its_sums_add_up(trace):
    chosen = [node for node in trace.beam if node.chosen]
    assert [node.piece for node in chosen] == trace.writes
    np.testing.assert_allclose([node.log_prob for node in chosen], trace.log_probs, atol=1e-5)
    for number, node in enumerate(trace.beam):
        assert node.parent < number
        before = trace.beam[node.parent] if node.parent >= 0 else None
        assert node.total == pytest.approx((before.total if before else 0) + node.log_prob, abs=1e-4)
        assert before is None or before.state == "kept"
    assert {"kept", "discarded"} <= {node.state for node in trace.beam}
    assert (chosen[-1].state == "ended") == (trace.writes[-1] == "</s>")


def test_a_forced_translation_is_traced_as_it_is_and_was_not_searched_for(translator):
    trace = translator.look(LINE, "un chien")
    (scored,) = translator.score([LINE], ["un chien"])
    assert (trace.translation, trace.writes, trace.forced, trace.beam) == ("un chien", scored.pieces, True, [])
    np.testing.assert_allclose(trace.log_probs, scored.log_probs, atol=1e-5)


def test_the_alternatives_are_the_most_probable_pieces_with_their_probabilities(translator, trace):
    read = torch.tensor([[2, *trace.target_ids[:-1]]])
    with torch.no_grad():
        p = translator.model(torch.tensor([trace.source_ids]), read)[0].softmax(dim=-1)
    for row, listed in zip(p, trace.alternatives, strict=True):
        assert [share for _, share in listed] == pytest.approx(row.sort(descending=True).values[:6].tolist(), abs=1e-6)
        assert listed[0][0] == translator.tokenizer.target.pieces([int(row.argmax())])[0]


def test_a_saved_trace_comes_back_as_it_was_without_the_model(trace, tmp_path):
    trace.save(tmp_path / "a.npz")
    back = Trace.load(tmp_path / "a.npz")
    assert json.dumps(header(back)) == json.dumps(header(trace))
    assert (back.model, back.source_words, back.beam) == (trace.model, trace.source_words, trace.beam)
    assert arrays(back).keys() == arrays(trace).keys()
    for name, array in arrays(trace).items():
        np.testing.assert_array_equal(arrays(back)[name], array, strict=True)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        assert all(file[name].dtype.kind in "bfu" for name in file.files)
    with pytest.raises(InputError, match="knows no model"):
        back.living()


def test_in_a_shell_it_is_one_line(trace):
    assert repr(trace) == f"Trace({LINE!r} -> {trace.translation!r}, {len(trace.attentions)} attention blocks)"


def test_as_json_it_is_what_the_page_reads(trace):
    data = json.loads(trace.to_json())
    (look,) = data["looks"]
    assert (look["text"], look["translation"]) == (trace.text, trace.translation)
    assert len(look["blocks"]) == len(trace.attentions)


def test_looking_leaves_the_model_as_it_was(translator, trace):
    before = {name: weight.clone() for name, weight in translator.model.state_dict().items()}
    for block in translator.look(LINE).attentions:
        block.w_o[:] = 0  # what is in a trace is a copy
    after = translator.model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(weight, after[name]) for name, weight in before.items())
    assert not any(tap.listeners for tap in translator.model.modules() if isinstance(tap, Tap))


def test_nothing_is_left_behind_when_the_model_fails(fresh, monkeypatch):
    translator = fresh()
    monkeypatch.setattr(translator.model.decoder, "forward", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        translator.look(LINE)
    assert not any(tap.listeners for tap in translator.model.modules() if isinstance(tap, Tap))


def test_the_tag_of_a_direction_is_a_piece_that_is_read(fresh):
    translator = fresh(CASES["two directions, characters"])
    there, back = translator.look("ran"), translator.look("ran", direction="en-fr")
    assert (there.source_pieces[0], back.source_pieces[0]) == ("<2en>", "<2fr>")
    assert (there.model.direction, back.model.direction) == ("fr-en", "en-fr")
    with pytest.raises(InputError, match="There is no direction 'de-en'"):
        translator.look("ran", direction="de-en")


@pytest.mark.parametrize(("line", "wrong"), [("", "nothing to look at"), ("  ", "nothing to"), ("a " * 40, "at once")])
def test_a_line_that_cannot_be_read_at_once_is_refused(fresh, line, wrong):
    with pytest.raises(InputError, match=wrong):
        fresh().look(line)


def test_layers_count_from_1_and_one_that_is_not_there_is_refused(fresh):
    trace = fresh().look(LINE)
    assert trace.attention("decoder", 3).layer == 2
    assert [block.layer for block in trace.of_kind("cross")] == [0, 1, 2]
    for kind, layer in (("encoder", 3), ("cross", 0), ("cross", 4)):
        with pytest.raises(InputError, match=f"no layer {layer}: {kind} attention has layers 1 to"):
            trace.attention(kind, layer)


@pytest.mark.parametrize("how", ["missing", "cut", "other", "new"])
def test_a_file_that_is_no_trace_is_refused_by_name(fresh, tmp_path, how):
    path = tmp_path / "a.npz"
    if how != "missing":
        fresh().look(LINE).save(path)
    if how == "cut":
        path.write_bytes(path.read_bytes()[:5000])
    elif how == "other":
        np.savez(path, a=np.ones(3))
    elif how == "new":
        with np.load(path) as file:
            named = dict(file)
        described = json.loads(named["header"].tobytes()) | {"format": 99}
        named["header"] = np.frombuffer(json.dumps(described).encode(), dtype=np.uint8)
        np.savez(path, **named)
    wrong = {"missing": "no such file", "new": "trace format 99; this version reads 1"}.get(how, "not a trace")
    with pytest.raises(InputError, match=rf"a\.npz: .*{wrong}"):
        Trace.load(path)


def test_in_a_trained_model_whose_scores_are_large_the_twin_agrees_in_parts_of_each_number(learned, twin):
    for line in ("ba du be", "do di da de du"):
        for block in learned.look(line).attentions:
            found = twin.recomputed(block, post_norm=learned.config.model.norm == "post", epsilon=1e-5)
            for name, value in found.items():
                off = np.abs(getattr(block, name) - value) / np.maximum(1, np.abs(value))
                assert off.max() < 1e-5, (block.kind, name)
