"""The Transformer you can see through: from two text files to a translator, with every number open to the eye."""

from typing import TYPE_CHECKING, Any

from regard.errors import InputError

if TYPE_CHECKING:
    from regard.decoding.translator import Translation, Translator
    from regard.interop.engines import load
    from regard.looking.trace import Trace

__version__ = "0.1.0"
__all__ = ["InputError", "Trace", "Translation", "Translator", "__version__", "load"]


def __getattr__(name: str) -> Any:
    """What needs more than the standard library is imported when it is first asked for."""
    if name == "load":
        from regard.interop.engines import load

        return load
    if name in ("Translation", "Translator"):
        from regard.decoding import translator

        return getattr(translator, name)
    if name == "Trace":
        from regard.looking.trace import Trace

        return Trace
    raise AttributeError(f"module 'regard' has no attribute '{name}'")
