"""`regard look`: what happens inside a model while it translates a sentence."""

import argparse
from typing import TYPE_CHECKING, Any, Literal

from regard.cli.files import add_page, check_files, first_sentence, open_page, wanted_files, write_files
from regard.cli.options import add_beam, add_model, add_verb, load_translator
from regard.errors import InputError

if TYPE_CHECKING:
    from regard.decoding.translator import Translator
    from regard.looking.interventions import Effect
    from regard.looking.trace import Kind, Trace
    from regard.looking.views import Gaze, Rows


def add(verbs: Any) -> None:
    """Describes the verb."""
    parser = add_verb(
        verbs, "look", run, help="look at every number of attention in a sentence and its translation",
        example='regard look my-model\n'
                '  regard look my-model "the animal is tired" --word tired --layer 2 --head 1\n'
                '  regard look my-model "the animal is tired" --html look.html --svg map.svg --layer 2 --head 1',
    )  # fmt: skip
    add_model(parser)
    parser.add_argument("text", nargs="*", help="the sentence (default: one of the page's own)")
    parser.add_argument("--target", metavar="TEXT", help="look at this translation (default: the one that is found)")
    add_beam(parser)
    add_page(parser)
    word = parser.add_argument_group("the numbers of one word, here in the terminal")
    word.add_argument("--word", metavar="WORD", help="of the translation, or else of the sentence")
    word.add_argument("--occurrence", type=int, default=1, metavar="N", help="its N-th, if it comes again (default 1)")
    word.add_argument("--kind", choices=["encoder", "decoder", "cross"], help="of attention (default: where it looks)")
    word.add_argument("--layer", type=int, metavar="N", help="from 1, the lowest (default: all, in brief)")
    word.add_argument("--head", type=int, metavar="N", help="from 1 (default: all, in brief)")
    word.add_argument(
        "--reads", action="store_true", help="where the decoder reads the word (default: where it writes it)"
    )


def run(asked: argparse.Namespace) -> int:
    """Writes the files that are asked for, prints the arithmetic of a word, or opens the page."""
    sentence = " ".join(asked.text)
    if asked.word is not None and not sentence:
        raise InputError(f"Which sentence is '{asked.word}' in? regard look {asked.model} \"...\" --word {asked.word}")
    if asked.text and not sentence.strip():
        raise InputError(
            "There is nothing to look at: the sentence is empty. Leave it out to see one of the page's own."
        )
    translator = load_translator(asked)
    if asked.word is not None and not wanted_files(asked) and translator.config.model.architecture == "rnn":
        return _print_gazing(asked, translator, sentence)
    translator.transformer.eval()  # an RNN is refused before anything is opened
    check_files(asked, translator)
    if asked.word is None and not wanted_files(asked):
        return open_page(asked, translator, sentence)
    begin = first_sentence(asked, translator, sentence)
    trace = translator.look(begin.text, asked.target, direction=begin.direction)
    write_files(asked, trace)
    if asked.word is not None:
        _print_word(asked, trace)
    return 0


def _print_word(asked: argparse.Namespace, trace: "Trace") -> None:
    from regard.cli.arithmetic import console, print_gazes, print_steps, print_worth

    view, screen = trace.word(asked.word, occurrence=asked.occurrence, side=_side(asked.kind)), console()
    kind: Kind = asked.kind or view.kind
    rows: Rows = "reads" if asked.reads else "writes"
    gazes = view.gazes(kind, layer=asked.layer, head=asked.head, rows=rows)
    if asked.layer is None or asked.head is None:
        return print_gazes(screen, view, kind, gazes, _worth(trace, kind, gazes))
    for steps in view.table(layer=asked.layer, head=asked.head, kind=kind, rows=rows):
        print_steps(screen, trace, steps)
    return print_worth(screen, view, _worth(trace, kind, gazes)[0])


def _print_gazing(asked: argparse.Namespace, translator: "Translator", sentence: str) -> int:
    """Where an RNN looks when it writes the word; it has neither heads nor layers of attention."""
    from regard.cli.arithmetic import console, print_looked
    from regard.looking.gazing import gaze

    if asked.layer or asked.head or asked.reads or asked.kind not in (None, "cross"):
        raise InputError(
            f"{asked.model} is an RNN: it has one attention, without layers and heads, from each word that it writes "
            f"to the source. Leave --layer, --head, --kind and --reads out."
        )
    seen = gaze(translator, sentence, asked.target, direction=asked.direction)
    word = seen.word(asked.word, occurrence=asked.occurrence)
    print_looked(console(), word.text, seen.log_prob(word), seen.of(asked.word, occurrence=asked.occurrence))
    return 0


def _worth(trace: "Trace", kind: "Kind", gazes: list["Gaze"]) -> list["Effect"]:
    """What becomes of the translation without each head."""
    from regard.looking.interventions import effects
    from regard.looking.steering import off

    model = trace.living().transformer
    return list(effects(trace, [off(model, kind, layer=gaze.layer + 1, head=gaze.head + 1) for gaze in gazes]))


def _side(kind: str | None) -> Literal["source", "target"] | None:
    """Where the words stand that look in this kind of attention."""
    return None if kind is None else "source" if kind == "encoder" else "target"
