"""The demo corpus: what its parts hold, what they keep from each other, and that a sentence has one translation."""

import os
import pickle
import re
import subprocess
import sys
from collections import Counter, defaultdict
from random import Random

import pytest

from regard.demo.choices import Choices
from regard.demo.corpus import HELD, DemoCorpus, casual, demo_corpus, key, phrases, words
from regard.demo.family import Contrast, all_combinations, member
from regard.demo.grammar import Text
from regard.demo.lexicon import lexicon
from regard.demo.patterns import PATTERNS, any_sentence
from regard.demo.run import UNSEEN
from regard.errors import InputError

NOUNS = lexicon().nouns
FAMILY = re.compile(r"the (\w+) .*?\bthe (\w+) because it (?:was|is) ")


def in_another_process(call: str) -> DemoCorpus:
    """A corpus made where sets of words have another order, and without the tests' checks of types, which take long."""
    code = f"import pickle, sys; from regard.demo.corpus import demo_corpus; pickle.dump({call}, sys.stdout.buffer)"
    paths = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": "3"}
    done = subprocess.run([sys.executable, "-c", code], env=paths, capture_output=True, check=True)
    return pickle.loads(done.stdout)


@pytest.fixture(scope="module")
def corpus():
    return in_another_process("demo_corpus()")


def combination(line):
    """The (animal, place) of a sentence of the family, or nothing."""
    found = FAMILY.match(line.casefold())
    return found.groups() if found and NOUNS.get(found[1], NOUNS["boy"]).kind == "animal" else None


def combinations(lines):
    return {pair for pair in map(combination, lines) if pair}


def keys(lines):
    return {key(line) for line in lines}


def test_the_parts_are_as_large_as_promised(corpus):
    assert [len(part.source) for part in corpus[:3]] == [len(part.target) for part in corpus[:3]] == [12000, 300, 600]
    assert len(corpus.contrasts) == 300
    assert sum(combination(line) is not None for line in corpus.test.target) == 200


def test_a_seed_gives_one_corpus_in_every_process_and_another_seed_another():
    small = demo_corpus(7, 3000)
    assert small == in_another_process("demo_corpus(7, 3000)")
    assert small != in_another_process("demo_corpus(8, 3000)")


def test_a_corpus_too_small_to_know_its_words_is_refused():
    with pytest.raises(InputError, match="2,999 pairs"):
        demo_corpus(train_pairs=2999)


def test_no_sentence_that_was_held_out_stands_in_another_part(corpus):
    contrasts = [contrast.source for contrast in corpus.contrasts]
    right = [contrast.right for contrast in corpus.contrasts]
    for side, contrasted in (("source", right), ("target", contrasts)):
        train, valid, test = (keys(getattr(part, side)) for part in corpus[:3])
        assert not train & (valid | test | keys(contrasted)), side
        assert not valid & (test | keys(contrasted)), side


def test_a_combination_of_animal_and_place_is_in_one_part_only(corpus):
    train, valid, test = (combinations(part.target) for part in corpus[:3])
    contrasts = combinations(contrast.source for contrast in corpus.contrasts)
    assert len(train) > 500
    assert len(test) > 50
    assert len(contrasts) > 25
    assert not train & (valid | test | contrasts)
    assert not valid & (test | contrasts)


def test_held_out_animals_do_nothing_else_with_their_places_in_training(corpus):
    held_out = combinations(corpus.test.target)
    for line in corpus.train.target:
        found = re.match(
            r"(?:the|this|my) (\w+) .*\b(?:cross|climb|enter|jump|avoid|follow)\w* (?:over )?the (\w+)\b",
            line.casefold(),
        )
        assert not found or found.groups() not in held_out, line


def test_every_animal_place_and_reason_of_the_family_is_in_training(corpus):
    seen = combinations(corpus.train.target)
    assert {animal for animal, _ in seen} == {animal for animal, _ in all_combinations()}
    assert {place for _, place in seen} == {place for _, place in all_combinations()}
    family = " ".join(line for line in corpus.train.target if combination(line))
    tables = lexicon().tables
    reasons = {word for words in tables["places"].values() for word in words.split()} | set(tables["beasts"]["refuse"])
    assert not reasons - set(words(family.replace(".", "")))


def test_every_word_that_is_tested_is_learned(corpus):
    for side in ("source", "target"):
        known = Counter(word for line in getattr(corpus.train, side) for word in words(line))
        tested = {word for line in getattr(corpus.test, side) for word in words(line)}
        assert min(known[word] for word in tested) >= 3, side


def test_a_generated_sentence_has_one_translation_and_no_phrase_contradicts_it():
    choices, rng, everything = Choices(Random(5)), Random(6), all_combinations()
    pairs = [any_sentence(choices) for _ in range(5000)] + [member(rng, everything) for _ in range(1500)] + phrases()
    for one, other in ((0, 1), (1, 0)):
        translations = defaultdict(set)
        for pair in pairs:
            translations[key(pair[one])].add(key(pair[other]))
        assert not {line: found for line, found in translations.items() if len(found) > 1}


def test_sentences_are_well_formed(corpus):
    for fr, en in zip(*corpus.train, strict=True):
        assert "  " not in fr + en
        assert fr == fr.strip()
        assert en == en.strip()
        assert fr.endswith(" ?") == en.endswith("?"), (fr, en)
        assert fr.endswith(".") == en.endswith("."), (fr, en)
        assert "’" not in fr + en
        assert not re.search(r"\b(?:de le|de les|à le|à les)\b|' ", fr), fr
        vowel = r"(?<![-\w])(?:le|la|je|ne|de|que|me) (?:[aeiuéèêâîôœ]|o(?!ui)|h(?!aut|aie|érisson|éros|ibou|uit))"
        assert not re.search(vowel, fr.casefold()), fr
        assert not re.search(r"\ba [aeio]|\ban [^aeiouh]", en.casefold()), en


def test_a_lower_case_sentence_without_a_mark_is_translated_likewise():
    pair = casual(Text("Je suis étudiant.", "I am a student."))
    assert pair == ("je suis étudiant", "I am a student")
    assert casual(Text("Où est la gare ?", "Where is the station?")) == ("où est la gare", "where is the station")
    assert casual(Text("Marie dort.", "Marie is sleeping.")) == ("Marie dort", "Marie is sleeping")


def test_the_way_one_side_is_typed_follows_from_the_other(corpus):
    lower = sum(fr[0].islower() for fr in corpus.train.source) / 12000
    assert 0.1 < lower < 0.2
    for fr, en in zip(*corpus.train, strict=True):
        marked = fr.endswith((".", "?"))
        assert marked == en.endswith((".", "?"))
        assert marked or en.split()[0] != "I" or fr[0].islower(), (fr, en)  # I am here: je, never Je
        assert not (fr[0].islower() and marked), (fr, en)


@pytest.mark.parametrize("seed", [1, 2])  # by chance, seed 2 would draw one of them
def test_what_the_demo_shows_as_unseen_is_in_no_part(seed):
    made = demo_corpus(seed, 3000)
    seen = {key(line) for part in (made.train, made.valid, made.test) for side in part for line in side}
    assert {key("Je suis étudiant en médecine."), key("I am a medical student.")} <= seen
    assert not {key(line) for pair in HELD for line in pair} & seen
    assert [line for lines in UNSEEN.values() for line in lines] == [pair.fr for pair in HELD] + [
        pair.en for pair in HELD[1:]
    ]


def test_contrasts_are_twins_whose_wrong_side_has_the_other_pronoun(corpus):
    il_elle = Counter(contrast.pronoun for contrast in corpus.contrasts)
    assert il_elle == {"il": 150, "elle": 150}
    by_place = Counter(NOUNS[contrast.antecedent].kind == "animal" for contrast in corpus.contrasts)
    assert by_place == {True: 150, False: 150}
    for contrast in corpus.contrasts:
        assert_contrast(contrast)


def assert_contrast(contrast: Contrast):
    right, wrong = NOUNS[contrast.antecedent], NOUNS[contrast.other]
    assert right.gender != wrong.gender
    assert contrast.pronoun == {"m": "il", "f": "elle"}[right.gender]
    other = {"il": "elle", "elle": "il"}[contrast.pronoun]
    assert re.search(rf"parce qu'{contrast.pronoun} ", contrast.right)
    assert re.search(rf"parce qu'{other} ", contrast.wrong)
    assert contrast.wrong_pronoun == contrast.right.replace(f"qu'{contrast.pronoun} ", f"qu'{other} ")
    before = contrast.right.partition(f"qu'{contrast.pronoun} ")[0]
    assert contrast.wrong.startswith(before)
    for noun, line in ((right, "antecedent"), (wrong, "other")):
        assert getattr(contrast, line) == noun.en
        assert getattr(contrast, f"{line}_fr") == noun.fr
        assert re.search(rf"\b{noun.en}\b", contrast.source.casefold())
        assert re.search(rf"\b{noun.fr}\b", contrast.right.casefold())


def test_the_phrases_are_pairs_written_once():
    by_hand = phrases()
    assert len(by_hand) > 390
    assert len({key(pair.fr) for pair in by_hand}) == len({key(pair.en) for pair in by_hand}) == len(by_hand)


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.__name__)
def test_every_pattern_makes_many_sentences(pattern):
    choices = Choices(Random(3))
    assert len({pattern(choices).fr for _ in range(100)}) > 50
