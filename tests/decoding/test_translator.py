"""A stream of lines, by engines that give every line back."""

import pytest

from regard.config import EOS, configure
from regard.decoding import translator as module
from regard.decoding.hypothesis import Hypothesis
from regard.decoding.translator import Translator
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


@pytest.fixture
def stream(monkeypatch):
    """Starts to translate LINES, 2 and then 3 at a time; the answers, and the lines that were read."""
    monkeypatch.setattr(module, "FIRST_LINES", 2)
    monkeypatch.setattr(module, "LINES", 3)
    config = configure({"text.tokenizer": "char", "text.vocabulary": 300})
    words = Tokenizer.train(Pairs(LINES, LINES), config.text, 1)

    def start(slow, fast=None, last=None):
        monkeypatch.setattr(Translator, "_pytorch", lambda self: slow)
        read = []
        lines = (read.append(line) or line for line in LINES if line != last or 1 / 0)
        never = module.Later(lambda: pytest.fail("no model is needed"))
        return Translator(never, words, config, fast=fast).stream(lines), read

    return start


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
def test_lines_before_one_that_cannot_be_read_are_answered(stream, fast):
    answers, _ = stream(Echo(), fast, last="c")
    assert [next(answers).text for _ in range(5)] == LINES[:5]
    with pytest.raises(ZeroDivisionError):
        next(answers)
