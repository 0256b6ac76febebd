# What the package offers by name: read at run time, by editors and by type checkers.
from .corpora._corpus import Corpus
from .corpora._load import load_corpus
from .errors import AudioError, InputError, LeakError, SerError, StoreError
from .experiment.comparing import compare_results
from .experiment.definition import Experiment, load_experiment
from .experiment.estimator import build_estimator
from .experiment.result import Result
from .experiment.run import run_experiment
from .features.single import extract
from .features.table import feature_table
from .serving.audio_model import AudioModel
from .serving.timeline import Timeline, timeline
from .tracking.loading import load_model

__version__: str

__all__ = [
    "AudioError",
    "AudioModel",
    "Corpus",
    "Experiment",
    "InputError",
    "LeakError",
    "Result",
    "SerError",
    "StoreError",
    "Timeline",
    "build_estimator",
    "compare_results",
    "extract",
    "feature_table",
    "load_corpus",
    "load_experiment",
    "load_model",
    "run_experiment",
    "timeline",
]
