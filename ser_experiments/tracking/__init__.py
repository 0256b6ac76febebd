"""Tracking: what runs leave is logged to a store, read from it, and registered there; which store, a backend says."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "backend": ["Backend", "connect", "existing"],
        "environment": ["environment"],
        "record": ["Child", "Dataset", "RunRecord"],
        "run": ["Run", "open_store", "start"],
        "view": ["View"],
    },
)
