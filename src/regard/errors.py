"""The exceptions that are told in one line: what the user can mend, and a training that went wrong."""


class InputError(ValueError):
    """Something given by the user cannot be used: the message says what came, where, what was wanted, what to do."""


class DivergenceError(RuntimeError):
    """The loss of a training, or its weights, are no longer numbers."""
