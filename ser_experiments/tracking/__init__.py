"""Tracking: the only place that knows MLflow."""

import os

# Before mlflow is imported: no report to its makers, and its housekeeping is nobody's result.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

from ser_experiments.tracking.audio_model import AudioModel, load_folder, save_model
from ser_experiments.tracking.environment import environment, git_state, package_versions
from ser_experiments.tracking.run import Run, start
from ser_experiments.tracking.store import connect, tracking_uri

__all__ = [
    "AudioModel",
    "Run",
    "connect",
    "environment",
    "git_state",
    "load_folder",
    "package_versions",
    "save_model",
    "start",
    "tracking_uri",
]
