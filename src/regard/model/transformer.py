"""The Transformer: Figure 1, whole."""

from regard.config import ModelConfig
from regard.model.decoder import Decoder
from regard.model.encoder import Encoder
from regard.model.encoder_decoder import EncoderDecoder


class Transformer(EncoderDecoder):
    """An encoder and a decoder of the same structure and different weights: all pieces of a side at once."""

    encoder: Encoder
    decoder: Decoder

    def __init__(self, config: ModelConfig, source_vocabulary: int, target_vocabulary: int, joint: bool = True) -> None:
        super().__init__(config, source_vocabulary, target_vocabulary)
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.complete(joint)
