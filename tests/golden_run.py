"""Make the predictions of ``tests/golden`` in the current project folder: ``python -m tests.golden_run FOLDER``."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pandas as pd

GOLDEN = Path(__file__).parent / "golden"
RUNS = [
    ("svm_lld", "demo"),
    ("xgb_lld", "demo"),
    ("svm_lld_tuned", "demo"),
    ("average_tables", "demo"),
    ("stack_tables", "demo"),
    ("cnn_melspec", "demo"),
    ("svm_lld", "emodb4"),
    ("lgbm_lld", "emodb4"),
]
#: Four epochs say as much of the code as forty.
CHANGES = {"cnn_melspec": {"model.n_epochs": 4}}


def predict(experiment: str, corpus: str, speech: Path | None) -> pd.DataFrame:
    """Run an experiment without logging it and return its out-of-fold predictions."""
    from ser_experiments import run_experiment

    where: dict[str, Any] = {} if speech is None else {"corpus": "manifest", "root": speech / corpus}
    changes = CHANGES.get(experiment, {})
    return run_experiment(experiment, log_run=False, jobs=1, overrides=changes, **where).predictions


def machine() -> dict[str, Any]:
    """Return what the last bits of linear algebra depend on: the kernels chosen for this processor, and versions."""
    import numpy as np
    import scipy.linalg  # noqa: F401 -- loads the library that is asked
    import sklearn
    import torch
    from threadpoolctl import threadpool_info

    kernels = sorted({f"{one['internal_api']} {one.get('architecture', '')}" for one in threadpool_info()})
    versions = {"numpy": np.__version__, "scikit-learn": sklearn.__version__, "torch": torch.__version__}
    return {"kernels": kernels, "torch": torch.backends.cpu.get_cpu_capability(), "versions": versions}


def main() -> None:
    """Write everything to a folder."""
    folder = Path(sys.argv[1])
    speech = Path(os.environ["SER_TEST_CORPORA"])
    for experiment, corpus in RUNS:
        found = predict(experiment, corpus, None if corpus == "demo" else speech)
        found.to_parquet(folder / f"{experiment}@{corpus}.parquet")
    (folder / "machine.json").write_text(json.dumps(machine(), indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
