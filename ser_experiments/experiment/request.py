"""What a user may say of a run, in three frozen values, each with what the one before has.

:class:`CorpusRequest` chooses rows, :class:`SettingRequest` a protocol on them, :class:`RunRequest` an experiment under
it. The command makes its options from their fields (:mod:`ser_experiments.cli._options`), so that a new field is an
option of every command that takes it. Nothing heavy is imported here: ``ser --help`` reads this module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

if TYPE_CHECKING:
    import os

    import pandas as pd

    from ser_experiments.corpora import Corpus

    #: A corpus as somebody says it.
    Said: TypeAlias = str | os.PathLike[str] | pd.DataFrame | Corpus
else:
    Said = Any


@dataclass(frozen=True)
class Option:
    """How a field of a request is said on the command line; stands in the field's annotation.

    Parameters
    ----------
    help : str
        One sentence.
    flag : str
        The option where it is not the field's name.
    metavar : str
        What stands for the value in the help.
    least : int, optional
        The smallest whole number allowed.
    """

    help: str
    flag: str = ""
    metavar: str = ""
    least: int | None = None


@dataclass(frozen=True, kw_only=True)
class CorpusRequest:
    """Which utterances.

    Parameters
    ----------
    corpus : str, path, DataFrame or Corpus, or sequence of such
        A name that ``ser corpora list`` shows, ``NAME=ROOT``, a root, a table as
        :func:`~ser_experiments.load_corpus` takes it, or what that returns; several are pooled. By default the corpus
        that lies under the root, without one the demo.
    root : path, optional
        Where it lies; by default ``SER_<CORPUS>_ROOT`` or ``ser.toml``.
    labels, subset : str, optional
        Label scheme and scenario; by default the corpus's first.
    map : sequence of "word=class" or mapping
        Words of the corpus to the classes that they count as; a part of the setting, like `drop`.
    drop : sequence of str
        Words of the corpus that are left out.
    as_spelled : bool
        Whether names that differ in their spelling alone are two speakers.
    corpus_options : mapping
        What the corpus's reader takes besides; on the command line the options of the corpus that is named.
    """

    corpus: Annotated[
        Said | Sequence[Said],
        Option(
            "`ser corpora list` shows it and its options; by default what lies under --root, without one the demo. "
            "Given several times, corpora are pooled.",
            metavar="NAME|NAME=ROOT",
        ),
    ] = ()
    root: Annotated[str | Path | None, Option("Where it lies: a folder, or the CSV file of a manifest.")] = None
    labels: Annotated[str | None, Option("Label scheme, e.g. 4class; see `ser corpora list`.")] = None
    subset: Annotated[str | None, Option("all, improvised or scripted.")] = None
    map: Annotated[
        Sequence[str] | Mapping[str, str],
        Option("Count a word as another class: joy=happy. May be given several times.", metavar="WORD=CLASS"),
    ] = ()
    drop: Annotated[
        Sequence[str], Option("Leave out the utterances of a word. May be given several times.", metavar="WORD")
    ] = ()
    as_spelled: Annotated[bool, Option("Speakers S3 and s03 are two, not one in two spellings.")] = False
    corpus_options: Mapping[str, object] = field(default_factory=dict)

    @property
    def corpora(self) -> tuple[Said, ...]:
        """Return the corpora that are named, as they were said."""
        said: Any = self.corpus
        if isinstance(said, list | tuple):
            return tuple(said)
        return () if said is None else (said,)


@dataclass(frozen=True, kw_only=True)
class SettingRequest(CorpusRequest):
    """Which utterances are tested by what was trained on which, and what is taken out by speaker.

    Parameters
    ----------
    protocol : str, optional
        By default leave-one-session-out where sessions are known, else leave-one-speaker-out; transfer where another
        corpus is tested.
    folds_file : path, optional
        A list of ``utterance_id``, or of files, and ``fold`` instead of a protocol, as
        :func:`ser_experiments.evaluation.lists.read_list` reads it.
    allow_leak : bool
        Whether a speaker may be in several of these folds; then the score is marked as leaky.
    test_corpus : str, path, DataFrame or Corpus, optional
        Another corpus, on which what was trained on the first is tested: nothing of it enters training or tuning.
    test_root : path, optional
        Where that lies.
    n_splits : int
        Folds of grouped-k-fold and random.
    normalize : str
        ``none``, ``neutral-K``, ``enrol-K`` or ``speaker``.
    """

    protocol: Annotated[
        str | None,
        Option(
            "leave-one-session-out, leave-one-speaker-out, leave-one-speaker-and-text-out, grouped-k-fold, official, "
            "published:NAME, or random (leaks)."
        ),
    ] = None
    folds_file: Annotated[
        str | Path | None,
        Option("Folds of your own or of others: utterance_id or path, and fold.", metavar="FILE"),
    ] = None
    allow_leak: Annotated[
        bool, Option("Take such folds, or published ones, though speakers are in several; mark the score.")
    ] = False
    test_corpus: Annotated[
        Said | None, Option("Test on this corpus instead, with what was trained on the first (protocol transfer).")
    ] = None
    test_root: Annotated[str | Path | None, Option("Where the tested corpus lies.")] = None
    n_splits: Annotated[int, Option("Folds of grouped-k-fold and random.", flag="folds", least=2)] = 5
    normalize: Annotated[
        str, Option("none, neutral-K, enrol-K or speaker: what is taken out by speaker, and asked of a tested one.")
    ] = "none"


@dataclass(frozen=True, kw_only=True)
class RunRequest(SettingRequest):
    """An experiment under a setting.

    Parameters
    ----------
    experiment : str or path
        A file of ``experiments/`` or of the shipped definitions without ``.toml``; or any file that ends in it.
    table : path, optional
        A ready-made CSV or Parquet of features instead of the experiment's feature sets.
    allow_columns : sequence of str
        Columns of that table that are taken whatever they tell.
    overrides : sequence of "key=value" or mapping
        Changes of the definition.
    weights : str, optional
        ``agreement`` weighs each training row by the share of its raters that agree.
    seed : int
        Of everything random.
    jobs : int, optional
        Processes; by default one a core. Scores do not depend on it.
    scheduler : str, optional
        Address of a Dask scheduler, by default ``DASK_SCHEDULER_ADDRESS``. Scores do not depend on it.
    skip_bad : bool
        Go on without unusable recordings.
    no_pictures : bool
        Log everything but pictures, which are drawn after all else; the tables beside them are logged.
    """

    experiment: str | Path
    table: Annotated[
        str | Path | None,
        Option("A ready-made CSV or Parquet of features by utterance id, or s3://... of one.", metavar="FILE|URL"),
    ] = None
    allow_columns: Annotated[
        Sequence[str],
        Option("Take this column of the table, whatever it tells.", flag="allow-column", metavar="NAME"),
    ] = ()
    overrides: Annotated[
        Sequence[str] | Mapping[str, object],
        Option("Change the definition: model.max_depth=6.", flag="set", metavar="KEY=VALUE"),
    ] = ()
    weights: Annotated[
        str | None,
        Option("agreement: training rows weigh more where raters agree. By default all weigh alike."),
    ] = None
    seed: Annotated[int, Option("Seed of everything random.", least=0)] = 0
    jobs: Annotated[int | None, Option("Processes; by default one a core. Scores do not depend on it.", least=1)] = None
    scheduler: Annotated[
        str | None, Option("A Dask scheduler, by default $DASK_SCHEDULER_ADDRESS: docs/scaling.md.")
    ] = None
    skip_bad: Annotated[bool, Option("Go on without unusable recordings, and record which.")] = False
    no_pictures: Annotated[bool, Option("Log everything but pictures.")] = False
