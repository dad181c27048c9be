"""`regard distill`: a small, quick model that learns from what a trained one writes."""

import argparse
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regard.cli.options import add_beam, add_engine, add_verb, counted_lines, folder, line_count, say
from regard.cli.train import Stop, add_learning, learn, wanted_of

if TYPE_CHECKING:
    from regard.training.distillation import Distillation


def add(verbs: Any) -> None:
    """Describes the verb."""
    parser = add_verb(
        verbs, "distill", run, help="train a small, quick model on what a trained one writes, or go on with it",
        example="regard distill my-model my-student --train corpus.fr corpus.en --valid dev.fr dev.en --minutes 30",
    )  # fmt: skip
    parser.add_argument("teacher", metavar="TEACHER", type=folder, help="the directory of the trained model")
    parser.add_argument(
        "folder", metavar="NEW", type=folder, help="the student's directory; again: goes on where it stopped"
    )
    parser.add_argument("--direction", metavar="FR-EN", help="of a teacher that knows several (default: its first)")
    add_learning(parser, size="student")
    add_beam(parser)
    add_engine(parser)
    parser.set_defaults(directions=None)


def run(asked: argparse.Namespace) -> int:
    """The teacher translates, the student learns."""
    from regard.interop.engines import pick
    from regard.training.distillation import Teacher, begin

    wanted = wanted_of(asked)
    translator, why = pick(asked.teacher, asked.device, asked.engine, threads=asked.threads)
    if why:
        say(asked, f"PyTorch translates, since {why}.")
    distillation = begin(wanted, Teacher(Path(asked.teacher), translator, asked.direction, asked.beam))
    if distillation.corpus and not _translated(asked, distillation):
        return 0
    return learn(asked, distillation.student())


def _translated(asked: argparse.Namespace, distillation: "Distillation") -> bool:
    """Whether all is translated in the end; if not, what there is stays for the next time."""
    total, done = len(distillation.lines()), len(distillation.written())
    say(asked, f"The teacher translates {line_count(total)}{f', {done:,} of them done before' if done else ''}.")
    with Stop(asked.quiet) as stop, closing(distillation.translate()) as answers:
        for _ in counted_lines(asked, answers, total - done):
            if stop.asked():
                break
    if (done := len(distillation.written())) < total:
        say(asked, f"Paused after {done:,} of {line_count(total)}; the same command goes on from there.")
        return False
    say(asked, str(distillation.finish()))
    return True
