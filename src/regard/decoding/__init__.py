"""From what a model believes of the next piece to a whole target: searching, sampling, translating."""
