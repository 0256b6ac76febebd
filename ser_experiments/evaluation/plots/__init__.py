"""Pictures of runs, readable without the code; one file each."""

from ser_experiments.evaluation.plots._picture import Picture, pictures_of
from ser_experiments.evaluation.plots.calibration import plot_calibration
from ser_experiments.evaluation.plots.choices import plot_choices
from ser_experiments.evaluation.plots.confusion import plot_confusion
from ser_experiments.evaluation.plots.enrolment import plot_enrolment
from ser_experiments.evaluation.plots.groups import plot_groups
from ser_experiments.evaluation.plots.importance import plot_importance
from ser_experiments.evaluation.plots.ladder import plot_ladder
from ser_experiments.evaluation.plots.layer_weights import plot_layer_weights
from ser_experiments.evaluation.plots.leaderboard import plot_leaderboard, say_leaderboard
from ser_experiments.evaluation.plots.learning import plot_learning
from ser_experiments.evaluation.plots.plane import plot_plane
from ser_experiments.evaluation.plots.predicted_vs_true import plot_predicted_vs_true
from ser_experiments.evaluation.plots.recordings import plot_recordings
from ser_experiments.evaluation.plots.reliability import plot_reliability
from ser_experiments.evaluation.plots.residuals import plot_residuals
from ser_experiments.evaluation.plots.risk_coverage import plot_risk_coverage
from ser_experiments.evaluation.plots.spectrograms import plot_spectrograms
from ser_experiments.evaluation.plots.table_map import plot_map
from ser_experiments.evaluation.plots.timeline import plot_timeline
from ser_experiments.evaluation.plots.transfer import plot_transfer

__all__ = [
    "Picture",
    "pictures_of",
    "plot_calibration",
    "plot_choices",
    "plot_confusion",
    "plot_enrolment",
    "plot_groups",
    "plot_importance",
    "plot_ladder",
    "plot_layer_weights",
    "plot_leaderboard",
    "plot_learning",
    "plot_map",
    "plot_plane",
    "plot_predicted_vs_true",
    "plot_recordings",
    "plot_reliability",
    "plot_residuals",
    "plot_risk_coverage",
    "plot_spectrograms",
    "plot_timeline",
    "plot_transfer",
    "say_leaderboard",
]
