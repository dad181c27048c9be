"""regard under the stopwatch: its learner, set up as `regard train` sets it up on so many cores.

Left out is what the others do not do: the running average of the weights. With a `precision` in the task, the products
have it, whatever the processor is quicker in.
"""

import torch
from stopwatch import Pair, finish, read_task, started, updates

from regard.config import Config, configure
from regard.device import half_gain
from regard.model.transformer import Transformer
from regard.training.learner import Batch, Learner
from regard.training.recipe import Machine, recommend

CPU = torch.device("cpu")
RECOMMENDED = ("model.norm", "training.precision", "training.batch_tokens", "training.accumulate")


def configuration(task: dict) -> Config:
    """The settings: the task's, and the recommended ones."""
    machine = Machine("cpu", torch.get_num_threads(), half_gain(CPU))
    recommended = recommend(task["pairs"], machine, {})
    size = task["model"]
    given = {
        "model.n_encoder_layers": size["layers"],
        "model.n_decoder_layers": size["layers"],
        "model.d_model": size["d_model"],
        "model.d_ff": size["d_ff"],
        "model.n_heads": size["n_heads"],
        "model.p_drop": size["p_drop"],
        "training.label_smoothing": task["label_smoothing"],
        "training.clip": task["clip"],
        "training.seed": task["seed"],
    }
    if task["precision"]:
        given["training.precision"] = task["precision"]
    return configure({name: recommended[name].value for name in RECOMMENDED} | given)


def as_batch(pair: Pair) -> Batch:
    """What `make_batch` makes of the pairs of a corpus."""
    source, target = pair
    return Batch(source, started(target), target)


def main() -> None:
    """Trains."""
    folder, task = read_task()
    config = configuration(task)
    model = Transformer(config.model, task["vocabulary"], task["vocabulary"])
    learner = Learner(model, config.training, CPU)
    for pairs in updates(folder, task, config.training.accumulate):
        learner.update([as_batch(pair) for pair in pairs], task["learning_rate"])
    note = f"{config.training.precision}, {config.training.accumulate} x {config.training.batch_tokens} tokens"
    finish(folder, task, "regard", model, lambda source, target: model(source, started(target)), note=note)


if __name__ == "__main__":
    main()
