"""`regard train`: from sentence pairs to a model directory."""

import argparse
import os
import signal
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regard.cli.options import add_verb, clock, folder, say, start_torch
from regard.config import PRESETS, Settings, parse_setting, preset, read_settings, shown
from regard.disk import write_text
from regard.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from regard.cli.display import Display
    from regard.config import ModelConfig
    from regard.training.prepare import Prepared, Wanted

CARD, PROVED = "README.md", "shortlist.txt"  # in the model's folder, and in its folder `training`


def add(verbs: Any) -> None:
    """Describes the verb."""
    parser = add_verb(
        verbs, "train", run, help="train a translator on sentence pairs, or go on with a training",
        example="regard train my-model --train corpus.fr corpus.en --valid dev.fr dev.en --minutes 30",
    )  # fmt: skip
    parser.add_argument(
        "folder", metavar="DIR", type=folder, help="the model's directory; again: goes on where it stopped"
    )
    add_learning(parser, size="by the corpus")
    parser.add_argument("--directions", nargs="+", metavar="FR-EN", help="fr-en en-fr: one model for both ways")
    parser.add_argument(
        "--from", dest="origin", metavar="MODEL", type=folder, help="start from this model's weights and words"
    )


def add_learning(parser: argparse.ArgumentParser, *, size: str) -> None:
    """The options of a verb that trains, with this size where none is asked for."""
    parser.add_argument(
        "--train", nargs="+", default=[], metavar="FILE", help="source and target, or one .tsv or .jsonl"
    )
    parser.add_argument(
        "--valid", nargs="+", default=[], metavar="FILE", help="likewise (default: some pairs held out)"
    )
    parser.add_argument("--preset", help="a size: " + ", ".join(PRESETS) + f" (default: {size})")
    parser.add_argument("--config", metavar="TOML", help="settings in a file")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting: model.d_model=256")
    parser.add_argument("--minutes", type=float, help="stop after so many minutes")
    parser.add_argument("--updates", type=int, help="stop after so many updates")
    parser.add_argument("--epochs", type=int, help="stop after reading the pairs so many times")


def run(asked: argparse.Namespace) -> int:
    """Trains, or goes on training."""
    return learn(asked, wanted_of(asked, origin=Path(asked.origin) if asked.origin else None))


def wanted_of(asked: argparse.Namespace, origin: Path | None = None) -> "Wanted":
    """The training that the options ask for."""
    from regard.training.board import summary_writer
    from regard.training.prepare import Wanted

    given = settings(asked)
    if given.get("training.tensorboard"):
        summary_writer()  # refused before anything is written
    return Wanted(
        folder=Path(asked.folder),
        train=asked.train,
        valid=asked.valid,
        given=given,
        origin=origin,
        device=start_torch(asked),
    )


def learn(asked: argparse.Namespace, wanted: "Wanted") -> int:
    """Prepares, tells what it is going to do, does it."""
    from regard.cli.display import Display

    with Display(asked.quiet) as display:
        prepared = _prepare(asked, wanted, display.console)
        over = prepared.learner.standing.finished  # before it began: there is nothing new to learn from
        finished = _train(asked, prepared, display)
        if finished:
            _conclude(asked, prepared, display.console, new=not over)
    if finished:
        say(asked, f'The model is in {asked.folder}. Try it: regard translate {asked.folder} "..."')
    return 0


def _train(asked: argparse.Namespace, prepared: "Prepared", display: "Display") -> bool:
    """Shows the training until it pauses or ends; whether it ended."""
    from regard.training.board import Board
    from regard.training.loop import Ended, train

    finished, standing, run = False, prepared.learner.standing, prepared.run
    shows_board = run.config.training.tensorboard and not standing.finished
    with closing(Board(run, standing.update)) if shows_board else nullcontext() as board, Stop(asked.quiet) as stop:
        for event in train(run, prepared.learner, stop.asked):
            display.show(event)
            if board:
                board.show(event)
            finished = isinstance(event, Ended) and event.finished
    return finished


def _conclude(asked: argparse.Namespace, prepared: "Prepared", console: "Console", *, new: bool) -> None:
    """The model card, which people may then edit, and a shortlist; what was interrupted here is done the next time."""
    from regard.training.card import write_card

    run, proved = prepared.run, prepared.run.own / PROVED
    if new or not (run.folder / CARD).exists():
        write_card(run)
    if new:
        proved.unlink(missing_ok=True)
    if not proved.exists():
        _give_shortlist(asked, prepared, console)


def _give_shortlist(asked: argparse.Namespace, prepared: "Prepared", console: "Console") -> None:
    """What makes the fast engine faster still, where there is one and it does no harm."""
    from regard.interop.engines import SHORTLIST, pick

    run = prepared.run
    (run.folder / SHORTLIST).unlink(missing_ok=True)  # proved for the weights before
    if why := pick(run.folder, "cpu", threads=asked.threads).why:
        say(asked, f"The fast engine cannot be used: {why}.")
        return
    from regard.interop.proof import give_shortlist

    with console.status("Learning a shortlist for the fast engine ..."):
        verdict = give_shortlist(run.folder, run.train, run.valid, threads=asked.threads)
    write_text(run.own / PROVED, f"{verdict}\n")
    say(asked, str(verdict))


def _prepare(asked: argparse.Namespace, wanted: "Wanted", console: "Console") -> "Prepared":
    from regard.training.prepare import prepare

    with console.status("Reading the pairs, learning the words ..."):
        prepared = prepare(wanted)
    if not asked.quiet and not prepared.learner.standing.finished:
        _announce(console, prepared)
    return prepared


def settings(asked: argparse.Namespace) -> Settings:
    """What the options say, by dotted name: the file, then the preset, then --set, then options of their own."""
    for limit in ("minutes", "updates", "epochs"):
        if getattr(asked, limit) == 0:  # a setting that is 0 is no limit; who types it means something else
            raise InputError(
                f"--{limit} is 0, and nothing would be learned. For no limit leave it out, or to take one off again "
                f"write --set training.{limit}=0."
            )
    given: Settings = read_settings(Path(asked.config)) if asked.config else {}
    given |= preset(asked.preset) if asked.preset else {}
    given |= dict(parse_setting(text) for text in asked.set)
    own = {
        "training.minutes": asked.minutes,
        "training.updates": asked.updates,
        "training.epochs": asked.epochs,
        "training.seed": asked.seed,
        "text.directions": tuple(asked.directions) if asked.directions else None,
    }
    return given | {name: value for name, value in own.items() if value is not None}


def _announce(console: "Console", prepared: "Prepared") -> None:
    """What is going to be done, before it is."""
    from regard.training.rehearsal import rehearse

    run, config, model = prepared.run, prepared.run.config, prepared.learner.model
    left_out = [f"{count:,} {why}" for why, count in (("empty", prepared.empty), ("too long", prepared.long)) if count]
    words, size = run.tokenizer, config.model
    pairs = f"{len(run.train.source):,} to learn from, {len(run.valid.source):,} to validate"
    pieces = f"{len(words.source):,}" + ("" if words.joint else f" and {len(words.target):,}")
    weights = f"{sum(weight.numel() for weight in model.parameters()):,}"
    layers = f"{size.n_encoder_layers}+{size.n_decoder_layers} layers, d_model {size.d_model}, {_looks(size)}"
    with console.status("Trying some batches, to tell how long it will take ..."):
        ahead = rehearse(run, prepared.learner)
    time = "until the score stops rising" if ahead.seconds is None else f"about {clock(ahead.seconds)}"
    memory = "unknown" if ahead.bytes is None else f"about {ahead.bytes / 2**20:,.0f} MiB"
    rows = {
        "pairs": pairs + (f"; left out: {', '.join(left_out)}" if left_out else ""),
        "words": f"{pieces} pieces ({config.text.tokenizer})",
        "model": f"{weights} weights: {layers}",
        "memory": memory,
        "time": f"{time}; {ahead.updates:,} updates an epoch, on {prepared.learner.device}",
    }
    if prepared.resumed:
        rows["resumed"] = f"after update {prepared.learner.standing.update:,}"
    for name, what in rows.items():
        console.print(f"[bold]{name:<8}[/] {what}", soft_wrap=True)
    if prepared.choices:
        console.print("Chosen for this corpus (change any with --set NAME=VALUE):")
    for name, choice in prepared.choices.items():
        setting = f"{name} = {shown(choice.value)}"
        console.print(f"  {setting:<36} [dim]{choice.reason}[/]", soft_wrap=True)


def _looks(size: "ModelConfig") -> str:
    """How the model looks at other words, in brief."""
    if size.architecture == "transformer":
        return f"{size.n_heads} heads"
    return f"{size.cell.upper()}, {'Bahdanau attention' if size.attention else 'no attention'}"


class Stop:
    """Ctrl-C or SIGTERM: the update that is under way is finished and saved; a second Ctrl-C does not wait."""

    def __init__(self, quiet: bool) -> None:
        self.quiet, self.wanted = quiet, False

    def __enter__(self) -> "Stop":
        self.before = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *raised: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: object) -> None:
        self.wanted = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if not self.quiet:
            os.write(2, b"\nSaving ...\n")  # print() may be what was interrupted

    def asked(self) -> bool:
        """Whether it is time to save and leave."""
        return self.wanted
