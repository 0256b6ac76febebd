"""Speech emotion recognition experiments that are one command, comparable and honest.

The names below are imported when they are first used, so that importing the package costs nothing.
"""

import lazy_loader

#: The one place that says it: the package that is built, `ser --version` and what runs record take it from here.
__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "corpora": ["load_corpus"],
        "errors": ["AudioError", "InputError", "LeakError", "SerError", "StoreError"],
        "experiment": ["build_estimator", "load_experiment", "run_experiment"],
        "tracking.loading": ["load_model"],
        "serving.timeline": ["timeline"],
        "features": ["extract", "feature_table"],
    },
)
