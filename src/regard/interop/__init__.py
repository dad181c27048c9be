"""Our models in other programs, and other programs' models in ours."""
