"""All weights of a model end to end in one tensor: what is done to each of them is done in one go."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Flat:
    """The weights of a model as one vector, of which the model's own parameters become parts."""

    def __init__(self, model: nn.Module) -> None:
        weights = list(model.parameters())
        self.shapes = [weight.shape for weight in weights]
        self.vector = nn.Parameter(torch.cat([weight.detach().flatten() for weight in weights]))
        for weight, part in zip(weights, self.split(self.vector.detach()), strict=True):
            weight.data = part

    def split(self, vector: Float[Tensor, " weights"]) -> list[Tensor]:
        """A vector of as many numbers in the shapes of the parameters, in their order; no number is copied."""
        parts = vector.split([shape.numel() for shape in self.shapes])
        return [part.view(shape) for part, shape in zip(parts, self.shapes, strict=True)]
