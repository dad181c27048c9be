"""The demo corpus: aligned French and English sentences, split so that nothing of the test is seen in training."""

from collections import Counter
from collections.abc import Callable
from importlib.resources import files
from random import Random
from typing import NamedTuple

from regard.demo.choices import Choices
from regard.demo.family import Contrast, all_combinations, contrasts, member
from regard.demo.grammar import Text
from regard.demo.lexicon import lexicon
from regard.demo.patterns import any_sentence
from regard.errors import InputError
from regard.text.formats import Pairs

N_VALID, N_TEST, N_CONTRASTS = 300, 600, 300
FAMILY = 1 / 3  # the share of the pronoun family
CASUAL, UNMARKED = 0.12, 0.04  # the shares without capital and final mark, and without the final mark only
FEWEST = 3000
HELD = [  # what the demo shows at its end; it is in no part
    Text("je suis étudiant", "I am a student"),
    Text(
        "L'animal n'a pas traversé la rue parce qu'il était trop fatigué.",
        "The animal did not cross the street because it was too tired.",
    ),
    Text(
        "L'animal n'a pas traversé la rue parce qu'elle était trop large.",
        "The animal did not cross the street because it was too wide.",
    ),
]
ENOUGH = 5  # a word of the test is seen so often in training

Make = Callable[[], Text]


class DemoCorpus(NamedTuple):
    """French to English in three parts, and the sentences whose pronoun tells what was understood."""

    train: Pairs
    valid: Pairs
    test: Pairs
    contrasts: list[Contrast]


def key(line: str) -> str:
    """A line without capitals and final mark: what must not stand on two sides of a split."""
    return line.casefold().rstrip(" .?!")


def words(line: str) -> list[str]:
    """The words of a line, without capitals and marks."""
    return key(line).replace(",", "").replace("'", " ").split()


def phrases() -> list[Text]:
    """The sentences written by hand."""
    lines = files("regard.demo").joinpath("phrases.tsv").read_text(encoding="utf-8").splitlines()
    return [Text(*line.split("\t")) for line in lines]


def keeps_its_capital(line: str) -> bool:
    """Whether a line begins with a word that is never written small: I, or a name."""
    first, names = line.split()[0], lexicon().tables["names"]
    return first == "I" or first in [*names["m"], *names["f"]]


def unmarked(pair: Text) -> Text:
    """The pair without its final marks."""
    return Text(*(line.rstrip(" .?!") for line in pair))


def casual(pair: Text) -> Text:
    """The pair as one types in a hurry: je suis étudiant, I am a student."""
    return Text(*(line if keeps_its_capital(line) else line[0].lower() + line[1:] for line in unmarked(pair)))


def typed(pair: Text, rng: Random) -> Text:
    """The pair as somebody may type it: mostly as it should be.

    A mark is left out on both sides, or on none. It is left out alone, the capital kept, only where both sides show
    their capital; so the form of one side always follows from the other.
    """
    draw = rng.random()
    if draw < CASUAL:
        return casual(pair)
    shows = not any(keeps_its_capital(line) for line in pair)
    return unmarked(pair) if draw < CASUAL + UNMARKED and shows else pair


def draw(make: Make, count: int, taken: set[str], known: Counter[str] | None = None) -> list[Text]:
    """New sentences: neither side taken before, and with `known` every word among the known ones."""
    found: list[Text] = []
    while len(found) < count:
        pair = make()
        keys = {key(line) for line in pair}
        if keys & taken or (known is not None and any(known[word] < ENOUGH for line in pair for word in words(line))):
            continue
        taken |= keys
        found.append(pair)
    return found


def part(pairs: list[Text], rng: Random) -> Pairs:
    """One part of the corpus, shuffled."""
    rng.shuffle(pairs)
    return Pairs([pair.fr for pair in pairs], [pair.en for pair in pairs])


def demo_corpus(seed: int = 1, train_pairs: int = 12000) -> DemoCorpus:
    """The corpus of a seed. The (animal, place) combinations of the test are in no other part, as those of valid."""
    if train_pairs < FEWEST:
        raise InputError(
            f"A demo corpus of {train_pairs:,} pairs: too few to learn its words; ask for {FEWEST:,} or more."
        )
    rng = Random(seed)
    choices, by_hand, combinations = Choices(rng), phrases(), all_combinations()
    rng.shuffle(combinations)
    tenth = len(combinations) // 10
    for_test, for_valid, for_train = combinations[:tenth], combinations[-tenth:], combinations[tenth:-tenth]
    taken = {key(line) for pair in [*by_hand, *HELD] for line in pair}

    def some(count: int, held: list[tuple[str, str]], known: Counter[str] | None = None) -> list[Text]:
        family = draw(lambda: member(rng, held), round(count * FAMILY), taken, known)
        others = draw(lambda: any_sentence(choices), count - len(family), taken, known)
        return [typed(pair, rng) for pair in family + others]

    twice = [*by_hand, *map(casual, by_hand)]
    train = part(some(train_pairs - len(twice), for_train) + twice, rng)
    known = Counter(word for line in [*train.source, *train.target] for word in words(line))
    test = part(some(N_TEST, for_test, known), rng)
    valid = part(some(N_VALID, for_valid, known), rng)
    return DemoCorpus(train, valid, test, contrasts(rng, for_test, N_CONTRASTS))
