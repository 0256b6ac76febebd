"""Where models that were logged before ``serving`` stood apart say that they are loaded from; see that package."""

# Their MLmodel names this module as its loader, and what is registered must stay usable.
from ser_experiments.serving.pyfunc import _load_pyfunc

__all__ = ["_load_pyfunc"]
