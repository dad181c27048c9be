"""The one exception that is the user's to mend."""


class InputError(ValueError):
    """Something given by the user cannot be used: the message says what came, where, what was wanted, what to do."""
