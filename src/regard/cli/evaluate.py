"""`regard evaluate`: BLEU, chrF and TER on a test set; how far attributions can be trusted; how well words align."""

import argparse
import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regard.cli.options import (
    add_beam,
    add_engine,
    add_model,
    add_verb,
    backwards,
    counted_lines,
    load_translator,
    read_pairs_for,
    say,
    say_cut,
)
from regard.errors import InputError

if TYPE_CHECKING:
    from regard.decoding.translator import Translator
    from regard.evaluation import Score
    from regard.looking.gold import Gold
    from regard.text.formats import Pairs

SENTENCES = 20  # whose attributions are measured, unless another number is asked for


def add(verbs: Any) -> None:
    """Describes the verb."""
    parser = add_verb(
        verbs, "evaluate", run, help="translate a test set and score it: BLEU, chrF, TER with 95 % intervals",
        example="regard evaluate my-model --test test.fr test.en",
    )  # fmt: skip
    add_model(parser)
    parser.add_argument(
        "--test", nargs="+", required=True, metavar="FILE",
        help="two files, or one .tsv or .jsonl. A model's first direction reads them from left to right, its second "
        "from right to left",
    )  # fmt: skip
    add_beam(parser)
    add_engine(parser)
    parser.add_argument("--output", metavar="FILE", help="write the translations, one a line")
    parser.add_argument(
        "--tokenize", help="BLEU's tokenizer; none for tokenised text (default: the target language's, mostly 13a)"
    )
    parser.add_argument(
        "--resamples", type=int, default=1000, metavar="N",
        help="for the intervals; 0 = none (default 1000). Without --seed they are drawn with sacreBLEU's own, 12345",
    )  # fmt: skip
    parser.add_argument(
        "--attribution", nargs="?", type=int, const=SENTENCES, metavar="N",
        help=f"how far each attribution method can be trusted, over N sentences (default {SENTENCES})",
    )  # fmt: skip
    parser.add_argument("--alignment", metavar="GOLD", help="the error rate against word alignments made by people")
    parser.add_argument("--json", action="store_true", help="scores and signatures as JSON")


def run(asked: argparse.Namespace) -> int:
    """Prints a table, or JSON."""
    from regard.evaluation import evaluate
    from regard.looking.gold import read_gold
    from regard.text.formats import Pairs

    _check(asked)
    if asked.attribution and asked.engine == "auto":
        asked.engine = "torch"  # what is taken apart is what it translates
    translator = load_translator(asked)
    source, target = read_pairs_for(asked, translator, asked.test)
    if asked.attribution or (asked.alignment and not translator.config.model.attention):
        translator.transformer.eval()  # an RNN is refused before the work, too
    gold = asked.alignment and read_gold(asked.alignment, len(source), turned=backwards(asked, translator))
    texts = _translated(asked, translator, source)
    tokenize = _tokenization(asked, translator)
    scores = evaluate(texts, target, resamples=asked.resamples, tokenize=tokenize, seed=asked.seed)
    told: dict[str, Any] = {"scores": [score._asdict() for score in scores]}
    if asked.attribution:
        told["attribution"] = _attribution(asked, translator, Pairs(source, texts))
    if gold:
        told["alignment"] = _alignment(asked, translator, Pairs(source, target), gold)
    if asked.json:
        print(json.dumps(told if len(told) > 1 else told["scores"], indent=2))
    else:
        _print(scores, told)
    return 0


def _check(asked: argparse.Namespace) -> None:
    """Refuses before the work what cannot be done."""
    from regard.disk import check_writable
    from regard.evaluation import bleu_with

    if asked.output is not None:
        check_writable(Path(asked.output))
    if asked.tokenize is not None:
        bleu_with(asked.tokenize)
    if asked.resamples < 0:
        raise InputError(f"--resamples is {asked.resamples}; it must not be negative. 0 = no intervals.")
    if asked.resamples and asked.seed is not None and asked.seed < 0:
        raise InputError(f"--seed is {asked.seed}; it must not be negative, for the intervals are drawn with it.")
    if asked.attribution is not None and asked.attribution < 1:
        raise InputError(f"--attribution is {asked.attribution}; it needs one sentence at least.")


def _tokenization(asked: argparse.Namespace, translator: "Translator") -> str:
    """BLEU's tokenizer that was asked for, or that of the target language."""
    from regard.evaluation import tokenization

    direction = asked.direction or next(iter(translator.tokenizer.directions), "")
    return asked.tokenize or tokenization(direction.partition("-")[2])


def _translated(asked: argparse.Namespace, translator: "Translator", source: list[str]) -> list[str]:
    """The translations, which are also written where --output says."""
    from regard.disk import write_text
    from regard.text.formats import one_line

    stream = translator.stream(source, direction=asked.direction, log_probs=False)
    answers = list(counted_lines(asked, stream, len(source)))
    texts = [answer.text for answer in answers]
    if asked.output:
        write_text(Path(asked.output), "".join(f"{one_line(text)}\n" for text in texts))
    if translator.fast and not translator.refusal():
        say(asked, "CTranslate2 translated, in 8 bits; --engine torch does in 32.")
    say_cut(asked, translator, sum(answer.parts > 1 for answer in answers))
    return texts


def _attribution(asked: argparse.Namespace, translator: "Translator", pairs: "Pairs") -> list[dict[str, Any]]:
    """Every method's faithfulness on the first sentences and their translations."""
    from regard.looking.faithfulness import faithfulness

    count = min(asked.attribution, len(pairs.source))
    say(asked, f"{count} sentence{'s are' if count > 1 else ' is'} taken apart, word by word ...")
    sides = [side[: asked.attribution] for side in pairs]
    plain = dataclasses.replace(translator, fast=None)  # what is taken apart is what PyTorch computes
    return [found._asdict() for found in faithfulness(plain, *sides, direction=asked.direction)]


def _alignment(
    asked: argparse.Namespace, translator: "Translator", pairs: "Pairs", gold: list["Gold"]
) -> dict[str, Any]:
    """The error rates of every layer and head, and those of the chosen ones."""
    from regard.looking.alignment import align, choose

    aligned = align(translator, *pairs, direction=asked.direction)
    chosen = [{**one.head._asdict(), "chosen_with": one.found, "aer": one.score} for one in choose(aligned, gold)]
    every = [{**head._asdict(), "aer": score} for head, score in aligned.scores(gold).items()]
    return {"chosen": chosen, "every": every}


def _print(scores: list["Score"], told: dict[str, Any]) -> None:
    """The tables for a person."""
    for score in scores:
        interval = "" if score.low is None else f"  [{score.low:.2f}, {score.high:.2f}]"
        print(f"{score.metric:<5} {score.score:6.2f}{interval}  {score.signature}")
    if "attribution" in told:
        print("\nHow far an attribution can be trusted: rank correlation with what replacing a source word does")
        print(f"{'method':<22}{'to log p':>10}{'translated anew':>18}")
        for row in sorted(told["attribution"], key=lambda row: -(row["anew"] or 0)):
            print(f"{row['method']:<22}{_two(row['forced']):>10}{_two(row['anew']):>18}")
    if "alignment" in told:
        print(
            "\nWord alignment by cross-attention, AER in % (0 is perfect); chosen on the first half, scored on the rest"
        )
        for row in told["alignment"]["chosen"]:
            head = "mean of heads" if row["head"] is None else f"head {row['head']}"
            print(f"rows by the word {row['row']:<8} layer {row['layer']}, {head:<14} {100 * row['aer']:6.2f}")


def _two(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
