"""Every screen, number by number; the oracle is the trace in Python."""

import copy
import dataclasses
import re
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from regard.looking.attribution import attribute_trace
from regard.looking.comparing import Compared, compared, with_model
from regard.looking.export import Shown, alti_data, page_data
from regard.looking.interventions import dropped
from regard.looking.shell import page as page_of
from regard.looking.steering import HeadPlace
from regard.looking.trace import KINDS, Trace
from regard.looking.views import key_words, query_words
from regard.looking.worth import Worth, worth

SOURCE, TARGET = "the animal did not cross the street", "l'animal n'a pas traversé la rue"
WORDS = ["the", "animal", "did", "not", "cross", "the", "street", "end"]
WRITTEN = ["l'", "animal", "n'", "a", "pas", "traversé", "la", "rue", "end"]
MINUS = "\u2212"


class Specimen(NamedTuple):
    """A page, and what it was made from."""

    trace: Trace
    worth: Worth
    other: Compared
    path: Any


@pytest.fixture(scope="module")
def specimen(fresh, tmp_path_factory):
    trace = fresh().look(SOURCE, TARGET)
    measured, other = worth(trace, count=2, beam_size=1, max_ratio=0.5), compared(trace, dropped(trace, "not"))
    first = Shown(trace, measured.record(), alti_data(trace))
    second = Shown(other.trace, change=other.change, delta=other.delta)
    path = tmp_path_factory.mktemp("screens") / "page.html"
    path.write_text(page_of(page_data([first, second])), encoding="utf-8")
    return Specimen(trace, measured, other, path)


@pytest.fixture(scope="module")
def opened(visits, specimen):
    return visits(specimen.path)


@pytest.fixture
def at(opened, turn):
    """The page at a place (#...), as if it had been opened there."""
    return lambda place="#": turn(opened, place)


def texts(page, selector):
    return page.evaluate("s => [...document.querySelectorAll(s)].map(e => e.textContent.trim())", selector)


def number(text):
    """A number as the page prints it; what it does not know is None."""
    text = text.replace(MINUS, "-").replace("\u2013", "")
    return float(text) if text else None


def close(told, values, digits):
    """Whether numbers that were printed with so many digits are these, which may have travelled with four."""
    numbers = [number(text) for text in told]
    assert len(numbers) == len(values) > 0
    return all(abs(a - b) <= 0.5 * 10**-digits + 6e-5 for a, b in zip(numbers, values, strict=True))


# ---- S0, the sentence


def test_the_headline_is_the_sentence_and_its_translation_word_by_word(at, specimen):
    page = at()
    assert texts(page, "#source-line .tok > :first-child") == WORDS
    assert texts(page, "#target-line .tok > :first-child") == WRITTEN
    assert page.title() == f"{SOURCE} \u2013 regard"


@pytest.mark.parametrize(("layer", "head", "word"), [(1, 1, 1), (3, 2, 5), (2, 3, 8)])
def test_the_bars_that_hang_from_the_source_are_the_weights_of_one_head(at, specimen, layer, head, word):
    row = specimen.trace.target_words[word].pieces.start
    page = at(f"#look=cross.{layer}.{head}&row={row}")
    weights = specimen.trace.head("cross", layer=layer, head=head).words()[word]
    bars = page.evaluate(
        "[...document.querySelectorAll('#source-line .tok')].map(e => e.style.getPropertyValue('--w'))"
    )
    assert close(bars, weights, 4)
    shown = texts(page, "#source-line em")
    assert [bool(text) for text in shown] == [w >= 0.045 for w in weights.round(9)]
    assert close([text for text in shown if text], [w for w in weights if w >= 0.045], 2)
    assert page.locator("#lead .n").first.text_content() == f"{weights.max():.2f}"
    pressed = page.locator("#target-line [aria-pressed=true] > :first-child")
    assert pressed.all_text_contents() == [WRITTEN[word]]


def test_a_source_word_that_is_asked_shows_who_looked_at_it(at, specimen):
    page = at("#look=cross.2.1&row=6")
    page.locator("#source-line .tok").nth(4).click()
    looked = specimen.trace.head("cross", layer=2, head=1).words()[:, 4]
    bars = page.evaluate(
        "[...document.querySelectorAll('#target-line .tok')].map(e => e.style.getPropertyValue('--w'))"
    )
    assert close(bars, looked, 4)
    assert page.locator("#source-line [aria-pressed=true]").inner_text() == "cross"


def test_beside_each_written_word_stand_its_probability_and_its_rival(at, specimen):
    page = at()
    trace = specimen.trace
    lines = page.evaluate("""[...document.querySelectorAll('#lanes g.target')].map(g =>
        [g.querySelector(':scope > text.num').textContent, g.querySelector('.rival .num').textContent])""")
    assert close([p for p, _ in lines], [np.exp(sum(trace.log_probs[w.slice])) for w in trace.target_words], 2)
    for (_, rival), word in zip(lines, trace.target_words, strict=True):
        place = word.pieces.start
        best = next(p for piece, p in trace.alternatives[place] if piece != trace.writes[place])
        assert float("0" + rival) == pytest.approx(best, abs=6e-4)


def test_all_pieces_are_listed_with_their_probabilities(at, specimen):
    page = at()
    page.evaluate("document.querySelector('#chances').open = true")
    assert close(texts(page, "#chances-table td:nth-child(2)"), np.exp(specimen.trace.log_probs), 3)
    assert close(texts(page, "#chances-table td:nth-child(3)"), specimen.trace.log_probs, 2)


def test_what_a_head_is_worth_stands_in_the_sentence_below_the_headline(at, specimen):
    page = at("#look=cross.2.3&row=7")
    effect = specimen.worth.head(HeadPlace("cross", 1, 2))
    assert close(page.locator("#matter strong").all_text_contents()[-1:], [effect.word_delta[5]], 2)
    assert ("stays the same" in page.locator("#matter").inner_text()) == effect.same


# ---- S1, the finder


@pytest.mark.parametrize("kind", KINDS)
def test_the_finder_shows_each_head_and_what_it_looks_at(at, specimen, kind):
    row = 7
    page = at(f"#look=cross.3.1&row={row}")
    trace = specimen.trace
    thumbs = page.evaluate(
        """kind => [...document.querySelectorAll(`[data-kind=${kind}] .open`)].map(thumb =>
            ['.live', 'q', '.a'].map(part => thumb.querySelector(part).textContent))""",
        kind,
    )
    blocks = trace.of_kind(kind)
    name = {"cross": "cross-attention"}.get(kind, kind)
    assert [called for called, _, _ in thumbs] == [
        f"{name}, layer {block.layer + 1}, head {head + 1}: " for block in blocks for head in range(3)
    ]
    if kind == "encoder":  # the captions speak of the word that the chosen head looks at
        row = int(trace.attention("cross", 3).weights[0, row].argmax())
    words = trace.read_words if kind == "decoder" else trace.source_words
    for (_, word, weight), weights in zip(thumbs, (w for block in blocks for w in block.weights[:, row]), strict=True):
        looked = next(w.text for w in words if int(weights.argmax()) in w.pieces)
        assert word == {"</s>": "end", "<s>": "start"}.get(looked, looked)
        assert weight == f"{weights.max():.2f}"


def test_heads_are_ordered_by_what_they_are_worth_to_the_chosen_word(at, specimen):
    page = at("#look=cross.1.1&row=2")
    page.locator("#orders button").nth(1).click()
    for kind in KINDS:
        worths = {
            (effect.change.heads[0].layer, effect.change.heads[0].head): effect.word_delta[1]
            for effect in specimen.worth.heads
            if effect.change.heads[0].kind == kind
        }
        order = page.evaluate(
            "k => [...document.querySelectorAll(`[data-kind=${k}] .open`)].map(e => JSON.parse(e.dataset.go))", kind
        )
        told = [abs(worths[place["layer"], place["head"]]) for place in order]
        assert told == pytest.approx(sorted(told, reverse=True), abs=1e-4)
        assert len(told) == len(worths)
        shown = texts(page, f"[data-kind={kind}] .value:last-child > :last-child")
        assert close(shown, [worths[p["layer"], p["head"]] for p in order], 2)


def test_heads_are_ordered_by_their_mean_peak(at, specimen):
    page = at("#order=focused")
    shown = texts(page, "[data-kind=cross] .value:last-child > :last-child")
    peaks = [w for b in specimen.trace.of_kind("cross") for w in b.weights[:, :-1].max(axis=2).mean(axis=1)]
    assert close(shown, sorted(peaks, reverse=True), 2)


def test_the_small_picture_of_a_head_is_dark_where_its_weight_is_large(at, specimen):
    page = at()
    weights = specimen.trace.head("cross", layer=2, head=3).weights
    large, small = (np.unravel_index(f(weights), weights.shape) for f in (np.argmax, np.argmin))
    light = page.evaluate(
        """cells => {
        const canvas = document.querySelector('canvas[data-kind=cross]'), ratio = canvas.width / canvas.clientWidth;
        const here = document.querySelector('#thumb-cross-2-3 .thumb').getBoundingClientRect();
        const box = canvas.getBoundingClientRect();
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return cells.map(([i, j, rows, cols]) => {
            const x = here.left - box.left + (j + .5) * here.width / cols;
            const y = here.top - box.top + (i + .5) * here.width / rows;
            const start = 4 * (Math.floor(y * ratio) * canvas.width + Math.floor(x * ratio));
            return data[start] + data[start + 1] + data[start + 2];
        });
    }""",
        [[int(i), int(j), *weights.shape] for i, j in (large, small)],
    )
    assert weights.max() > 0.8
    assert weights.min() < 0.1
    assert light[0] < light[1] - 200


# ---- S2, one head


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("unit", ["words", "pieces"])
def test_each_cell_of_the_matrix_says_who_looks_at_whom_and_how_much(at, specimen, kind, unit):
    page = at(f"#look={kind}.2.2&unit={unit}")
    view = specimen.trace.head(kind, layer=2, head=2)
    weights = view.words() if unit == "words" else view.weights
    cells = page.evaluate("""[...document.querySelectorAll('#matrix .cell')].map(e =>
        [...e.dataset.cell.split(' ').map(Number), e.getAttribute('aria-label')])""")
    open_cells = [(i, j) for i, j in np.ndindex(weights.shape) if _open(specimen.trace, kind, unit, i, j)]
    assert [(i, j) for i, j, _ in cells] == open_cells
    assert close([label.rpartition(", ")[2] for _, _, label in cells], [weights[place] for place in open_cells], 2)
    masked = page.locator("#matrix circle.masked").count()
    assert masked == weights.size - len(open_cells)
    page.evaluate("document.querySelector('#as-table').open = true")
    page.wait_for_selector("#matrix-table")
    told = [text for text in texts(page, "#matrix-table td")[1:] if number(text) is not None]
    assert close(told, [weights[place] for place in open_cells], 3)


def _open(trace, kind, unit, i, j):
    """Whether a row may look at a column, by the model's own mask."""
    block = trace.attention(kind, 2)
    mask = np.broadcast_to(block.mask, block.weights.shape[1:])
    if unit == "pieces":
        return bool(mask[i, j])
    return bool(mask[query_words(trace, kind)[i].slice, key_words(trace, kind)[j].slice].any())


@pytest.mark.parametrize(("kind", "mark"), [("cross", -1), ("decoder", 0)])
def test_marks_are_hidden_only_while_the_mass_on_them_is_told(at, specimen, kind, mark):
    page = at(f"#look={kind}.2.3&row=7&marks=hidden")
    weights = specimen.trace.head(kind, layer=2, head=3).words()
    columns = page.evaluate(
        "[...document.querySelectorAll('#matrix .cell')].map(c => Number(c.dataset.cell.split(' ')[1]))"
    )
    hidden = {mark % weights.shape[1]}
    assert set(range(weights.shape[1])) - set(columns) == hidden
    assert close(texts(page, "#matrix text.num.soft"), weights[:, mark], 2)
    assert close(texts(page, "#hidden-mass td:nth-of-type(1)"), [weights[5, mark]], 2)


def test_the_darker_a_cell_the_larger_its_weight(at, specimen):
    page = at("#look=cross.2.3")
    weights = specimen.trace.head("cross", layer=2, head=3).words()
    fills = page.evaluate("""[...document.querySelectorAll('#matrix .cell')].map(e =>
        getComputedStyle(e).fill.match(/[\\d.]+/g).slice(0, 3).map(Number).reduce((a, b) => a + b))""")
    order = np.argsort(weights.ravel())
    light = np.array(fills)[order]
    assert light[0] > 650 > 350 > light[-1]
    assert (np.diff(light) <= 3).all()


def test_rows_of_the_decoder_are_named_by_what_is_written_or_by_what_is_read(at, specimen):
    page = at("#look=decoder.1.1")
    named = "#matrix text.row"
    assert [text.removesuffix("\u2026") for text in texts(page, named)] == WRITTEN
    page.locator("#head-bar button", has_text="the word read").click()
    assert texts(page, named)[:4] == ["start", "l'", "animal", "n'"]
    weights = specimen.trace.head("decoder", layer=1, head=1).words("reads")
    labels = page.evaluate(
        "[...document.querySelectorAll('#matrix .cell')].map(e => [e.dataset.cell, e.getAttribute('aria-label')])"
    )
    assert close(
        [label.rpartition(", ")[2] for _, label in labels],
        [weights[tuple(map(int, cell.split()))] for cell, _ in labels],
        2,
    )


def test_beside_a_row_stand_what_it_carries_and_what_its_words_are_worth(at, specimen):
    trace, word = specimen.trace, 5
    page = at(f"#look=cross.3.2&row={trace.target_words[word].pieces.start}")
    block, pieces = trace.attention("cross", 3), trace.target_words[word].slice
    lengths = np.linalg.norm(block.v[1] @ block.w_o[1], axis=1)
    carried = [(block.weights[1, pieces, w.slice] @ lengths[w.slice]).mean() for w in trace.source_words]
    alti = attribute_trace(trace, method="alti").source[word]

    def column(place):
        return texts(page, f"#row-table tbody tr > :nth-child({place})")

    assert close(column(2), trace.head("cross", layer=3, head=2).words()[word], 2)
    assert close(column(3), carried, 2)
    assert close(column(4), alti, 2)
    known = specimen.worth.left_out
    assert close(column(6)[:-1], [effect.word_delta[word] for effect in known], 2)
    assert close(column(5)[:-1], [specimen.worth.mean_change(j)[word] for j in range(7)], 2)
    assert number(column(5)[-1]) is None  # the mark of the end is no word that could be replaced


def test_a_head_is_shown_as_lines_too(at, specimen):
    page = at("#look=cross.3.2&row=7&view=lines")
    weights = specimen.trace.head("cross", layer=3, head=2).words()[5]
    assert page.locator("#matrix path.thread").count() == (weights > 0.005).sum()
    assert close(texts(page, "#matrix text.num"), [w for w in weights if w > 0.01], 2)


# ---- S3, one word


@pytest.mark.parametrize(
    ("kind", "layer", "head", "row"), [("cross", 2, 3, 7), ("encoder", 1, 2, 4), ("decoder", 3, 1, 5)]
)
def test_the_students_table_holds_every_number_of_the_row(at, specimen, kind, layer, head, row):
    page = at(f"#look={kind}.{layer}.{head}&row={row}&open=1")
    steps = specimen.trace.head(kind, layer=layer, head=head).steps(row)
    block = specimen.trace.attention(kind, layer)
    open_keys = np.flatnonzero(block.mask[row] if len(block.mask) > 1 else block.mask[0])
    scaled = block.scaled[head - 1, row, open_keys].astype(float)
    offset = 1 if kind == "decoder" else 0  # the mask has a column of its own

    def column(place):
        return texts(page, f"#student-table tbody tr > :nth-child({place})")

    assert close(column(4), block.scores[head - 1, row, open_keys], 3)
    assert close(column(5), scaled, 3)
    assert alike(column(6 + offset), np.exp(scaled - scaled.max()))
    assert alike(column(7 + offset), block.weights[head - 1, row, open_keys])
    assert len(steps.keys) == block.weights.shape[2]


RAISED = str.maketrans("\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079", "-0123456789")


def alike(told, values):
    """Whether numbers of four figures are these; very small ones have two, and a power of ten."""
    for text, value in zip(told, values, strict=True):
        mantissa, power, raised = text.partition("\u00b710")
        number = float(f"{mantissa}e{raised.translate(RAISED)}" if power else text)
        if abs(number - value) > (0.05 if power else 1e-3) * value + 1e-12:
            return False
    return len(told) > 1


def test_one_score_is_told_product_by_product_and_one_number_of_z_value_by_value(at, specimen):
    page = at("#look=cross.2.3&row=7&open=1&all=1&col=4&dim=2")
    block = specimen.trace.attention("cross", 2)
    q, k = block.q[2, 7], block.k[2, 4]
    order = np.argsort(-np.abs(q * k), kind="stable")
    assert close(texts(page, "#score-table tbody td:nth-child(4)"), (q * k)[order], 3)
    assert close(texts(page, "#score-table tbody tr:last-child td:last-child"), [block.scores[2, 7, 4]], 3)
    shares = block.weights[2, 7] * block.v[2, :, 2]
    assert close(texts(page, "#value-table tbody td:nth-child(4)"), sorted(shares, key=lambda x: -abs(x)), 3)
    assert close(texts(page, "#value-table tbody tr:last-child td:last-child"), [block.context[2, 7, 2]], 3)
    added = block.heads[2, 7]
    assert close(texts(page, "#output-table tbody tr:last-child td:last-child"), [added[np.abs(added).argmax()]], 3)


def test_the_lane_of_the_word_grows_by_what_each_head_adds(at, specimen):
    page = at("#look=cross.2.3&row=7&open=1")
    block = specimen.trace.attention("cross", 2)
    fed = next(f for f in specimen.trace.feed_forwards if (f.stack, f.layer) == ("decoder", 1))
    lengths = [block.x_in[7], *block.heads[:, 7], block.x_out[7], fed.added[7]]
    assert close(texts(page, "#lane-table td:last-child"), [np.linalg.norm(x) for x in lengths], 2)


def test_it_adds_up_in_every_row_of_every_head(at, specimen):
    """The browser's float64 from q, k, v is the model's float32 within 1e-5 (of the number, where that is above 1)."""
    page = at("#open=1")
    found = page.evaluate(
        """async places => {
        const out = [];
        for (const [kind, layer, head, row] of places) {
            location.hash = `look=${kind}.${layer}.${head}&row=${row}&open=1`;
            await new Promise(told => addEventListener('hashchange', told, { once: true }));
            const check = document.querySelector('#check .check');
            out.push([document.querySelector('#head-title').textContent, Number(check.dataset.off), check.dataset.ok]);
        }
        return out;
    }""",
        places := [
            [block.kind, block.layer + 1, head + 1, row]
            for block in specimen.trace.attentions
            for head in range(3)
            for row in (head, 17 - head)
        ],
    )
    assert len(found) == 8 * 3 * 2
    names = {"cross": "Cross-attention", "encoder": "Encoder", "decoder": "Decoder"}
    assert [name for name, _, _ in found] == [f"{names[k]}, layer {n}, head {h}" for k, n, h, _ in places]
    largest = max(np.abs(block.added).max() for block in specimen.trace.attentions)
    assert 0 < max(off for _, off, _ in found) <= 1e-5 * max(1, largest)
    assert {ok for _, _, ok in found} == {"true"}


def test_a_page_whose_numbers_were_tampered_with_does_not_add_up(visit, specimen, tmp_path):
    block = specimen.trace.attention("cross", 2)
    block = type(block)(**vars(block) | {"weights": block.weights + np.float32(0.001)})
    parts = [block if (b.kind, b.layer) == ("cross", 1) else b for b in specimen.trace.attentions]
    forged = type(specimen.trace)(**vars(specimen.trace) | {"attentions": parts})
    path = tmp_path / "forged.html"
    path.write_text(page_of(page_data([forged])), encoding="utf-8")
    page = visit(path, "#look=cross.2.1&row=3&open=1")
    assert page.locator("#check .check").get_attribute("data-ok") == "false"
    assert "does not add up" in page.locator("#check").inner_text()


@pytest.mark.parametrize("how", ["csv", "python"])
def test_a_row_is_copied_as_what_gives_its_weights_again(at, specimen, how):
    page = at("#look=cross.2.3&row=7&open=1")
    page.evaluate("""Object.defineProperty(navigator, 'clipboard', {
        configurable: true, value: { writeText: async text => { window.copied = text; } } })""")
    page.locator(f"#copy-{how}").click()
    page.wait_for_function("() => window.copied")
    copied, weights = page.evaluate("window.copied"), specimen.trace.attention("cross", 2).weights[2, 7]
    if how == "csv":
        assert [float(line.rpartition(",")[2]) for line in copied.splitlines()[1:]] == pytest.approx(weights, abs=1e-6)
        return
    names: dict[str, Any] = {}
    exec(copied, names)  # what the page made in this very test
    assert names["a"] == pytest.approx(weights, abs=1e-6)
    assert names["z"] == pytest.approx(specimen.trace.attention("cross", 2).context[2, 7], abs=1e-5)


# ---- S4, two looks


def test_two_looks_stand_side_by_side_with_the_difference_of_each_weight(at, specimen):
    page = at("#look=cross.3.2")
    lead = page.locator("#compare-lead").inner_text()
    assert lead.startswith("In the source, nothing for not.")
    lost = texts(page, "#compare-figure text.num.strong, #compare-figure text.num.soft")
    told = [round(d, 2) for d in specimen.other.delta if abs(d) >= 0.05]
    assert close([text for text in lost if text != "0"], told, 2)
    changed = texts(page, "#compare-figure text.col.changed")
    assert changed == ["not", "\u2013", "not/\u2013"]


def test_the_third_panel_is_the_second_minus_the_first_and_leaves_gaps(visit, fresh, specimen, tmp_path):
    second = fresh().look(SOURCE.replace("not ", ""), TARGET)  # the same rows, and one column less
    (tmp_path / "pair.html").write_text(page_of(page_data([specimen.trace, second])), encoding="utf-8")
    page = visit(tmp_path / "pair.html", "#look=cross.2.3&row=7")
    first, then = (trace.head("cross", layer=2, head=3).words() for trace in (specimen.trace, second))
    changes = (then - np.delete(first, 3, axis=1)).ravel()
    signs = ["+" if change > 0 else MINUS for change in changes if abs(change) > 0.3]
    assert {"+", MINUS} == set(signs)
    assert texts(page, "#compare-figure .sign") == signs
    assert page.locator("#compare-figure line.gap").count() == 2 * len(first)


def test_another_models_look_stands_beside_the_first_under_its_name(visit, specimen, tmp_path):
    first = specimen.trace.living()
    model = copy.deepcopy(first.model)
    with torch.no_grad():
        model.decoder.layers[0].feed_forward.w_2.weight *= 0.5
    found = with_model(specimen.trace, dataclasses.replace(first, weights=model, name="earlier"))
    second = Shown(found.trace, change=found.change, delta=found.delta)
    (tmp_path / "models.html").write_text(page_of(page_data([specimen.trace, second])), encoding="utf-8")
    page = visit(tmp_path / "models.html", "#look=cross.3.2")
    assert page.locator("#compare-lead").inner_text().startswith("The source is the same, read by the model earlier.")
    assert "earlier" in page.locator("#looks button").nth(1).inner_text()


def test_the_second_look_can_be_looked_into_like_the_first(at, specimen):
    page = at("#look=cross.3.2")
    page.locator("#looks button").nth(1).click()
    assert texts(page, "#source-line .tok > :first-child") == [word for word in WORDS if word != "not"]
    weights = specimen.other.trace.head("cross", layer=3, head=2).words()
    page = at("#s=1&look=cross.3.2&row=0&open=1")
    assert page.locator("#check .check").get_attribute("data-ok") == "true"
    bars = page.evaluate(
        "[...document.querySelectorAll('#source-line .tok')].map(e => e.style.getPropertyValue('--w'))"
    )
    assert close(bars, weights[0], 4)


@pytest.mark.parametrize("what", ["left", "replaced"])
def test_what_each_source_word_is_worth_stands_in_a_table(at, specimen, what):
    page = at(f"#what={what}")
    found = specimen.worth.left_out if what == "left" else specimen.worth.replaced
    found = sorted(found, key=lambda effect: effect.change.words[0])
    titles = page.evaluate("[...document.querySelectorAll('#effect-table td.heat')].map(e => e.title)")
    assert close(titles, [delta for effect in found for delta in effect.word_delta], 2)
    anew = texts(page, "#effect-table td.anew")
    assert [text == "the same" for text in anew] == [effect.same for effect in found]


# ---- S5, the limits


def test_the_notes_speak_with_the_numbers_of_this_sentence_and_lead_to_their_proof(at, specimen):
    page = at("#look=cross.2.3&row=7")
    keys = [
        name.removeprefix("note-")
        for name in page.evaluate("[...document.querySelectorAll('#notes button')].map(e => e.id)")
    ]
    assert set(keys) >= {"looking", "needing", "path", "trust", "whole"}
    path = page.locator("#notes li", has=page.locator("#note-path")).inner_text()
    encoder = next(e for e in specimen.worth.stacks if e.change.heads[0].kind == "encoder")
    assert f"moves by {encoder.word_delta[5]:+.2f}".replace("-", MINUS) in path
    assert "all 6 heads" in path
    for key in keys:
        page.locator(f"#note-{key}").click()
        assert page.locator(f"#note-{key}").count() == 1
    page.locator("#note-whole").click()
    assert page.locator("#word").is_visible()
    page.locator("#note-trust").click()
    assert page.locator("#orders [aria-pressed=true]").inner_text() == "agrees with replacing"


def test_the_note_on_looking_shows_a_large_weight_whose_head_is_worth_little(at, specimen):
    page = at("#look=cross.2.3&row=7")
    page.locator("#note-looking").click()
    place = re.fullmatch(r"Cross-attention, layer (\d), head (\d)", page.locator("#head-title").inner_text())
    layer, head = int(place[1]), int(place[2])
    weights = specimen.trace.head("cross", layer=layer, head=head).words()[5]
    assert weights.max() > 0.3
    deltas = [
        abs(specimen.worth.head(HeadPlace("cross", b.layer, h)).word_delta[5])
        for b in specimen.trace.of_kind("cross")
        for h in range(3)
        if specimen.trace.head("cross", layer=b.layer + 1, head=h + 1).words()[5].max() > 0.3
    ]
    own = abs(specimen.worth.head(HeadPlace("cross", layer - 1, head - 1)).word_delta[5])
    assert own == pytest.approx(min(deltas), abs=1e-4)


def test_the_foot_says_which_model_it_is(at, specimen):
    foot = at().locator("#foot").inner_text()
    assert foot.startswith("fresh: a model of 2 + 3 layers, 3 heads, dmodel 22, dk 7, dv 5")
    assert f"{specimen.trace.model.parameters:,}".replace(",", "\u202f") in foot
