"""CTranslate2 under the stopwatch, driven as its documentation says: tokens of MarianTokenizer; for many lines its
performance tips (int8, one worker a core, batches of tokens), for one its defaults, or with `tuned` a single thread."""

import os
import sys

import ctranslate2
import transformers
from stopwatch import race, read_task, tell


def main() -> None:
    """One translator for many lines, one for single ones."""
    folder, task, lines = read_task()
    cores, most = len(os.sched_getaffinity(0)), task["pieces"]
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder / "marian")
    many = ctranslate2.Translator(str(folder / "ct2"), inter_threads=cores, intra_threads=1)
    threads = {"inter_threads": 1, "intra_threads": 1} if sys.argv[2:] == ["tuned"] else {}
    one = ctranslate2.Translator(str(folder / "ct2"), **threads)

    def tokens(line: str) -> list[str]:
        return tokenizer.convert_ids_to_tokens(tokenizer.encode(line))

    def text(result: ctranslate2.TranslationResult) -> str:
        ids = tokenizer.convert_tokens_to_ids(result.hypotheses[0])
        return tokenizer.decode(ids, skip_special_tokens=True)

    def translate_all(some: list[str], beam: int) -> list[str]:
        source = [tokens(line) for line in some]
        tips = {"max_batch_size": 2048, "batch_type": "tokens"}
        return [text(r) for r in many.translate_batch(source, beam_size=beam, max_decoding_length=most, **tips)]

    def translate(line: str, beam: int) -> str:
        return text(one.translate_batch([tokens(line)], beam_size=beam, max_decoding_length=most)[0])

    tell(folder, ctranslate2.__version__, race(task, lines, translate_all, translate))


if __name__ == "__main__":
    main()
