"""Lines as pieces, and back."""

import os
import subprocess
import sys

import pytest
import sentencepiece
from hypothesis import example, given
from hypothesis import strategies as st

from regard.config import BOS, EOS, PAD, UNK, TextConfig
from regard.errors import InputError
from regard.text import tokenizer as module
from regard.text.formats import Pairs
from regard.text.regularisation import DRAWS
from regard.text.tokenizer import Tokenizer, Vocabulary

PAIRS = Pairs(
    [f"le chat numéro {i} dort sous la table" for i in range(53)],
    [f"cat number {i} sleeps under the table" for i in range(53)],
)
KINDS = ("unigram", "bpe", "word", "char")
BOTH_WAYS = ("fr-en", "en-fr")


def trained(kind="unigram", **settings):
    return Tokenizer.train(PAIRS, TextConfig(tokenizer=kind, vocabulary=400, **settings), seed=1)


@pytest.fixture(scope="module")
def vocabularies():
    """One of each kind, which has seen some of the texts that could be taken for pieces."""
    odd = ["<s> </s> <2en> <0x41> <unk>", "a\u2581b  c", "\x10_", " \u2581 "] * 5
    pairs = Pairs(PAIRS.source + odd, PAIRS.target + odd)
    return {
        kind: Tokenizer.train(pairs, TextConfig(tokenizer=kind, vocabulary=400, directions=BOTH_WAYS), seed=1).source
        for kind in KINDS
    }


lines = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n")) | st.text(
    " \u2581\x10_<>s2enx\0\t\r"
)


@given(lines)
@example("")
@example(" ")
@example("  le  chat  ")
@example("\u2581")
@example("\u2581le \u2581\u2581chat\u2581 ")
@example("\x10")
@example("\x10_\x10\x10_\u2581")
@example("<s>le</s><pad><unk><2en><0x41><0xE2>")
@example("a\0b")
@example("\ue000\uf8ff\U000f0000\U0010ffff\ufffd\ufffe")
@example("👩‍👩‍👧‍👦 e\u0301\u0323 \u200f\u202e \ufeff")
@example("\u2047 \u2585 \t \x05 \x85 \u2028 \r")
def test_every_line_comes_back_as_it_was(vocabularies, line):
    for vocabulary in vocabularies.values():
        ids = vocabulary.encode(line)
        assert vocabulary.decode(ids) == line
        assert not {PAD, UNK, BOS, EOS, *(vocabulary.id_of(f"<2{name}>") for name in ("en", "fr"))} & set(ids)


@given(lines, st.sampled_from(["unigram", "bpe"]), st.integers(0, DRAWS - 1))
def test_drawn_pieces_spell_the_same_line(vocabularies, line, kind, number):
    vocabulary = vocabularies[kind]
    words = list(vocabulary.words(vocabulary.encode(line)))
    assert [piece for word in words for piece in word] == vocabulary.encode(line)
    assert vocabulary.decode([piece for word in words for piece in vocabulary.draw(word, 0.3, number)]) == line


@given(st.lists(lines, max_size=5), st.sampled_from(KINDS))
def test_many_lines_are_split_like_each_one(vocabularies, many, kind):
    assert vocabularies[kind].encode_many(many) == [vocabularies[kind].encode(line) for line in many]


def test_a_word_is_what_stands_between_spaces():
    vocabulary = trained("word", joint=False).source
    assert vocabulary.pieces(vocabulary.encode("le chat dort")) == ["▁le", "▁chat", "▁dort"]


def test_the_vocabulary_keeps_the_most_frequent_words():
    """300 pieces, less 256 bytes and 4 special ones: 40 words, of which the last are those that stand in one line."""
    pairs = Pairs([f"a b{i} b{i} c{i}" for i in range(53)], ["x"] * 53)
    vocabulary = Tokenizer.train(pairs, TextConfig(tokenizer="word", vocabulary=300, joint=False), seed=1).source
    kept = vocabulary.pieces(range(260, len(vocabulary)))
    assert len(kept) == 40
    assert kept[0] == "▁a"
    assert all(piece.startswith("▁b") for piece in kept[1:])


def test_a_character_that_was_never_seen_becomes_its_bytes():
    vocabulary = trained().source
    assert vocabulary.pieces(vocabulary.encode("é€"))[-3:] == ["<0xE2>", "<0x82>", "<0xAC>"]


def test_special_pieces_say_nothing_and_half_a_character_is_marked():
    vocabulary = trained().source
    ids = vocabulary.encode("chat")
    assert vocabulary.decode([BOS, *ids, EOS, PAD, PAD, UNK]) == "chat"
    assert vocabulary.decode([*ids, vocabulary.id_of("<0xE2>")]) == "chat\ufffd"


@pytest.mark.parametrize("kind", KINDS)
def test_a_corpus_that_is_too_small_for_the_vocabulary_gives_a_smaller_one(kind):
    config = TextConfig(tokenizer=kind, vocabulary=32000, joint=False)
    tokenizer = Tokenizer.train(Pairs(PAIRS.source[:1], ["a"]), config, seed=1)
    assert 256 + 4 < len(tokenizer.source) < 400
    assert tokenizer.target.decode(tokenizer.encode_target("a")) == "a"


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_a_vocabulary_that_is_too_small_for_the_characters_is_refused_with_the_size_it_takes(kind):
    line = "".join(map(chr, range(0x4E00, 0x4E00 + 500)))
    with pytest.raises(InputError, match=r"text.vocabulary is 300, .* takes 7\d\d pieces at least"):
        Tokenizer.train(Pairs([line], [line]), TextConfig(tokenizer=kind, vocabulary=300), seed=1)


@pytest.mark.parametrize("side", [[], [""], ["", ""]])
def test_a_corpus_without_text_is_refused(side):
    with pytest.raises(InputError, match="No vocabulary can be learned"):
        Tokenizer.train(Pairs(side, side), TextConfig(), seed=1)


def test_a_line_of_sixty_thousand_characters_teaches_too():
    lines = ["abcd " * 12_000]
    vocabulary = Tokenizer.train(Pairs(lines, lines), TextConfig(tokenizer="word"), seed=1).source
    assert vocabulary.pieces([260]) == ["▁abcd"]


@pytest.mark.parametrize("kind", KINDS)
def test_equal_corpora_give_equal_vocabularies(kind):
    assert trained(kind).source.model == trained(kind).source.model


def test_of_a_large_corpus_the_seed_draws_the_lines(monkeypatch):
    monkeypatch.setattr(module, "MOST_PAIRS", 11)
    config = TextConfig(tokenizer="word", vocabulary=400, joint=False)
    seen = []
    for seed in (1, 1, 2):
        tokenizer = Tokenizer.train(PAIRS, config, seed)
        numbers = {i for i in range(53) if tokenizer.source.id_of(f"▁{i}") != UNK}
        assert len(numbers) == 11
        assert numbers == {i for i in range(53) if tokenizer.target.id_of(f"▁{i}") != UNK}
        seen.append(numbers)
    assert seen[0] == seen[1] != seen[2]


def test_training_says_nothing():
    code = (
        "from regard.config import TextConfig; from regard.text.formats import Pairs\n"
        "from regard.text.tokenizer import Tokenizer\n"
        "lines = ['le chat \\u2585', 'dort', 'x' * 70000] * 5\n"
        "for kind in ('unigram', 'bpe', 'word', 'char'):\n"
        "    tokenizer = Tokenizer.train(Pairs(lines, lines), TextConfig(tokenizer=kind), 1)\n"
        "    tokenizer.source.encode_many(lines)\n"
    )
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    heard = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True)
    assert (heard.stdout, heard.stderr) == ("", "")


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_a_draw_depends_on_the_word_the_strength_and_the_number_alone(vocabularies, kind):
    vocabulary = vocabularies[kind]
    words = [word for row in vocabulary.encode_many(PAIRS.source) for word in vocabulary.words(row)]

    def drawn(words, strength, number):
        vocabulary.draw.cache_clear()
        return [vocabulary.draw(word, strength, number) for word in words]

    first = drawn(words, 0.3, 5)
    assert drawn(words[::-1], 0.3, 5)[::-1] == first
    assert drawn(words, 0.3, 6) != first
    assert drawn(words, 0.1, 5) != first
    assert first != words


def test_a_special_piece_is_a_word_by_itself_and_stays(vocabularies):
    vocabulary = vocabularies["bpe"]
    tag, chat = vocabulary.id_of("<2en>"), vocabulary.encode("le chat")
    words = list(vocabulary.words([tag, *chat, EOS]))
    assert (words[0], words[-1]) == ((tag,), (EOS,))
    assert [vocabulary.decode(word) for word in words[1:-1]] == ["le", "chat"]
    assert vocabulary.draw((EOS,), 0.9, 3) == (EOS,)


@pytest.mark.parametrize("kind", ["word", "char"])
def test_sampling_is_refused_where_there_is_one_way_only(kind):
    with pytest.raises(InputError, match=f"text.tokenizer = {kind}"):
        trained(kind, sampling=0.1)


def test_the_first_four_pieces_are_special():
    assert trained().source.pieces(range(4)) == ["<pad>", "<unk>", "<s>", "</s>"]


def test_a_joint_vocabulary_is_one_object_and_a_separate_one_is_two():
    assert (joint := trained()).source is joint.target
    separate = trained("word", joint=False)
    assert separate.source.id_of("▁sous") != UNK == separate.target.id_of("▁sous")


def test_a_source_ends_with_the_end_and_begins_with_no_tag_when_there_is_one_direction():
    for tokenizer in (trained(), trained(directions=("fr-en",)), trained(joint=False, directions=("fr-en",))):
        assert tokenizer.encode_source("chat") == [*tokenizer.source.encode("chat"), EOS]
        assert tokenizer.encode_target("cat") == [*tokenizer.target.encode("cat"), EOS]
    named = trained(directions=("fr-en",))
    assert named.encode_source("chat", "fr-en") == named.encode_source("chat")


def test_with_two_directions_a_source_begins_with_the_language_it_goes_to():
    tokenizer = trained(directions=BOTH_WAYS)
    first, *rest = tokenizer.encode_source("chat", "fr-en")
    assert tokenizer.source.pieces([first]) == ["<2en>"]
    assert rest == [*tokenizer.source.encode("chat"), EOS]
    assert tokenizer.source.pieces(tokenizer.encode_source("cat", "en-fr")[:1]) == ["<2fr>"]


def test_a_tag_that_is_written_in_the_text_is_only_text():
    tokenizer = trained(directions=BOTH_WAYS)
    assert tokenizer.source.id_of("<2fr>") not in tokenizer.encode_source("<2fr> chat", "fr-en")


@pytest.mark.parametrize(
    ("directions", "asked", "message"),
    [
        ((), "fr-en", "There is no direction 'fr-en'; this model has one without a name."),
        (("fr-en",), "en-fr", "There is no direction 'en-fr'; this model has fr-en."),
        (BOTH_WAYS, "fr-de", "There is no direction 'fr-de'; this model has fr-en, en-fr."),
        (BOTH_WAYS, None, "This model has several directions; say which one: fr-en, en-fr."),
    ],
)
def test_a_direction_that_is_not_there_is_refused_with_those_that_are(directions, asked, message):
    with pytest.raises(InputError) as error:
        trained(directions=directions).encode_source("chat", asked)
    assert str(error.value) == message


@pytest.mark.parametrize("direction", ["fren", "fr-", "FR-en", "fr-en-de", "french-english", "fr_en", "<2-en", ""])
def test_a_direction_is_two_languages(direction):
    with pytest.raises(InputError, match="write two languages, such as fr-en"):
        trained(directions=(direction,))


@pytest.mark.parametrize("second", ["de-en", "fr-en", "en-de"])
def test_two_directions_are_there_and_back(second):
    with pytest.raises(InputError, match="next to fr-en there can only be en-fr"):
        trained(directions=("fr-en", second))


def test_scripts_can_be_told_apart():
    assert trained(directions=("zho_Hant-en", "en-zho_Hant")).encode_source("a", "en-zho_Hant")[0] == 5


def test_two_directions_need_one_vocabulary():
    with pytest.raises(InputError, match=r"Set text.joint = true"):
        trained(directions=BOTH_WAYS, joint=False)


@pytest.mark.parametrize("settings", [{}, {"joint": False}, {"directions": BOTH_WAYS}])
def test_a_tokenizer_is_the_same_after_it_was_saved_and_loaded(tmp_path, settings):
    before = trained(**settings)
    before.save(tmp_path)
    after = Tokenizer.load(tmp_path, before.directions)
    assert (after.source.model, after.target.model) == (before.source.model, before.target.model)
    assert (after.source is after.target) == (before.source is before.target)


def test_a_folder_holds_the_last_tokenizer_only(tmp_path):
    for joint, names in (
        (True, ["tokenizer.model"]),
        (False, ["source.model", "target.model"]),
        (True, ["tokenizer.model"]),
    ):
        trained(joint=joint).save(tmp_path)
        assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_a_vocabulary_without_tags_cannot_be_loaded_for_two_directions(tmp_path):
    trained().save(tmp_path)
    with pytest.raises(InputError, match="has no <2en> and no <2fr>"):
        Tokenizer.load(tmp_path, BOTH_WAYS)


@pytest.mark.parametrize("content", [b"", b"junk"])
def test_a_file_that_is_not_a_model_is_refused(tmp_path, content):
    path = tmp_path / "tokenizer.model"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"tokenizer.model: not a SentencePiece model"):
        Tokenizer.load(tmp_path)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(
        InputError, match=r"tokenizer.model: cannot be read: No such file or directory. Take it from a copy"
    ):
        Tokenizer.load(tmp_path)


def test_a_model_with_other_special_pieces_is_refused(tmp_path):
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(PAIRS.source), model_prefix=tmp_path / "tokenizer", vocab_size=30, minloglevel=2
    )
    with pytest.raises(InputError, match="regard did not make it"):
        Tokenizer.load(tmp_path)


def test_half_of_a_surrogate_pair_is_refused():
    vocabulary: Vocabulary = trained().source
    for encode in (vocabulary.encode, lambda line: vocabulary.encode_many([line])):
        with pytest.raises(InputError, match="is not Unicode text"):
            encode("a\ud800")
