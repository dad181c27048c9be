"""The Transformer, a file for each part of Figure 1."""
