"""One of our models as a MarianMT directory of Hugging Face's: same weights, same pieces.

Theirs is post-norm, its sinusoids stand [sin | cos] (ours in turns, so the model's axis is put in their order), and a
target begins with padding, whose vector is zero: the vector with which ours begins is added to its first position.
"""

import json
import math
import shutil
from pathlib import Path

import torch
from torch import Tensor
from transformers import GenerationConfig, MarianConfig, MarianMTModel

from regard.config import BOS, EOS, UNK
from regard.decoding.translator import Translator
from regard.weights import weights_of

ATTENTION = {"w_q": "q_proj", "w_k": "k_proj", "w_v": "v_proj", "w_o": "out_proj"}
LAYER = {"feed_forward.w_1": "fc1", "feed_forward.w_2": "fc2", "add_norm_1.norm": "self_attn_layer_norm"}
LAYER |= {f"self_attention.{ours}": f"self_attn.{theirs}" for ours, theirs in ATTENTION.items()}
ENCODER = LAYER | {"add_norm_2.norm": "final_layer_norm"}
DECODER = LAYER | {"add_norm_2.norm": "encoder_attn_layer_norm", "add_norm_3.norm": "final_layer_norm"}
DECODER |= {f"cross_attention.{ours}": f"encoder_attn.{theirs}" for ours, theirs in ATTENTION.items()}
NEVER = -1e4  # a logit that is never the best


def write_marian(translator: Translator, tokenizer_folder: Path, folder: Path) -> None:
    """Writes the directory. The model is post-norm with relu, sinusoids and one matrix for all vocabularies."""
    folder.mkdir(parents=True)
    model = _model(translator)
    model.save_pretrained(folder)
    pieces = translator.tokenizer.source.pieces(range(len(translator.tokenizer.source)))
    vocabulary = {piece: number for number, piece in enumerate([*pieces[1:], pieces[0]])}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    for side in ("source", "target"):
        shutil.copy(tokenizer_folder / "tokenizer.model", folder / f"{side}.spm")
    described = {
        "tokenizer_class": "MarianTokenizer", "source_lang": "en", "target_lang": "de", "eos_token": "</s>",
        "unk_token": "<unk>", "pad_token": "<pad>", "model_max_length": 512, "separate_vocabs": False,
    }  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(described), encoding="utf-8")


def _model(translator: Translator) -> MarianMTModel:
    ours, size = weights_of(translator.model), translator.config.model
    pieces = len(translator.tokenizer.target)
    config = MarianConfig(
        vocab_size=pieces, d_model=size.d_model, encoder_layers=size.n_encoder_layers,
        decoder_layers=size.n_decoder_layers, encoder_attention_heads=size.n_heads,
        decoder_attention_heads=size.n_heads, encoder_ffn_dim=size.d_ff, decoder_ffn_dim=size.d_ff,
        activation_function="relu", scale_embedding=True, max_position_embeddings=512, pad_token_id=pieces - 1,
        decoder_start_token_id=pieces - 1, eos_token_id=EOS - 1, forced_eos_token_id=None, dtype="float32",
    )  # fmt: skip
    theirs = MarianMTModel(config).eval()
    state = theirs.state_dict()
    order = torch.cat([torch.arange(0, size.d_model, 2), torch.arange(1, size.d_model, 2)])
    shared = ours["source_embedding.pieces.weight"].detach()[:, order].roll(-1, dims=0)
    shared[-1] = 0  # their padding, with which a target begins; ours has learned a vector from being an output
    named: dict[str, Tensor] = {
        name: shared for name in state if name.endswith(("embed_tokens.weight", "shared.weight"))
    }
    named["lm_head.weight"] = shared
    for stack, names, layers in (
        ("encoder", ENCODER, size.n_encoder_layers),
        ("decoder", DECODER, size.n_decoder_layers),
    ):
        for layer in (f"{stack}.layers.{number}" for number in range(layers)):
            for mine, name in names.items():
                for kind in ("weight", "bias"):
                    value = ours[f"{layer}.{mine}.{kind}"].detach()
                    named[f"model.{layer}.{name}.{kind}"] = _ordered(value, mine, kind, order)
    named["final_logits_bias"] = torch.zeros(1, pieces)
    named["final_logits_bias"][0, [UNK - 1, BOS - 1, pieces - 1]] = NEVER
    missing = theirs.load_state_dict(named, strict=False).missing_keys
    if unknown := [name for name in missing if "embed_positions" not in name]:
        raise SystemExit(f"as_marian: nothing of ours for {unknown}")
    with torch.no_grad():
        begins = ours["source_embedding.pieces.weight"][BOS, order]  # one matrix for all
        theirs.model.decoder.embed_positions.weight[0] += math.sqrt(size.d_model) * begins
    theirs._keys_to_ignore_on_save = None  # else the positions are left out
    theirs.generation_config = GenerationConfig(
        pad_token_id=pieces - 1, decoder_start_token_id=pieces - 1, eos_token_id=EOS - 1, length_penalty=1.0
    )
    return theirs


def _ordered(value: Tensor, name: str, kind: str, order: Tensor) -> Tensor:
    """The model's axis in their order, on each side on which the value has it."""
    part = name.rpartition(".")[2]
    if part in ("w_o", "w_2", "norm"):
        return value[order]
    return value[:, order] if kind == "weight" else value
