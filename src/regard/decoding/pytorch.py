"""The PyTorch engine: every search, every device, float32; slower than others, and never refuses."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from regard.config import BOS, DecodingConfig
from regard.decoding.beam import beam_search
from regard.decoding.hypothesis import Hypothesis
from regard.decoding.sampling import sample
from regard.decoding.sentences import Sentence, batches, longest_target
from regard.model.encoder_decoder import EncoderDecoder
from regard.text.batching import pad

BATCH_TOKENS = 4096  # source pieces of one batch times the beam, padding included


class PyTorchEngine:
    """Searches with a model on its device."""

    def __init__(self, model: EncoderDecoder) -> None:
        self.model = model

    def refusal(self, config: DecodingConfig, prefix: Sequence[int]) -> str:
        """Nothing."""
        return ""

    @torch.inference_mode()
    def search(
        self, sentences: Sequence[Sentence], config: DecodingConfig, *, log_probs: bool = True
    ) -> list[list[Hypothesis]]:
        """The n best targets of each sentence, best first."""
        answers: list[list[Hypothesis]] = [[] for _ in sentences]
        wide = config.n_best if config.temperature else config.beam_size
        for rows in batches([len(sentence.source) for sentence in sentences], BATCH_TOKENS // wide):
            found = self._hypotheses([sentences[row] for row in rows], config, log_probs)
            for row, hypotheses in zip(rows, found, strict=True):
                answers[row] = hypotheses
        return answers

    def _hypotheses(self, sentences: list[Sentence], config: DecodingConfig, scored: bool) -> list[list[Hypothesis]]:
        self.model.eval()
        source = torch.from_numpy(pad([list(sentence.source) for sentence in sentences])).to(self._device)
        lengths = torch.tensor([len(sentence.source) for sentence in sentences], device=source.device)
        seeds = [sentence.seed for sentence in sentences]
        search = partial(sample, seeds=seeds) if config.temperature else partial(beam_search, scored=scored)
        prefix = [list(sentence.prefix) for sentence in sentences]
        return search(
            self.model,
            self.model.start(self.model.encode(source)),
            batch=len(sentences),
            config=config,
            max_lengths=longest_targets(lengths, config),
            prefix=prefix if any(prefix) else None,
        )

    @torch.inference_mode()
    def log_probs(self, sources: list[list[int]], targets: list[list[int]]) -> list[list[float]]:
        """log p of each piece of these targets, in one pass."""
        self.model.eval()
        source, target = (torch.from_numpy(pad(side)).to(self._device) for side in (sources, targets))
        read = torch.cat([torch.full_like(target[:, :1], BOS), target[:, :-1]], dim=1)
        log_p = self.model(source, read).float().log_softmax(dim=-1).gather(2, target[:, :, None])[:, :, 0]
        return [row[: len(ids)].tolist() for row, ids in zip(log_p, targets, strict=True)]

    @property
    def _device(self) -> torch.device:
        return self.model.output.weight.device


def longest_targets(lengths: Tensor, config: DecodingConfig) -> Tensor:
    """`longest_target` of each of these lengths."""
    return torch.tensor([longest_target(length, config) for length in lengths.tolist()], device=lengths.device)
