"""A vocabulary that nothing was learned for: engines of random weights need one of a certain size."""

from collections.abc import Iterable

from regard.config import BOS, EOS, PAD, UNK
from regard.text.tokenizer import Vocabulary

SPECIAL = {PAD: "<pad>", UNK: "<unk>", BOS: "<s>", EOS: "</s>"}


class Words(Vocabulary):
    """A vocabulary of so many pieces that no text was ever cut into."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __len__(self) -> int:
        return self.size

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """What they are called."""
        return [SPECIAL.get(number, f"piece{number}") for number in ids]
