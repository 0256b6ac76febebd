"""Experiments: a definition, a setting, a run."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "definition": ["Experiment", "load_experiment"],
        "estimator": ["build_estimator"],
        "lookup": ["experiment_names"],
        "result": ["Prepared", "Result"],
        "run": ["prepare", "run_experiment", "score"],
    },
)
