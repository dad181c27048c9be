"""Agreement with MarianMTModel of Hugging Face's transformers, whose weights, random ones, are carried into ours."""

import pytest
import torch
from transformers import MarianConfig, MarianMTModel

from regard.config import ModelConfig
from regard.model.layers import positional_encoding
from regard.model.transformer import Transformer

VOCAB, D_MODEL, LONGEST = 37, 22, 19
THEIR_PAD = VOCAB - 1  # the last piece, which begins a target too; ours is the first, so every other id moves up by one

ATTENTION = {"w_q": "q_proj", "w_k": "k_proj", "w_v": "v_proj", "w_o": "out_proj"}
LAYER = {"feed_forward.w_1": "fc1", "feed_forward.w_2": "fc2", "add_norm_1.norm": "self_attn_layer_norm"}
LAYER |= {f"self_attention.{ours}": f"self_attn.{theirs}" for ours, theirs in ATTENTION.items()}
ENCODER = LAYER | {"add_norm_2.norm": "final_layer_norm"}
DECODER = LAYER | {"add_norm_2.norm": "encoder_attn_layer_norm", "add_norm_3.norm": "final_layer_norm"}
DECODER |= {f"cross_attention.{ours}": f"encoder_attn.{theirs}" for ours, theirs in ATTENTION.items()}


def marian(activation):
    """A MarianMTModel none of whose weights is 0 or 1; its padding has a vector too, since a target begins with it."""
    heads, width = 2, 29
    config = MarianConfig(
        vocab_size=VOCAB,
        d_model=D_MODEL,
        encoder_layers=2,
        decoder_layers=3,
        encoder_attention_heads=heads,
        decoder_attention_heads=heads,
        encoder_ffn_dim=width,
        decoder_ffn_dim=width,
        activation_function=activation,
        scale_embedding=True,
        max_position_embeddings=LONGEST,
        pad_token_id=THEIR_PAD,
        decoder_start_token_id=THEIR_PAD,
        eos_token_id=0,
    )
    model = MarianMTModel(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.requires_grad:
                weight += 0.2 * torch.randn_like(weight)
    return model


def carried(theirs):
    """Our Transformer with Marian's weights."""
    sizes = dict(n_encoder_layers=2, n_decoder_layers=3, d_model=D_MODEL, d_ff=29, n_heads=2, max_length=LONGEST)
    activation = theirs.config.activation_function
    ours = Transformer(ModelConfig(**sizes, activation=activation), VOCAB, VOCAB).eval()
    from_theirs = theirs.state_dict()
    weights = {"output.weight": from_theirs["model.shared.weight"].roll(1, dims=0)}
    for stack, names, layers in (("encoder", ENCODER, 2), ("decoder", DECODER, 3)):
        for number in range(layers):
            layer = f"{stack}.layers.{number}"
            weights |= {
                f"{layer}.{mine}.{kind}": from_theirs[f"model.{layer}.{name}.{kind}"]
                for mine, name in names.items()
                for kind in ("weight", "bias")
            }
    tied = {f"{side}_embedding.pieces.weight": weights["output.weight"] for side in ("source", "target")}
    ours.load_state_dict(weights | tied)
    for side, stack in ((ours.source_embedding, theirs.model.encoder), (ours.target_embedding, theirs.model.decoder)):
        side.positions = stack.embed_positions.weight
    return ours


@torch.no_grad()
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_the_logits_are_those_of_marian(activation):
    theirs = marian(activation)
    ours = carried(theirs)
    source = torch.randint(1, VOCAB, (3, 11)) * (torch.arange(11) < torch.tensor([[11], [7], [1]]))
    target = torch.cat([torch.zeros(3, 1, dtype=torch.long), torch.randint(1, VOCAB, (3, 12))], dim=1)
    their_source, their_target = (source - 1) % VOCAB, (target - 1) % VOCAB
    mask = (source != 0).long()
    expected = theirs(input_ids=their_source, attention_mask=mask, decoder_input_ids=their_target).logits
    torch.testing.assert_close(ours(source, target), expected.roll(1, dims=-1), atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_marians_positions_are_the_papers_with_the_sines_before_the_cosines():
    theirs = marian("relu").model.encoder.embed_positions.weight
    papers = positional_encoding(LONGEST, D_MODEL)
    torch.testing.assert_close(torch.cat([papers[:, 0::2], papers[:, 1::2]], dim=1), theirs)
