import json
import subprocess
import sys
import threading

import pytest


def test_a_line_goes_in_and_a_line_comes_out_and_an_empty_one_stays_empty(regard, toy, two_way):
    lines = ["ba be", "", "   ", "du", "ba be"]
    ran = regard("translate", two_way, "--quiet", stdin="\n".join(lines) + "\n")
    assert ran == (0, "\n".join(toy.translate(line) for line in lines) + "\n", "")


def test_each_text_on_the_command_line_is_one_line(regard, two_way):
    assert regard("translate", two_way, "di do", "", "bu").out == "nid nod\n\nnub\n"


@pytest.mark.parametrize(
    ("words", "answers"),
    [
        (["--beam", 1, "--", "- bu"], 1),
        (["--beam", 1, "--", "--bu"], 1),
        (["--beam", 1, "ba", "--", "-bu"], 2),
        (["ba", "--beam", 1, "--", "-bu"], 2),
        (["--", "-bu", "--beam", "ba"], 3),
    ],
)
def test_behind_two_dashes_nothing_is_an_option(regard, two_way, words, answers):
    ran = regard("translate", two_way, "--quiet", *words)
    assert (ran.code, ran.err, len(ran.out.splitlines())) == (0, "", answers)


def test_an_option_that_there_is_not_is_refused_with_and_without_two_dashes(regard, two_way):
    for words in (["--bema", 1], ["--bema", 1, "--", "bu"]):
        ran = regard("translate", two_way, *words)
        assert (ran.code, ran.out) == (2, "")
        assert "unrecognized arguments: --bema" in ran.err
    ran = regard("score", two_way, "--pairs", "-", "--", "bu")
    assert ran.code == 2
    assert "unrecognized arguments: -- bu" in ran.err


def test_the_direction_is_the_first_unless_another_is_named(regard, two_way):
    assert regard("translate", two_way, "--direction", "fr-en", "di do").out == "nid nod\n"
    assert regard("translate", two_way, "--direction", "en-fr", "nid nod").out == "di do\n"


@pytest.mark.parametrize("odd", ["\u2028", "\x0c", "\x0b", "\x85", "\x1e", "\r"])
def test_only_a_newline_ends_a_line(regard, two_way, odd):
    ran = regard("translate", two_way, stdin=f"ba{odd}be\ndu\n")
    assert len(ran.out.removesuffix("\n").split("\n")) == 2
    assert ran.out.endswith("\nnud\n")


@pytest.mark.parametrize("end", ["\n", ""])
def test_the_last_line_needs_no_end_and_windows_ends_are_dropped(regard, two_way, end):
    assert regard("translate", two_way, stdin=f"ba\r\nbe{end}").out == "nab\nneb\n"


@pytest.mark.parametrize("n", [3, 7])
def test_every_line_has_n_best_even_the_empty_one(regard, two_way, n):
    written = regard("translate", two_way, "--nbest", n, stdin="ba be\n\ndu\n").out.split("\n")
    assert len(written) == 3 * n + 1
    assert (written[0], written[n : 2 * n], written[2 * n]) == ("nab neb", n * [""], "nud")
    assert len(set(written[:n])) == n


def test_a_prefix_leaves_fewer_answers_and_the_lines_still_stay_aligned(regard, two_way):
    options = ("--set", "decoding.max_length=1", "--nbest", "3", "--prefix", "nab")
    assert regard("translate", two_way, *options, stdin="ba\nbe\n").out == "nab\n\n\nnab\n\n\n"
    rows = [json.loads(line) for line in regard("translate", two_way, *options, "--json", "ba").out.splitlines()]
    assert [row["text"] for row in rows] == ["nab", "", ""]
    assert [row["score"] is None for row in rows] == [False, True, True], "what there is not is no good answer"


def test_an_answer_is_out_before_the_next_line_is_there(regard, toy, two_way, monkeypatch):
    written, waited = threading.Event(), []

    def slow_lines(path):
        yield "ba be"
        waited.append(written.wait(20))
        yield "du"

    def write(line, flush):
        sys.stdout.write(f"{line}\n")
        written.set()

    monkeypatch.setattr("regard.text.formats.read_lines", slow_lines)
    monkeypatch.setattr("regard.cli.translate.print", write, raising=False)
    assert regard("translate", two_way, stdin="").out == "".join(f"{toy.translate(line)}\n" for line in ("ba be", "du"))
    assert waited == [True]


def test_json_is_an_object_a_line_with_the_pieces_and_what_the_model_thought_of_them(regard, two_way):
    rows = [json.loads(line) for line in regard("translate", two_way, "--json", "ba be", "").out.splitlines()]
    assert rows[0]["text"] == "nab neb"
    assert rows[0]["pieces"] == ["▁nab", "▁neb", "</s>"]
    assert rows[0]["score"] == pytest.approx(sum(rows[0]["log_probs"]) / 3)
    assert rows[1] == {"text": "", "pieces": [], "log_probs": [], "score": 0.0, "parts": 1}


def test_a_translation_begins_with_the_prefix(regard, two_way):
    ran = regard("translate", two_way, "--prefix", "nud nod", stdin="ba be bi\ndu\n")
    assert all(line.startswith("nud nod") for line in ran.out.splitlines())


def test_a_line_that_is_too_long_is_translated_in_parts_and_that_is_said(regard, toy, two_way):
    words = ["ba", "be", "bi", "bo", "bu"] * 5  # 25; the model was trained for 23 at most
    ran = regard("translate", two_way, stdin=f"du\n{' '.join(words)}\n")
    assert [len(line.split()) > 5 for line in ran.out.splitlines()] == [False, True]
    assert "1 line of more than 23 pieces was cut" in ran.err
    assert "cut" not in regard("translate", two_way, "--quiet", stdin=" ".join(words)).err
    assert regard("translate", two_way, " " * 99).out == "\n"


def test_sampling_follows_from_the_seed(regard, one_way):
    def sampled(seed):
        return regard("translate", one_way, "--set", "decoding.temperature=1", "--seed", seed, stdin="ba be\n" * 5).out

    assert sampled(2) == sampled(2) != sampled(3)
    assert len(set(sampled(2).splitlines())) > 1, "each line has chances of its own"


def test_bytes_that_a_model_writes_break_no_line(regard, one_way):
    """A model that knows little, at a high temperature, writes line ends too: <0x0A> is one of its 256 bytes."""
    options = ("--set", "decoding.temperature=9", "--set", "decoding.max_length=50", "--quiet")
    options += ("--set", "decoding.max_ratio=50")
    assert "<0x0A>" in regard("translate", one_way, *options, "--json", stdin="ba be bi bo bu\n" * 29).out
    assert regard("translate", one_way, *options, stdin="ba be bi bo bu\n" * 29).out.count("\n") == 29


def test_every_option_of_every_verb_is_taken_and_quiet_is_quiet(regard, two_way):
    ran = regard("translate", two_way, "--quiet", "--seed", 5, "--threads", 1, "--device", "cpu", "--beam", 1, "bo")
    assert ran == (0, "nob\n", "")


def test_the_number_of_lines_and_the_speed_are_told_on_stderr(regard, two_way):
    assert regard("translate", two_way, stdin="ba\nbe\n").err.startswith("2 lines in ")
    assert regard("translate", two_way, stdin="ba\n").err.startswith("1 line in ")
    assert regard("translate", two_way, stdin="").err == "0 lines\n"


def test_what_precedes_a_line_that_cannot_be_read_is_translated(regard, two_way):
    ran = regard("translate", two_way, stdin=b"ba\nbe\n\xff\nbi\n")
    assert (ran.code, ran.out) == (2, "nab\nneb\n")
    assert ran.err.splitlines()[-1].startswith("regard translate: standard input, line 3: byte 1 (0xff) is not UTF-8")


def test_a_text_that_is_the_name_of_a_file_is_translated_as_it_is_and_that_is_said(
    regard, two_way, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ba").write_text("be\n")
    said = f"ba is a file; to translate its lines: regard translate {two_way} < ba\n"
    assert regard("translate", two_way, "ba") == (0, "nab\n", said)
    assert regard("translate", two_way, "--quiet", "ba").err == regard("translate", two_way, "bo").err == ""


def test_no_input_gives_no_output(regard, two_way):
    assert regard("translate", two_way, "--quiet", stdin="") == (0, "", "")


def test_a_reader_that_leaves_early_is_no_error(process, two_way):
    with process("translate", two_way, "--quiet") as translating:
        translating.stdin.write(b"ba be\n" * 2999)
        translating.stdin.close()
        assert translating.stdout.readline() == b"nab neb\n"
        translating.stdout.close()
        assert translating.stderr.read() == b""
        assert translating.wait(60) == 1


@pytest.mark.parametrize(
    ("ends", "said"), [(KeyboardInterrupt, "regard translate: interrupted\n"), (BrokenPipeError, "")]
)
def test_who_is_interrupted_does_not_wait_for_the_fast_engine(ends, said):
    """An end of the process that destroys nothing: the destructor of the engine waits for all that it was given."""
    program = (
        "import os, sys; import regard.cli.translate as verb; from regard.cli import main\n"
        "class Busy:\n  def __del__(self): os.write(2, b'waited')\n"
        "def run(asked):\n"
        "  busy = Busy(); import ctranslate2; print('so far')\n"
        f"  raise {ends.__name__}\n"
        "verb.run = run; sys.argv = ['regard', 'translate', 'x', 'y']; main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, said)
    assert done.stdout == "so far\n" or ends is BrokenPipeError


PROGRAM = (
    "import sys; from regard.cli import main; code = main({}); print('torch' in sys.modules, code, file=sys.stderr)"
)


def alone(*arguments):
    """What the command writes in a process of its own, and whether it imported PyTorch."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format([str(argument) for argument in arguments])],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout, done.stderr.splitlines()[-1]


def test_the_fast_engine_translates_without_pytorch_and_the_other_with_it(regard, two_way):
    assert regard("translate", two_way, "--engine", "ctranslate2", "ba be").out == "nab neb\n"  # makes the engine
    assert alone("translate", two_way, "ba be") == ("nab neb\n", "False 0")
    assert alone("translate", two_way, "--engine", "torch", "ba be") == ("nab neb\n", "True 0")


def test_help_needs_no_pytorch_and_no_numpy():
    program = (
        "import sys; from regard.cli import main\n"
        "try: main(['translate', '--help'])\n"
        "except SystemExit: print(sorted({'torch', 'numpy', 'ctranslate2'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "--engine" in done.stdout
    assert done.stderr == "[]\n"


def test_what_the_fast_engine_cannot_do_is_said_and_done_by_pytorch(regard, two_way):
    ran = regard("translate", two_way, "--prefix", "nab", "ba be")
    assert (ran.code, ran.out) == (0, "nab neb\n")
    assert "PyTorch translates, since CTranslate2 does not count a prefix" in ran.err
    refused = regard("translate", two_way, "--engine", "ctranslate2", "--prefix", "nab", "ba be")
    assert refused.code == 2
    assert "The engine ctranslate2 cannot do this" in refused.err


def test_a_stream_of_many_lines_stays_in_order(regard, toy, two_way):
    lines = (toy.folder / "toy.fr").read_text().splitlines()
    written = regard("translate", two_way, "--beam", 1, stdin="\n".join(lines) + "\n").out.splitlines()
    assert len(written) == 300
    assert sum(one == toy.translate(line) for one, line in zip(written, lines, strict=True)) >= 290
