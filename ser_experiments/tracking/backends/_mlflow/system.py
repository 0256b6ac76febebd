"""Processor, memory and disk of this machine as metrics of a run, on request."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_WANTED = "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING"


@contextmanager
def system_metrics(run_id: str) -> Iterator[None]:
    """Log ``system/...`` metrics while it lasts, if ``MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING`` is true."""
    if os.environ.get(_WANTED, "").lower() not in {"true", "1"}:
        yield
        return
    from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

    monitor = SystemMetricsMonitor(run_id)
    monitor.start()
    try:
        yield
    finally:
        monitor.finish()
