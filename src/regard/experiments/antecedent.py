"""What "it" is: the pronoun of a translation, what heads and methods give to its noun, and what decides it."""

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from regard.config import Settings
from regard.decoding.translator import Translator
from regard.demo.antecedents import question, scene_of
from regard.demo.corpus import DemoCorpus, casual, demo_corpus
from regard.demo.family import Contrast
from regard.demo.grammar import Text
from regard.demo.lexicon import lexicon
from regard.evaluation import bleu
from regard.experiments.figure import MARKS, SERIES, legend, panels
from regard.experiments.finding import Corpus, Experiment, Finding, Rows, Step, Trial, share
from regard.experiments.interval import Interval, Z
from regard.experiments.lesson import Lesson, teach
from regard.looking.antecedents import LEARNED, Antecedents, antecedents, best, methods_of_one_sentence
from regard.looking.hiding import Pronouns, hidden, written
from regard.looking.occlusion import Rule
from regard.looking.pronouns import Asked, Hits, Question, ask
from regard.looking.segments import pieces_of
from regard.plots import FAINT, HAIR, INK, SOFT
from regard.text.formats import Pairs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CLAIM = (
    'Attention finds what "it" stands for: where the animal "was too tired", it is the animal; "too wide", the street.'
)
SETTINGS: Settings = {"text.vocabulary": 4000}  # every word of the demo
UPDATES = 1200
MODELS, MANY_MODELS = 3, 7
QUESTIONS, MANY_QUESTIONS = 100, 300  # for heads and methods: one half to choose on, the other to count on
CHANCE = 50.0  # per cent
RULES: dict[Rule, str] = {"unk": "unknown", "drop": "left out"}
AS_IT_IS, NOUN, OTHER, REASON = "nothing", "its noun", "the other noun", "the reason"
SIDES = {"source": "in the source", "prefix": "in what was written", "both": "in both"}
BEHIND, EXCHANGED = "the whole, behind a time", "the nouns in each other's place"


class Seen(NamedTuple):
    """What was found of one model."""

    bleu: float
    halves: tuple[Antecedents, Antecedents]  # to choose a head on, and to count on
    hidden: Mapping[tuple[str, str], Pronouns]  # what was hidden, and how
    moved: Mapping[str, Pronouns]


def run(trial: Trial) -> Experiment:
    """Teaches a few models the demo's English and French, and puts the pronoun family to each."""
    made, seen = demo_corpus(1), list[Seen]()
    count = MODELS if trial.quick else MANY_MODELS
    for number in range(count):
        seen.append((yield from share(_one(trial, made, number), number, count, f"model {number + 1}")))
    asked = QUESTIONS if trial.quick else MANY_QUESTIONS
    tables = _tables(seen, len(made.contrasts), min(asked, len(made.contrasts)))
    return Finding(claim=CLAIM, conclusion=_conclude(tables, count), tables=tables, figure=_draw(tables, seen))


def english_to_french(made: DemoCorpus) -> Corpus:
    """The demo's pairs the other way, for it is French that must choose between il and elle."""
    return Corpus(*(Pairs(part.target, part.source) for part in (made.train, made.valid, made.test)))


def lesson(corpus: Corpus, seed: int, name: str = "en-fr") -> Lesson:
    """What a model is taught here."""
    return Lesson(
        name=name,
        train=corpus.train,
        valid=corpus.valid,
        settings=SETTINGS | {"training.updates": UPDATES},
        seed=seed,
    )


def _one(trial: Trial, made: DemoCorpus, number: int) -> Generator[Step, None, Seen]:
    corpus = english_to_french(made)
    translator = yield from share(teach(trial, lesson(corpus, trial.seed + number)), 0, 2)
    yield Step(0.5, "translating")
    answers = translator.translate(corpus.test.source, beam_size=1)
    score = bleu([answer.text for answer in answers], corpus.test.target).score
    family = [_Member(translator, contrast, number) for number, contrast in enumerate(made.contrasts)]
    asked = [one.asked for one in family]
    yield Step(0.55, "hiding words")
    without_words = {
        (what, RULES[rule]): hidden(translator, asked, [one.places[what] for one in family], rule)
        for what in (AS_IT_IS, NOUN, OTHER, REASON)
        for rule in (RULES if what != AS_IT_IS else list(RULES)[:1])
    }
    yield Step(0.6, "moving words")
    encode = translator.tokenizer.encode_source
    moved = {
        name: written(translator, asked, [encode(move(one.contrast)) for one in family]) for name, move in MOVES.items()
    }
    questions = [one.question for one in family[: QUESTIONS if trial.quick else MANY_QUESTIONS]]
    half = len(questions) // 4 * 2  # twins stay together
    yield Step(0.65, "asking heads and methods")
    first = antecedents(translator, questions[:half])
    yield Step(0.82, "asking them again, of other sentences")
    return Seen(score, (first, antecedents(translator, questions[half:])), without_words, moved)


class _Member:
    """A sentence of the family, as text and in pieces."""

    def __init__(self, translator: Translator, contrast: Contrast, number: int) -> None:
        self.contrast = contrast
        self.question: Question = question(contrast, Random(number))
        self.asked: Asked = ask(translator, self.question, None)
        names = translator.tokenizer.source.pieces(self.asked.source)
        reason = pieces_of(names, scene_of(contrast)[1])
        self.places = {AS_IT_IS: [], NOUN: self.asked.nouns[0], OTHER: self.asked.nouns[1], REASON: reason}


def exchanged(contrast: Contrast) -> str:
    """The street did not cross the animal because it was too tired."""
    other = {contrast.antecedent: contrast.other, contrast.other: contrast.antecedent}
    return " ".join(other.get(word, word) for word in contrast.source.split())


def later(contrast: Contrast) -> str:
    """Yesterday, the animal did not cross the street because it was too tired."""
    times: Mapping[str, str] = lexicon().tables["time"][scene_of(contrast)[0].tenses[0]]
    return f"{next(iter(times)).capitalize()}, {contrast.source[0].lower()}{contrast.source[1:]}"


def reason_first(contrast: Contrast) -> str:
    """because it was too tired the animal did not cross the street: as one types in a hurry, for no sentence of the
    demo begins with Because."""
    deed, reason = casual(Text(contrast.right, contrast.source)).en.split(" because ")
    return f"because {reason} {deed}"


MOVES: dict[str, Callable[[Contrast], str]] = {
    "nothing": lambda contrast: contrast.source,
    BEHIND: later,
    "the reason, to the front": reason_first,
    EXCHANGED: exchanged,
}


def wilson(found: float, count: int) -> Interval:
    """The 95 % interval of a share, 0 to 1, of so many sentences, all in per cent (Wilson, 1927)."""
    middle, spread = found + Z**2 / (2 * count), Z * math.sqrt(found * (1 - found) / count + Z**2 / (4 * count**2))
    low, high = ((middle + side * spread) / (1 + Z**2 / count) for side in (-1, 1))
    return Interval(100 * found, 100 * max(0.0, low), 100 * min(1.0, high))


def _shares(found: Sequence[float | None], count: int, name: str = "") -> dict[str, Any]:
    """A share of several models in columns: their mean, its interval over so many sentences, and each model's own."""
    known = [share for share in found if share is not None]
    before = f"{name}, " if name else ""
    if not known:
        return {f"{before}%": None, f"{before}95 %": None, f"{before}by model": None}
    of = wilson(sum(known) / len(known), count)
    own = ", ".join(f"{100 * share:.0f}" for share in known)
    return {f"{before}%": of.mean, f"{before}95 %": f"{of.low:.1f} to {of.high:.1f}", f"{before}by model": own}


def _tables(seen: Sequence[Seen], family: int, asked: int) -> dict[str, Rows]:
    first = [one.hidden[AS_IT_IS, RULES["unk"]] for one in seen]
    changed = {
        "the right pronoun is the more probable one": _shares([one.probable for one in first], family),
        "the right pronoun is written": _shares([one.right for one in first], family),
        "it follows, where its noun is replaced by one of the other gender": _shares(
            [_both(one, "follows", "followed") for one in seen], asked
        ),
        "it stays, where the other noun is": _shares([_both(one, "stays", "stayed") for one in seen], asked),
    }
    hidden = [
        {"hidden": what, "how": how if what != AS_IT_IS else None}
        | _shares([one.hidden[what, how].probable for one in seen], family, "more probable")
        | _shares([one.hidden[what, how].right for one in seen], family, "written")
        for what, how in seen[0].hidden
    ]
    moved = [
        {"moved": name}
        | _shares([one.moved[name].right for one in seen], family, "its own pronoun")
        | _shares([one.moved[name].other for one in seen], family, "the other noun's")
        for name in MOVES
    ]
    return {
        "The pronoun, in % of the sentences": [{"what": name} | columns for name, columns in changed.items()],
        "The right pronoun with a word of the source hidden, in % (by chance 50)": hidden,
        "The pronoun that is written with words moved, in %": moved,
        "More weight for the noun that it stands for than for the other, in % (by chance 50)": _told(seen, asked),
        "Models": [{"model": number, "BLEU": one.bleu} for number, one in enumerate(seen, 1)],
    }


def _both(one: Seen, share: str, count: str) -> float:
    """A share of the counterfactual, of both halves."""
    found = [half.counterfactual for half in one.halves]
    total = sum(getattr(half, count) for half in found)
    return float(sum(getattr(half, share) * getattr(half, count) for half in found) / max(1, total))


class Chosen(NamedTuple):
    """What was best in the first half of the sentences, and its share in the other half."""

    name: str
    share: float


def chosen(halves: tuple[Antecedents, Antecedents], rows: Callable[[Antecedents], Sequence[Hits]]) -> Chosen:
    """The row, and the side of it, that are best in the first half; counted on the other, or the luckiest would win."""
    first, other = (rows(half) for half in halves)
    row = best(first)
    side = max(SIDES, key=lambda name: getattr(row, name) or 0.0)
    counted = next(one for one in other if one[:2] == row[:2])
    return Chosen(f"{row.method}, {row.place or SIDES[side]}", getattr(counted, side) or 0.0)


def _heads(method: str) -> Callable[[Antecedents], list[Hits]]:
    return lambda found: [row for row in found.heads if row.method == method]


def _method(name: str) -> Callable[[Antecedents], list[Hits]]:
    return lambda found: [row for row in found.methods if row.method == name]


def _told(seen: Sequence[Seen], asked: int) -> list[dict[str, Any]]:
    """What is said of heads and methods, by the half that they were not chosen on."""
    half = asked - asked // 4 * 2
    best_of = {
        "best head, by weights": _heads("weights"),
        "best head, by norms": _heads("norms"),
        "best method, of one sentence": methods_of_one_sentence,
    }
    rows = []
    for name, kind in best_of.items():
        found = [chosen(one.halves, kind) for one in seen]
        rows.append({"what": name} | _shares([one.share for one in found], half))
        rows[-1]["which"] = "; ".join(one.name for one in found)
    every = [hit.highest() for one in seen for hit in _heads("weights")(one.halves[1])]
    mean = {"what": "mean of all heads, by weights"} | _shares([sum(every) / len(every)], half)
    rows.insert(0, mean | {"by model": None, "which": f"{len(every) // len(seen)} in each model"})
    for method in dict.fromkeys(row.method for row in seen[0].halves[1].methods):
        found = [chosen(one.halves, _method(method)) for one in seen]
        rows.append({"what": method} | _shares([one.share for one in found], half))
        rows[-1]["which"] = "; ".join(one.name.removeprefix(f"{method}, ") for one in found)
    return rows


def _conclude(tables: Mapping[str, Rows], models: int) -> str:
    pronoun, hidden, moved, told, _ = tables.values()
    right, _, follows, stays = pronoun
    gone = next(row for row in hidden if (row["hidden"], row["how"]) == (NOUN, "unknown"))
    knows = min(right["%"], follows["%"], stays["%"]) >= 100 * LEARNED
    swapped = next(row for row in moved if row["moved"] == EXCHANGED)
    _, head, _, method = told[:4]
    tells = "tells the noun" if head["%"] >= 100 * LEARNED else "tells something of it" if _low(head) > CHANCE else None
    behind = next(row for row in moved if row["moved"] == BEHIND)
    meant, stood = _said(swapped, "its own pronoun"), _said(swapped, "the other noun's")
    return (
        f'The models {"know" if knows else "have not learned well"} what "it" is: the right pronoun is the more '
        f"probable one in {_said(right)} % of the sentences, follows its noun in {_said(follows)} % where that is "
        f"replaced by one of the other gender, and is written in {_said(gone, 'written')} % where it is hidden. "
        f"{f'A head {tells}' if tells else 'No head tells the noun'}: the best of each model, chosen on other "
        f"sentences, gives more weight to it than to the other noun in {_said(head)} %, the best method in "
        f"{_said(method)} % (by chance 50). All moved behind a word such as Yesterday, the pronoun is right in "
        f"{_said(behind, 'its own pronoun')} %; with the nouns in each other's place it goes by what is meant in "
        f"{meant} % and by the noun's place in {stood} %. ({models} models; 95 % intervals of sentences.)"
    )


def _said(row: Mapping[str, Any], name: str = "") -> str:
    """As 98.0 (96.1 to 99.0)."""
    before = f"{name}, " if name else ""
    return f"{row[f'{before}%']:.1f} ({row[f'{before}95 %']})"


def _low(row: Mapping[str, Any]) -> float:
    return float(row["95 %"].split()[0])


def _draw(tables: Mapping[str, Rows], seen: Sequence[Seen]) -> "Figure":
    pronoun, hidden, moved, told, _ = tables.values()
    names = ["changed or hidden: the right pronoun, %", "moved: the pronoun written, %", "more for its own noun, %"]
    drawn = panels('What "it" is', names, height=4.6)
    first, second, third = drawn.axes
    rows = {"its noun replaced: it follows": pronoun[2], "the other replaced: it stays": pronoun[3]}
    _dots(first, {**rows, **{_hiding(row): row for row in hidden}}, {"translated anew": ("", "written")})
    pairs = {"its own": ("its own pronoun",), "the other noun's": ("the other noun's",)}
    _dots(second, {row["moved"]: row for row in moved}, pairs)
    _dots(third, {row["what"]: row for row in told}, {"mean of the models": ("",)})
    every = [100 * hit.highest() for one in seen for hit in _heads("weights")(one.halves[1])]
    third.plot(every, [0] * len(every), "|", color=FAINT, markersize=6)
    return drawn.figure


def _hiding(row: Mapping[str, Any]) -> str:
    return "as it is" if row["hidden"] == AS_IT_IS else f"{row['hidden']} {row['how']}"


def _dots(axes: "Axes", rows: Mapping[str, Mapping[str, Any]], series: Mapping[str, Sequence[str]]) -> None:
    """A line for each row, a dot with its interval for each series; a series is the first of its columns there is."""
    for number, (label, names) in enumerate(series.items()):
        found = [next((row[key] for key in _columns(names, "%") if key in row), None) for row in rows.values()]
        ranges = [next((row[key] for key in _columns(names, "95 %") if key in row), None) for row in rows.values()]
        places = [place for place, value in enumerate(found) if value is not None]
        spans = [[float(end) for end in str(ranges[place]).split(" to ")] for place in places]
        values = [found[place] or 0.0 for place in places]
        wide = [
            [max(0.0, value - low) for value, (low, _) in zip(values, spans, strict=True)],
            [max(0.0, high - value) for value, (_, high) in zip(values, spans, strict=True)],
        ]
        shifted = [place + 0.18 * number for place in places]
        axes.errorbar(
            values, shifted, xerr=wide, fmt=MARKS[number], color=SERIES[number], markersize=4, elinewidth=1, label=label
        )
    axes.set_yticks(range(len(rows)), list(rows), fontsize=7, color=INK)
    axes.invert_yaxis()
    axes.set_xlim(-3, 103)
    axes.axvline(CHANCE, color=FAINT, linewidth=0.9)
    axes.grid(axis="y", color=HAIR, linewidth=0.4)
    axes.set_xlabel("% of the sentences; the line: by chance", fontsize=8, color=SOFT)
    if len(series) > 1:
        legend(axes)


def _columns(names: Sequence[str], kind: str) -> list[str]:
    return [f"{name}, {kind}" if name else kind for name in names]
