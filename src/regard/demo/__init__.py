"""The bundled corpus and the first run."""
