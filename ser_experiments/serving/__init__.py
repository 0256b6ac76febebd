"""Serving: the model in use. Audio or a table's rows in, answers out; it knows no tracker."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "audio_model": ["AudioModel"],
        "folder": ["load_folder", "save_model"],
        "table_model": ["TableModel"],
    },
)
