"""The page without a mouse, and what is said to those who do not see it."""

import pytest

from regard.looking.documents import document


@pytest.fixture(scope="module")
def trace(learned):
    return learned.look("ba be bi bo bu", direction="fr-en")


@pytest.fixture(scope="module")
def path(trace, tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "page.html"
    path.write_text(document(trace), encoding="utf-8")
    return path


def focus(page):
    """What has the focus: its id, or its text."""
    return page.evaluate("document.activeElement.id || document.activeElement.innerText.split('\\n')[0]")


def said(page):
    return page.locator("#live").text_content()


def tab_to(page, wanted, most=80):
    """Presses Tab until the element that matches has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", wanted):
            return
    raise AssertionError(f"Tab never comes to {wanted}")


def test_all_that_can_be_done_is_reached_by_tab_in_the_order_of_the_page(visit, path):
    page = visit(path, "#open=1")
    reached = []
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        reached.append(
            page.evaluate("""[document.activeElement.closest('section, header, footer')?.id ?? '',
            document.activeElement.getBoundingClientRect().width > 0 || document.activeElement.matches('.skip')]""")
        )
    assert all(visible for _, visible in reached)
    sections = list(dict.fromkeys(section for section, _ in reached))
    assert sections == ["", "sentence", "finder", "head", "word", "compare", "limits"]
    assert len(reached) < 110  # words, heads and cells are one stop each, not hundreds


def test_a_walk_from_the_sentence_to_the_arithmetic_needs_only_keys(visit, path, trace):
    page = visit(path, "#look=cross.1.1&row=0")
    tab_to(page, "#target-line .tok")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert focus(page) == trace.target_words[2].text
    page.keyboard.press("Enter")
    assert page.locator("#target-line [aria-pressed=true]").inner_text().startswith(trace.target_words[2].text)
    tab_to(page, "#finder .open")
    page.keyboard.press("End")
    assert focus(page) == "thumb-decoder-1-4"
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert focus(page) == "thumb-cross-1-2"
    page.keyboard.press("Enter")
    assert page.locator("#head-title").inner_text() == "Cross-attention, layer 1, head 2"
    tab_to(page, "#matrix .cell")
    assert page.evaluate("document.activeElement.dataset.cell").startswith("2 ")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert said(page) == "Pinned. The arithmetic is open below."
    assert focus(page) == "c-3-0"
    assert page.locator("#word").is_visible()
    score = trace.attention("cross", 1).scores[1, 3, 0]
    assert page.locator("#student-table tbody tr.on td:nth-child(4)").inner_text() == f"{score:.3f}".replace(
        "-", "\u2212"
    )
    tab_to(page, "#copy-csv")
    page.keyboard.press("Escape")
    assert page.locator("#word").is_hidden()


def test_arrows_in_the_matrix_say_who_looks_at_whom(visit, path, trace):
    page = visit(path, "#look=cross.1.3&row=1")
    weights, (first, second) = trace.head("cross", layer=1, head=3).words(), (w.text for w in trace.target_words[:2])
    page.locator("#matrix [tabindex='0']").focus()
    page.keyboard.press("Home")
    assert said(page) == f"{second} to to en, cross-attention, layer 1, head 3, {weights[1, 0]:.2f}"
    page.keyboard.press("ArrowRight")
    assert said(page) == f"{second} to ba, cross-attention, layer 1, head 3, {weights[1, 1]:.2f}"
    page.keyboard.press("ArrowUp")
    assert said(page) == f"{first} to ba, cross-attention, layer 1, head 3, {weights[0, 1]:.2f}"
    page.keyboard.press("ArrowUp")
    assert focus(page) == "c-0-1"


def test_brackets_go_through_heads_and_layers_and_round(visit, path):
    page = visit(path, "#look=cross.1.4&row=1")
    page.keyboard.press("]")
    assert page.locator("#head-title").inner_text() == said(page).capitalize() == "Cross-attention, layer 1, head 1"
    page.keyboard.press("[")
    page.keyboard.press("[")
    assert said(page) == "cross-attention, layer 1, head 3"
    page.keyboard.press("}")
    assert said(page) == "cross-attention, layer 1, head 3"  # there is one layer


def test_arrows_step_over_what_is_masked(visit, path):
    page = visit(path, "#look=decoder.1.1&row=2&col=2")
    page.locator("#matrix [tabindex='0']").focus()
    page.keyboard.press("End")
    assert focus(page) == "c-2-2"
    page.keyboard.press("ArrowRight")
    assert focus(page) == "c-2-2"
    page.keyboard.press("ArrowUp")
    assert focus(page) == "c-2-2"
    page.keyboard.press("ArrowDown")
    assert focus(page) == "c-3-2"


def test_marks_that_are_hidden_are_not_gone_to(visit, path):
    page = visit(path, "#look=decoder.1.1&row=2&col=2&marks=hidden")
    page.locator("#matrix [tabindex='0']").focus()
    page.keyboard.press("Home")
    assert focus(page) == "c-2-1"  # the mark of the start is hidden
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert focus(page) == "c-1-1"  # the first row may look at nothing else


def test_the_tour_leads_through_the_lecture_by_keys_alone_and_ends(visit, path):
    page = visit(path)
    tab_to(page, "#tour-start")
    page.keyboard.press("Enter")
    titles = []
    while page.locator("#tour").is_visible() and len(titles) < 30:
        assert focus(page) == "tour-title"
        titles.append(page.locator("#tour-title").inner_text())
        assert page.locator(".pointed").count() == 1
        assert "{" not in page.locator("#tour").inner_text()
        tab_to(page, "#tour-next, #tour-done")
        page.keyboard.press("Enter")
    assert titles == [
        "Words", "Embeddings", "Query, key, value", "Scores", "Divided by √d_k", "Softmax", "The weighted sum", "z",
        "Through W_O, into the lane", "The next layer", "The translation",
    ]  # fmt: skip
    assert focus(page) == "tour-start"


def test_the_address_brings_back_what_was_seen(visit, path):
    page = visit(path)
    page.locator("#thumb-encoder-1-3").click()
    page.locator("#unfold").click()
    page.locator("#head-bar button", has_text="pieces").click()
    seen = page.locator("#word-main").inner_text()
    again = visit(path, page.evaluate("location.hash"))
    assert again.locator("#head-title").inner_text() == "Encoder, layer 1, head 3"
    assert again.locator("#word-main").inner_text() == seen


@pytest.mark.parametrize(
    "place",
    [
        "#s=9", "#s=-1&asked=50", "#look=cross.9.9&row=999&col=999", "#look=encoder.0.0&t=99", "#row=-5&col=-5&t=-5",
        "#unit=odd&sem=odd&view=odd", "#order=odd&band=odd&what=odd", "#tour=99&dim=99&open=1", "#lang=xx&theme=odd",
        "#look=odd&row=odd&open=odd&constructor=1", "#look=encoder.1.2&at=odd&other=7",
    ],
)  # fmt: skip
def test_an_address_that_names_what_is_not_there_leads_to_what_is(visit, turn, path, place):
    page = visit(path, place)
    for going in ([], ["#look=encoder.1.3&row=2", place]):  # there from the beginning; come from elsewhere
        for address in going:
            turn(page, address)
        assert page.locator("#source-line bdi").all_text_contents() == ["ba", "be", "bi", "bo", "bu"]
        assert page.locator("#matrix .cell").count() > 0
        assert page.locator("#notes li").count() > 0
