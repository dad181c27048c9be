"""Parallel text in files, and every way in which a file can be wrong."""

import gzip
import hashlib
import io
import json
import lzma
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regard.errors import InputError
from regard.text import formats
from regard.text.formats import Pairs, drop_empty, fingerprint, read_lines, read_pairs, without_end

plain = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\0\ufeff"))


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def zstd(content):
    if formats.zstd is None:
        pytest.skip("backports.zstd is not installed")
    return formats.zstd.compress(content)


def refusal(*paths):
    """What read_pairs has to say against these files: one line."""
    with pytest.raises(InputError) as error:
        read_pairs(paths)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_two_files_are_read_side_by_side(write):
    pairs = read_pairs([write("a.fr", "un\ndeux\n"), write("a.en", "one\ntwo\n")])
    assert pairs == Pairs(["un", "deux"], ["one", "two"])


def test_a_tab_parts_source_and_target(write):
    assert read_pairs([write("a.tsv", "un\tone\ndeux\ttwo")]) == Pairs(["un", "deux"], ["one", "two"])


def test_an_object_a_line_has_source_and_target(write):
    lines = '{"source": "un", "target": "one"}\n{"id": 7, "target": "t\\two", "source": "deux"}\n'
    assert read_pairs([write("a.jsonl", lines)]) == Pairs(["un", "deux"], ["one", "t\two"])


@pytest.fixture
def standard_input(monkeypatch):
    """Puts bytes into standard input, whose own encoding is a wrong one."""

    def put(content):
        buffer = io.BufferedReader(io.BytesIO(content))
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(buffer, encoding="ascii"))

    return put


JSONL = '{"source": "été", "target": "summer"}\n'.encode()


@pytest.mark.parametrize("compress", [bytes, gzip.compress, lzma.compress, zstd])
@pytest.mark.parametrize("content", ["été\tsummer\n".encode(), JSONL])
def test_standard_input_is_tab_separated_or_json_and_may_be_compressed(standard_input, content, compress):
    standard_input(compress(content * 2))
    assert read_pairs(["-"]) == Pairs(["été"] * 2, ["summer"] * 2)
    assert not sys.stdin.buffer.closed


def test_a_pair_from_standard_input_may_begin_with_a_brace(standard_input):
    standard_input(b"{un}\t{one}\n{deux}\t{two}\n")
    assert read_pairs(["-"]) == Pairs(["{un}", "{deux}"], ["{one}", "{two}"])


def test_standard_input_that_is_neither_is_refused(standard_input):
    for content, why in {b"un": "line 1: expected source TAB target", b'{"source": 1}': "'source' is a number"}.items():
        standard_input(content)
        assert why in refusal("-")


def test_a_buffer_that_cannot_be_looked_into_is_read_as_it_is(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"un\tone\n")))
    assert read_pairs(["-"]) == Pairs(["un"], ["one"])


def test_a_line_end_is_dropped_and_nothing_else():
    lines = {"un\n": "un", "un\r\n": "un", "un\n\n": "un\n", "un\r": "un\r", " un ": " un ", "\n": "", "": ""}
    assert {line: without_end(line) for line in lines} == lines


@pytest.mark.parametrize(
    ("ending", "compress"), [("", bytes), (".gz", gzip.compress), (".xz", lzma.compress), (".zst", zstd)]
)
def test_compressed_files_are_read_as_if_they_were_plain(write, ending, compress):
    two_members = compress(b"un\tone\n") + compress(b"deux\ttwo\n")
    assert read_pairs([write("a.tsv" + ending, two_members)]) == Pairs(["un", "deux"], ["one", "two"])


def test_compressed_and_plain_can_be_mixed(write):
    pairs = read_pairs([write("fr.gz", gzip.compress(b"un\n")), write("en.xz", lzma.compress(b"one\n"))])
    assert pairs == Pairs(["un"], ["one"])


@pytest.mark.parametrize("other", ["\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
def test_only_a_newline_ends_a_line(write, other):
    assert list(read_lines(write("a", f"un{other}deux\ntrois"))) == [f"un{other}deux", "trois"]


@given(st.lists(plain, min_size=1))
def test_every_line_comes_back_as_it_was_written(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("lines") / "a"
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())
    assert list(read_lines(path)) == lines


def test_windows_line_ends_and_a_byte_order_mark_are_dropped(write):
    assert list(read_lines(write("a", "\ufeffun\r\n\ufeffdeux\r\r\n\r\ntrois\r"))) == [
        "un",
        "\ufeffdeux\r",
        "",
        "trois",
    ]


def test_the_last_line_needs_no_newline_and_a_newline_makes_no_further_line(write):
    assert list(read_lines(write("a", "un\ndeux"))) == list(read_lines(write("b", "un\ndeux\n"))) == ["un", "deux"]


def test_an_empty_file_has_no_lines(write):
    assert list(read_lines(write("a", ""))) == []


def test_lines_are_read_when_they_are_asked_for(write):
    """The second line cannot be read; the first one is there before that is known."""
    lines = read_lines(write("a", b"un\n\xff\n"))
    assert next(lines) == "un"
    with pytest.raises(InputError, match="line 2"):
        next(lines)


def test_a_pair_with_an_empty_side_is_kept_by_the_reader_and_dropped_and_counted_on_request(write):
    pairs = read_pairs([write("a.tsv", "un\tone\n\ttwo\ntrois\t \n\t\ncinq\tfive\n")])
    assert pairs == Pairs(["un", "", "trois", "", "cinq"], ["one", "two", " ", "", "five"])
    assert drop_empty(pairs) == (Pairs(["un", "cinq"], ["one", "five"]), 3)


def test_the_fingerprint_is_the_sha_256_of_the_tab_separated_lines():
    """As `sha256sum corpus.tsv` prints it; half a surrogate pair is no reason to fail."""
    assert (
        fingerprint(Pairs(["un", "été"], ["one", "\ud800"]))
        == hashlib.sha256(b"un\tone\n\xc3\xa9t\xc3\xa9\t\xed\xa0\x80\n").hexdigest()
    )


def test_files_of_unequal_length_are_refused_with_both_lengths(write):
    short, long = write("short.fr", "un\ndeux\n"), write("long.en", "one\ntwo\nthree\nfour\nfive\n")
    for paths in ((short, long), (long, short)):
        message = refusal(*paths)
        assert f"{long} has 5 lines, {short} has 2: line 3" in message
    assert "has 1 line, " in refusal(write("one.fr", "un\n"), write("none.en", ""))


@pytest.mark.parametrize(("line", "found"), [("un", "1 field."), ("un\tone\tCC BY", "3 fields."), ("", "1 field.")])
def test_a_line_with_another_number_of_columns_is_refused(write, line, found):
    path = write("a.tsv", f"un\tone\n{line}\n")
    assert refusal(path).startswith(f"{path}, line 2: expected source TAB target, found {found}")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"source": "un"', "not JSON"),
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('["un", "one"]', "found a list"),
        ("7", "found a number"),
        ('{"source": "un"}', "no key 'target'; found 'source'"),
        ('{"fr": "un", "en": "one"}', "no key 'source'; found 'fr', 'en'"),
        ("{}", "no key 'source'; found none"),
        ('{"source": "un", "target": null}', "'target' is null; expected a string"),
        ('{"source": 7, "target": "one"}', "'source' is a number; expected a string"),
        ('{"source": "un\\ndeux", "target": "one"}', "'source' holds a line break"),
        ('{"source": "un", "target": "\\u0000"}', "a NUL character"),
        ('{"source": "un", "target": "\\ud800"}', "is not UTF-8"),
    ],
)
def test_a_line_that_is_not_a_pair_in_json_is_refused(write, line, why):
    path = write("a.jsonl", json.dumps({"source": "un", "target": "one"}) + "\n" + line + "\n")
    message = refusal(path)
    assert message.startswith(f"{path}, line 2: ")
    assert why in message


def test_bytes_that_are_not_utf_8_are_refused_where_they_stand(write):
    path = write("a.tsv", b"un\tone\n\xe9t\xe9\tsummer\n")
    assert refusal(path).startswith(f"{path}, line 2: byte 1 (0xe9) is not UTF-8.")


def test_utf_16_is_refused(write):
    assert "line 1" in refusal(write("a.tsv", "un\tone\n".encode("utf-16")))
    assert "NUL" in refusal(write("b.tsv", "un\tone\n".encode("utf-16-be")))


def test_a_nul_is_refused(write):
    path = write("a.tsv", "un\tone\ndeux\t\0two\n")
    assert refusal(path).startswith(f"{path}, line 2: a NUL character.")


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    assert f"{tmp_path / 'a.tsv'}: cannot be read: No such file" in refusal(tmp_path / "a.tsv")
    for name in ("b.tsv", "b.tsv.gz", "b.tsv.xz"):
        (tmp_path / name).mkdir()
        assert f"{tmp_path / name}: cannot be read: Is a directory" in refusal(tmp_path / name)


def test_a_corpus_without_pairs_is_refused(write):
    assert refusal(path := write("a.tsv", "")) == f"{path}: empty, but at least one pair is wanted."
    assert refusal(one := write("a.fr", ""), two := write("a.en", "")).startswith(f"{one} and {two}: empty")


@pytest.mark.parametrize(("ending", "compress"), [(".gz", gzip.compress), (".xz", lzma.compress), (".zst", zstd)])
def test_a_file_that_was_cut_short_is_refused(write, ending, compress):
    whole = compress(b"".join(b"%d\tone\n" % i for i in range(9973)))
    path = write("a.tsv" + ending, whole[: len(whole) // 2])
    assert refusal(path).startswith(f"{path}: breaks off after line ")


@pytest.mark.parametrize("ending", [".gz", ".xz", ".zst"])
def test_a_file_that_is_not_what_its_name_says_is_refused(write, ending):
    if ending == ".zst":
        zstd(b"")
    path = write("a.tsv" + ending, "this text was never compressed\n")
    assert refusal(path).startswith(f"{path}: damaged after line 0")


def test_without_zstandard_the_message_names_the_extra_that_brings_it(write, monkeypatch):
    monkeypatch.setattr(formats, "zstd", None)
    assert "pip install 'regard[scale]'" in refusal(write("a.tsv.zst", b""))


def test_without_zstandard_compressed_standard_input_is_refused_in_the_same_way(standard_input, monkeypatch):
    standard_input(zstd(b"un\tone\n"))
    monkeypatch.setattr(formats, "zstd", None)
    assert "standard input: reading Zstandard needs backports.zstd" in refusal("-")


@pytest.mark.parametrize(
    "names", [[], ["a.fr"], ["a.fr.gz"], ["a.tsv", "b.tsv"], ["a.jsonl.gz", "b.en"], ["-", "b.en"], ["a", "b", "c"]]
)
def test_other_collections_of_files_are_refused(names):
    assert "expected two files" in refusal(*names)
