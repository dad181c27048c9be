"""Agreement with PyTorch's own MultiheadAttention and Transformer, into which our weights are carried."""

import pytest
import torch
from torch import nn

from regard.config import ModelConfig
from regard.model.attention import MultiHeadAttention, causal_mask
from regard.model.transformer import Transformer

BATCH, QUERIES, KEYS, D_MODEL, HEADS, VOCAB = 3, 5, 7, 22, 2, 37
SIZES = dict(n_encoder_layers=2, n_decoder_layers=3, d_model=D_MODEL, d_ff=29, n_heads=HEADS, p_drop=0.0)


def shaken(module):
    """The module with no weight left at 0 or 1, and in double precision."""
    with torch.no_grad():
        for weight in module.parameters():
            weight += 0.3 * torch.randn_like(weight)
    return module.double()


def copied(ours, theirs):
    """Weights and biases, from one of our linear maps or norms to one of theirs."""
    with torch.no_grad():
        theirs.weight.copy_(ours.weight)
        theirs.bias.copy_(ours.bias)


def attention_copied(ours, theirs):
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([ours.w_q.weight, ours.w_k.weight, ours.w_v.weight]))
        theirs.in_proj_bias.copy_(torch.cat([ours.w_q.bias, ours.w_k.bias, ours.w_v.bias]))
    copied(ours.w_o, theirs.out_proj)


def layer_copied(ours, theirs, norms):
    attention_copied(ours.self_attention, theirs.self_attn)
    copied(ours.feed_forward.w_1, theirs.linear1)
    copied(ours.feed_forward.w_2, theirs.linear2)
    for number in norms:
        copied(getattr(ours, f"add_norm_{number}").norm, getattr(theirs, f"norm{number}"))


def their_transformer(ours):
    """PyTorch's stacks with our weights. It ends each with a norm of its own; the paper, and our post-norm, do not."""
    config = ours.config
    pre = config.norm == "pre"
    given = (config.d_model, config.n_heads, config.d_ff, config.p_drop, config.activation)
    final = [nn.LayerNorm(D_MODEL) if pre else None for _ in range(2)]
    layer = nn.TransformerEncoderLayer(*given, batch_first=True, norm_first=pre)
    encoder = nn.TransformerEncoder(layer, config.n_encoder_layers, final[0], enable_nested_tensor=False)
    layer = nn.TransformerDecoderLayer(*given, batch_first=True, norm_first=pre)
    decoder = nn.TransformerDecoder(layer, config.n_decoder_layers, final[1])
    sizes = dict(d_model=D_MODEL, nhead=HEADS, batch_first=True)
    theirs = nn.Transformer(**sizes, custom_encoder=encoder, custom_decoder=decoder).double()  # new weights once more
    for mine, other in zip(ours.encoder.layers, encoder.layers, strict=True):
        layer_copied(mine, other, (1, 2))
    for mine, other in zip(ours.decoder.layers, decoder.layers, strict=True):
        layer_copied(mine, other, (1, 2, 3))
        attention_copied(mine.cross_attention, other.multihead_attn)
    if pre:
        copied(ours.encoder.norm, encoder.norm)
        copied(ours.decoder.norm, decoder.norm)
    return theirs


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("kind", ["self", "causal", "cross"])
def test_multi_head_attention_is_pytorchs(kind, padded):
    ours = shaken(MultiHeadAttention(D_MODEL, HEADS, D_MODEL // HEADS, D_MODEL // HEADS))
    theirs = nn.MultiheadAttention(D_MODEL, HEADS, batch_first=True).double()
    attention_copied(ours, theirs)
    memory = torch.randn(BATCH, KEYS, D_MODEL).double()
    x = torch.randn(BATCH, QUERIES, D_MODEL).double() if kind == "cross" else memory
    real = torch.arange(KEYS) < torch.tensor([[KEYS], [3], [1]]) if padded else torch.ones(BATCH, KEYS, dtype=bool)
    causal = causal_mask(KEYS) if kind == "causal" else torch.ones(1, 1, x.shape[1], KEYS, dtype=bool)
    heard = []
    ours.weights.listeners.append(lambda value: heard.append(value) or value)
    context, weights = theirs(
        x, memory, memory, key_padding_mask=~real, attn_mask=~causal[0, 0], average_attn_weights=False
    )
    torch.testing.assert_close(ours(x, ours.keys_values(memory), real[:, None, None] & causal), context)
    torch.testing.assert_close(heard[0], weights)


@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("norm", ["post", "pre"])
def test_the_whole_transformer_is_pytorchs_in_value_and_gradient(norm, activation):
    ours = shaken(Transformer(ModelConfig(**SIZES, norm=norm, activation=activation), VOCAB, VOCAB))
    theirs = their_transformer(ours)
    source = torch.randint(4, VOCAB, (BATCH, KEYS)) * (torch.arange(KEYS) < torch.tensor([[KEYS], [2], [5]]))
    target = torch.randint(4, VOCAB, (BATCH, QUERIES))
    padding = source == 0
    outputs, gradients = [], []
    for model in (ours, theirs):
        if model is ours:
            decoded = ours.decode(ours.encode(source), target)
        else:
            masks = dict(src_key_padding_mask=padding, memory_key_padding_mask=padding)
            masks |= dict(tgt_mask=~causal_mask(QUERIES)[0, 0], tgt_is_causal=True)
            decoded = theirs(ours.source_embedding(source), ours.target_embedding(target), **masks)
        outputs.append(decoded @ ours.output.weight.T)
        gradients.append(torch.autograd.grad(outputs[-1].log_softmax(dim=-1)[..., 7].sum(), ours.output.weight)[0])
    torch.testing.assert_close(outputs[0], outputs[1])
    torch.testing.assert_close(gradients[0], gradients[1])
