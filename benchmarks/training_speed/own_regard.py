"""regard under the stopwatch: its learner, as `regard train` calls it."""

import itertools

import torch
from stopwatch import Stopwatch, parameters, read_task, tell

import regard
from regard.config import BOS, PAD, ModelConfig, TrainingConfig
from regard.model.transformer import Transformer
from regard.training.learner import Batch, Learner


def as_batch(source: torch.Tensor, target: torch.Tensor) -> Batch:
    """What `make_batch` makes of them."""
    start = torch.full_like(target[:, :1], BOS)
    return Batch(source, torch.cat([start, target[:, :-1]], dim=1), target)


def main() -> None:
    """Trains until the time is over."""
    folder, task = read_task()
    torch.set_num_threads(1)
    torch.manual_seed(task["seed"])
    size = task["model"]
    model = ModelConfig(
        n_encoder_layers=size["layers"],
        n_decoder_layers=size["layers"],
        d_model=size["d_model"],
        d_ff=size["d_ff"],
        n_heads=size["n_heads"],
        p_drop=size["p_drop"],
    )
    training = TrainingConfig(label_smoothing=task["label_smoothing"], clip=task["clip"], seed=task["seed"])
    learner = Learner(Transformer(model, task["vocabulary"], task["vocabulary"]), training, torch.device("cpu"))

    watch = Stopwatch(task)
    for source, target in itertools.cycle(torch.load(folder / "train.pt")):
        real = int((source != PAD).sum() + (target != PAD).sum())
        if not watch.goes_on(real, source.numel() + target.numel()):
            break
        learner.update([as_batch(source, target)], task["learning_rate"])

    result = {"version": regard.__version__, "parameters": parameters(learner.model)} | watch.result()
    if task["updates"]:
        result["log_loss"] = log_loss(learner, [as_batch(*pair) for pair in torch.load(folder / "val.pt")])
    tell(folder, result)


def log_loss(learner: Learner, batches: list[Batch]) -> float:
    """-log p of a target piece of the validation set, in nats."""
    learner.model.eval()
    with torch.inference_mode():
        total = sum(learner.loss(learner.model, batch).log_loss.item() for batch in batches)
    return total / sum(batch.tokens for batch in batches)


if __name__ == "__main__":
    main()
