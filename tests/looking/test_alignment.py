"""Words are aligned as one would by hand; error rates are counted on the fingers; both formats are read."""

import pytest
import torch

from regard.errors import InputError
from regard.looking.alignment import ROWS, Head, align, choose, error_rate, links, of_words, spaced
from regard.looking.gold import Gold, read_gold


def test_the_error_rate_of_one_right_one_possible_and_one_wrong_link():
    gold = [Gold({(0, 0), (1, 1)}, {(0, 0), (1, 1), (2, 1)})]
    assert error_rate([{(0, 0), (2, 1), (3, 1)}], gold) == pytest.approx(1 - (1 + 2) / (3 + 2))
    assert error_rate([{(0, 0), (1, 1)}], gold) == 0
    assert error_rate([{(5, 5)}], gold) == 1
    assert error_rate([set()], [Gold(set(), set())]) == 0


def test_the_counts_of_all_sentences_are_added_before_they_are_divided():
    gold = [Gold({(0, 0)}, {(0, 0)}), Gold({(0, 0), (1, 1), (2, 2)}, {(0, 0), (1, 1), (2, 2)})]
    assert error_rate([{(7, 7)}, {(0, 0), (1, 1), (2, 2)}], gold) == pytest.approx(1 - 6 / 8)


WEIGHTS = torch.tensor(
    [
        [0.5, 0.125, 0.125, 0.25],  # writes the first piece of the first word
        [0.0, 0.25, 0.25, 0.5],  # its second
        [0.0, 0.75, 0.125, 0.125],  # the second word
        [0.0, 0.0, 0.0, 1.0],  # the end
    ]
)


def test_pieces_read_are_added_and_pieces_written_averaged_and_the_end_belongs_to_nobody():
    matrix = of_words(WEIGHTS, [range(1), range(1, 3)], [range(2), range(2, 3)])
    assert matrix.tolist() == [[0.25, 0.375], [0.0, 0.875]]
    assert links(matrix, 2) == {(1, 0), (1, 1)}


def test_a_word_that_was_looked_up_at_the_end_of_the_sentence_is_linked_to_none():
    matrix = of_words(WEIGHTS, [range(1), range(2, 3), range(3, 4)], [range(2), range(2, 3)])
    assert matrix.tolist() == [[0.25, 0.1875, 0.375], [0.0, 0.125, 0.125]]
    assert links(matrix, 2) == {(1, 1)}


def test_by_the_word_read_a_word_has_the_rows_after_those_that_wrote_it():
    matrix = of_words(WEIGHTS, [range(1), range(1, 3)], [range(2), range(2, 3)], "read")
    assert matrix.tolist() == [[0.0, 0.6875], [0.0, 0.0]]


def test_words_are_what_stands_between_spaces():
    assert spaced(["▁qu", "'", "il", "▁", "dort", "."], first=1, line="qu'il dort.") == [range(1, 4), range(4, 7)]
    with pytest.raises(InputError, match="One space between two"):
        spaced(["▁"], first=0, line="")


@pytest.fixture(scope="module")
def found(learned):
    sources = ["ba be bi", "do du", "de", "bo bu da di"]
    targets = ["nab neb nib", "nod nud", "ned", "nob nub nad nid"]
    gold = [Gold({(at, at) for at in range(n)}, {(at, at) for at in range(n)}) for n in (3, 2, 1, 4)]
    return align(learned, sources, targets, direction="fr-en"), gold


def test_each_layer_and_head_is_tried_in_both_conventions(found):
    aligned, _ = found
    assert set(aligned.links) == {Head(row, 1, head) for row in ROWS for head in (None, 1, 2, 3, 4)}
    assert all(len(sets) == 4 for sets in aligned.links.values())
    assert [{at for _, at in sets} for sets in aligned.links[Head("written", 1, None)]] == [
        {0, 1, 2},
        {0, 1},
        {0},
        {0, 1, 2, 3},
    ]


def test_the_words_of_the_toy_language_are_aligned_by_the_rows_that_write_them(found):
    aligned, gold = found
    written, read = choose(aligned, gold)
    assert written.head.row == "written"
    assert written.score < 0.2 < read.score


def test_the_head_is_chosen_on_the_first_half_and_scored_on_the_other(found):
    aligned, gold = found
    for chosen in choose(aligned, gold):
        first, rest = aligned.scores(gold, slice(2)), aligned.scores(gold, slice(2, None))
        assert chosen.found == min(score for head, score in first.items() if head.row == chosen.head.row)
        assert chosen.score == rest[chosen.head]
    with pytest.raises(InputError, match="two at least"):
        choose(aligned, gold[:1])


def test_pharaohs_format_has_a_line_a_sentence_and_counts_from_zero(tmp_path):
    path = tmp_path / "gold.align"
    path.write_text("0-0 1?2 2p1\n\n3-1\n")
    assert read_gold(path, 3) == [
        Gold({(0, 0)}, {(0, 0), (1, 2), (2, 1)}), Gold(set(), set()), Gold({(3, 1)}, {(3, 1)})
    ]  # fmt: skip
    assert read_gold(path, 3, turned=True)[0] == Gold({(0, 0)}, {(0, 0), (2, 1), (1, 2)})


def test_the_naacl_format_has_a_line_a_link_and_counts_from_one(tmp_path):
    path = tmp_path / "gold.wa"
    path.write_text("0001 1 1 S\n0001 2 3 P\n\n3 4 2\n3 0 5 P\n3 5 5 S 0.75\n")
    assert read_gold(path, 3) == [
        Gold({(0, 0)}, {(0, 0), (1, 2)}), Gold(set(), set()), Gold({(3, 1), (4, 4)}, {(3, 1), (4, 4)})
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0-0\n", "1 lines for 2 sentences"),
        ("0-0\n1:1\n", "line 2: '1:1' is no link"),
        ("1 1 1 S\n1 2\n", r"line 2: expected `sentence source target \[S\|P\]`, found '1 2'"),
        ("1 1 1 S\n3 1 1 S\n", "line 2: sentence 3, but there are 2"),
    ],
)
def test_a_line_that_is_of_no_format_is_named(tmp_path, text, message):
    path = tmp_path / "gold"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_gold(path, 2)
