"""regard under the stopwatch, as `regard translate` runs it: the engine that it picks, without PyTorch."""

import os
import sys

from stopwatch import race, read_task, tell

import regard
from regard.interop.engines import pick


def main() -> None:
    """One translator for many lines, one for single ones."""
    folder, task, lines = read_task()
    engine = "torch" if sys.argv[2:] == ["torch"] else "ctranslate2"
    threads = len(os.sched_getaffinity(0))
    many, one = (pick(folder / "model", "cpu", engine, threads=threads, one=one).translator for one in (False, True))
    if engine == "torch":
        import torch

        torch.set_num_threads(threads)

    def translate_all(some: list[str], beam: int) -> list[str]:
        return [
            answer.text for answer in many.translate(some, beam_size=beam, max_length=task["pieces"], log_probs=False)
        ]

    def translate(line: str, beam: int) -> str:
        return one.translate(line, beam_size=beam, max_length=task["pieces"], log_probs=False).text

    tell(folder, regard.__version__, race(task, lines, translate_all, translate))


if __name__ == "__main__":
    main()
