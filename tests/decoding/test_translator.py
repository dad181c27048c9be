"""A stream of lines, by engines that give every line back."""

import pytest

from regard.config import EOS, configure
from regard.decoding import translator as module
from regard.decoding.hypothesis import Hypothesis
from regard.decoding.sentences import growing_chunks
from regard.decoding.translator import Translator
from regard.errors import InputError
from regard.text.formats import Pairs
from regard.text.tokenizer import Tokenizer

LINES = ["a", "b a", "", "a", "c b", "c", "b"]


class Echo:
    """Says what it read, and keeps count of it."""

    def __init__(self, why=""):
        self.why, self.begun = why, []

    def refusal(self, config, prefix):
        return self.why

    def search(self, sentences, config, *, log_probs):
        self.begun.append(len(sentences))
        return [[Hypothesis(list(sentence.source), [], 0.0, sentence.source[-1] == EOS)] for sentence in sentences]

    def log_probs(self, sources, targets):
        return [[-1.0] * len(ids) for ids in targets]


@pytest.fixture
def stream(monkeypatch):
    """Starts to translate LINES, 2 and then 3 at a time; the answers, and the lines that were read."""
    monkeypatch.setattr(module, "FIRST_LINES", 2)
    monkeypatch.setattr(module, "LINES", 3)
    config = configure({"text.tokenizer": "char", "text.vocabulary": 300})
    words = Tokenizer.train(Pairs(LINES, LINES), config.text, 1)

    def start(slow, fast=None, last=None, pauses=(), lines=LINES):
        monkeypatch.setattr(Translator, "_pytorch", lambda self: slow)
        read = []

        def reading():
            for line in lines:
                if line == last:
                    raise ZeroDivisionError
                read.append(line)
                yield line
                if line in pauses:
                    yield None

        never = module.Later(lambda: pytest.fail("no model is needed"))
        return Translator(never, words, config, fast=fast).stream(reading()), read

    return start


@pytest.fixture
def echo(monkeypatch):
    """A translator that writes what it reads, and to which every piece is as probable as another."""
    config = configure({"text.tokenizer": "char", "text.vocabulary": 300})
    words = Tokenizer.train(Pairs(LINES, LINES), config.text, 1)
    monkeypatch.setattr(Translator, "_pytorch", lambda self: Echo())
    return Translator(module.Later(lambda: pytest.fail("no model is needed")), words, config)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_end_is_no_piece_wherever_lines_come_in(echo, end):
    lines, plain = [f"b a{end}", end, f"c{end}{end}"], ["b a", "", f"c{end}"]
    assert [answer.text for answer in echo.translate(lines)] == plain
    assert [answer.text for answer in echo.stream(lines)] == plain
    assert [answer.text for answer in echo.score(lines, lines)] == plain
    assert echo.score(lines[0], lines[0]) == echo.score("b a", "b a")


def test_a_line_is_scored_as_a_list_of_one(echo):
    one = echo.score("c b", "ab")
    assert [one] == echo.score(["c b"], ["ab"])
    assert (one.text, one.pieces, one.score) == ("ab", ["▁", "a", "b", "</s>"], -1)


def test_a_line_and_a_list_of_lines_cannot_be_scored_together(echo):
    with pytest.raises(InputError, match=r"The source is one line, the target a list of lines\. Give two"):
        echo.score("a", ["a"])
    with pytest.raises(InputError, match=r"The target is one line, the source a list of lines\. Give two"):
        echo.score(["a"], "a")


@pytest.mark.parametrize("fast", [None, Echo("it cannot")])
def test_pytorch_answers_what_it_has_done_before_it_reads_more(stream, fast):
    slow = Echo()
    answers, read = stream(slow, fast)
    assert [next(answers).text for _ in range(2)] == LINES[:2]
    assert (len(read), slow.begun) == (2, [2])
    assert [answer.text for answer in answers] == LINES[2:]


def test_a_fast_engine_is_given_the_next_lines_before_it_is_waited_for(stream):
    fast = Echo()
    answers, read = stream(Echo(), fast)
    assert next(answers).text == LINES[0]
    assert (len(read), fast.begun) == (5, [2, 2]), "the empty line is none of its"
    assert [answer.text for answer in answers] == LINES[1:]


@pytest.mark.parametrize("fast", [None, Echo()])
def test_where_the_next_line_is_long_in_coming_all_before_it_are_answered(stream, fast):
    answers, read = stream(Echo(), fast, pauses={"", "c b"})
    assert [next(answers).text for _ in range(3)] == LINES[:3]
    assert len(read) == 3
    assert [answer.text for answer in answers] == LINES[3:]


def test_chunks_grow_until_one_is_cut_short_by_a_pause():
    lines = [*"ab", *"cdefghij", None, None, *"kl"]
    assert list(growing_chunks(lines, 2, 5)) == [
        ["a", "b"], ["c", "d", "e", "f", "g"], ["h", "i", "j"], [], [], ["k", "l"],
    ]  # fmt: skip


def test_what_comes_twice_is_searched_for_once(stream):
    slow = Echo()
    answers, _ = stream(slow, lines=["a", "a", "b", "b", "b"])
    assert [answer.text for answer in answers] == ["a", "a", "b", "b", "b"]
    assert slow.begun == [1, 1], "2 lines, then 3"


@pytest.mark.parametrize("fast", [None, Echo()])
def test_lines_before_one_that_cannot_be_read_are_answered(stream, fast):
    answers, _ = stream(Echo(), fast, last="c")
    assert [next(answers).text for _ in range(5)] == LINES[:5]
    with pytest.raises(ZeroDivisionError):
        next(answers)
