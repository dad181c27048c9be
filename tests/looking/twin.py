"""Attention once more, in plain NumPy and float64, knowing nothing of the package: an oracle for what a trace says."""

from typing import Any

import numpy as np


def recomputed(block: Any, *, post_norm: bool, epsilon: float) -> dict[str, np.ndarray]:
    """Everything of one attention block from its q, k, v (head position width), W_O, b_O and the stream before it."""
    q, k, v, w_o = (np.asarray(getattr(block, name), dtype=np.float64) for name in ("q", "k", "v", "w_o"))
    scores = np.einsum("hid,hjd->hij", q, k)
    scaled = scores / q.shape[2] ** 0.5
    allowed = np.broadcast_to(block.mask, scaled.shape)
    powers = np.zeros_like(scaled)
    largest = np.max(scaled, axis=2, keepdims=True, where=allowed, initial=-np.inf)
    np.exp(scaled - largest, out=powers, where=allowed)
    weights = powers / powers.sum(axis=2, keepdims=True)
    context = np.einsum("hij,hjd->hid", weights, v)
    heads = np.einsum("hid,hdm->him", context, w_o)
    added = heads.sum(axis=0) + np.asarray(block.b_o, dtype=np.float64)
    x_out = np.asarray(block.x_in, dtype=np.float64) + added
    if post_norm:
        x_out = normed(x_out, block.norm_weight, block.norm_bias, epsilon)
    named = ("scores", "scaled", "weights", "context", "heads", "added", "x_out")
    return dict(zip(named, (scores, scaled, weights, context, heads, added, x_out), strict=True))


def normed(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, epsilon: float) -> np.ndarray:
    """Layer norm of each position."""
    centred = x - x.mean(axis=1, keepdims=True)
    variance = (centred**2).mean(axis=1, keepdims=True)
    return centred / np.sqrt(variance + epsilon) * np.asarray(weight, np.float64) + np.asarray(bias, np.float64)


def differences(block: Any, *, post_norm: bool, epsilon: float) -> dict[str, float]:
    """The largest difference of each quantity between the block and its twin."""
    twin = recomputed(block, post_norm=post_norm, epsilon=epsilon)
    return {name: float(np.abs(getattr(block, name) - value).max()) for name, value in twin.items()}
