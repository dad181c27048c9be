"""HF transformers under the stopwatch: `generate` in float32, sorted by length, 64 lines a batch."""

import os

import torch
import transformers
from stopwatch import race, read_task, tell

BATCH = 64


def main() -> None:
    """MarianMTModel and MarianTokenizer."""
    folder, task, lines = read_task()
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder / "marian")
    model = transformers.MarianMTModel.from_pretrained(folder / "marian").eval()

    @torch.inference_mode()
    def translate_all(some: list[str], beam: int) -> list[str]:
        texts = [""] * len(some)
        order = sorted(range(len(some)), key=lambda row: -len(some[row]))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            batch = tokenizer([some[row] for row in rows], return_tensors="pt", padding=True)
            out = model.generate(**batch, num_beams=beam, do_sample=False, max_new_tokens=task["pieces"])
            for row, decoded in zip(rows, tokenizer.batch_decode(out, skip_special_tokens=True), strict=True):
                texts[row] = decoded
        return texts

    tell(
        folder, transformers.__version__, race(task, lines, translate_all, lambda line, b: translate_all([line], b)[0])
    )


if __name__ == "__main__":
    main()
