"""Text on its way into the model: reading it, splitting it into pieces, keeping it, putting it into batches."""
