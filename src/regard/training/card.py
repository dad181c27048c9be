"""What a finished training leaves for people: the model card and the learning curve."""

import json
from typing import Any

import regard
from regard.config import flatten
from regard.disk import write_text
from regard.errors import InputError
from regard.plots import learning_curve
from regard.text.formats import fingerprint
from regard.training.distillation import taught_by
from regard.training.loop import Run, read_history

CARD = """---
library_name: regard
pipeline_tag: translation
tags: [translation, {architecture}]
{languages}---
# {title}

{kind} that translates{direction}, trained with regard {version}.

```
regard translate {folder} "..."
```

## Scores
{scores}

![learning curve](learning-curve.png)

## Data
{pairs:,} sentence pairs{taught}; SHA-256 of the pairs in their order: `{fingerprint}`.

## Settings
```toml
{settings}
```

"""


def write_card(run: Run) -> None:
    """Writes README.md and, where matplotlib is installed, learning-curve.png into the model directory."""
    history = read_history(run)
    updates = [row["update"] for row in history]
    losses: dict[str, list[float | None]] = {
        "training": [row["training_log_loss"] for row in history],
        "validation": [row["log_loss"] for row in history],
    }
    names = history[-1]["bleu"] if history else {}
    scores: dict[str, list[float | None]] = {name or "BLEU": [row["bleu"][name] for row in history] for name in names}
    directions, teacher = run.config.text.directions, taught_by(run.folder)
    card = CARD.format(
        kind="An RNN" if run.config.model.architecture == "rnn" else "A Transformer",
        architecture=run.config.model.architecture,
        languages=_languages(directions),
        title=run.folder.absolute().name,
        direction=f" ({', '.join(directions)})" if directions else "",
        version=regard.__version__,
        folder=run.folder.absolute().name,
        scores=_table(history),
        pairs=len(run.train.source),
        taught=f", of a corpus and of what the model `{teacher}` made of its sources (distillation)" if teacher else "",
        fingerprint=fingerprint(run.train),
        settings=_toml(flatten(run.config)),
    )
    write_text(run.folder / "README.md", card)
    try:
        learning_curve(run.folder / "learning-curve.png", updates, losses, scores)
    except InputError:
        write_text(run.folder / "README.md", card.replace("![learning curve](learning-curve.png)\n\n", ""))


def _languages(directions: tuple[str, ...]) -> str:
    codes = dict.fromkeys(code for direction in directions for code in direction.split("-"))
    return f"language: {json.dumps([*codes])}\n" if codes else ""  # in quotes: a bare no is false in YAML


def _table(history: list[dict[str, Any]]) -> str:
    """The last validation, which is that of the model that was kept."""
    if not history:
        return "None yet."
    last = history[-1]
    rows = [f"| BLEU, greedy, {name or 'validation'} | {score:.2f} |" for name, score in last["bleu"].items()]
    rows = [*rows, f"| -log p a piece, nats | {last['log_loss']:.4f} |"]
    signature = f"\n\nsacreBLEU: `{last['signature']}`" if last["signature"] else ""
    return "| validation | |\n|---|---|\n" + "\n".join(rows) + signature


def _toml(settings: dict[str, Any]) -> str:
    """The settings as a file that `regard train --config` takes."""
    lines, before = [], ""
    for name, value in settings.items():
        part, _, key = name.partition(".")
        if part != before:
            lines += [f"[{part}]"]
            before = part
        if value is not None:
            lines.append(f"{key} = {json.dumps(value)}")
    return "\n".join(lines)
