"""What a model is: a function that builds one scikit-learn estimator for a feature table.

Each file of :mod:`ser_experiments.models.zoo` holds one family as ``SPEC = ModelSpec(...)``.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from sklearn.base import BaseEstimator

from ser_experiments import plugins
from ser_experiments.errors import InputError

if TYPE_CHECKING:
    from ser_experiments.features.extractor import Extractor

ZOO = "ser_experiments.models.zoo"
#: The extra that a requirement belongs to.
_OF_EXTRA = re.compile(r"extra == [\"'](\w+)")


class FitIdentity:
    """What a class of estimators says of its fits besides its parameters; a family says the same in its spec."""

    #: Changed whenever equal rows and parameters give other numbers.
    version: ClassVar[str] = "1"
    #: Distributions, besides scikit-learn, numpy and scipy, whose versions can change a number.
    libraries: ClassVar[tuple[str, ...]] = ()
    #: Parameters, besides scikit-learn's ``n_jobs`` and ``verbose``, that change no number.
    without_effect: ClassVar[tuple[str, ...]] = ()

    def builds(self) -> BaseEstimator | None:
        """Return the unfitted estimator that a fit builds from plain parameters; None where parameters hold it."""
        return None


@dataclass(frozen=True)
class Learning:
    """How a family learns one of the things that can be learned.

    Parameters
    ----------
    build : callable
        ``build(**params)`` returns the bare, unfitted estimator: scikit-learn's contract.
    params : callable
        Returns the names that ``build`` accepts.
    estimator : str
        Where the class that it builds is imported from.
    without : sequence of str
        Parameters of the family that mean nothing here: they are left out.
    several : bool
        Of numbers, whether one fit learns all targets; otherwise there is one a target.
    matched : bool
        Of numbers, whether the answers are stretched to the spread of the truth, as inner folds show it, where the
        definition does not say.
    """

    build: Callable[..., BaseEstimator]
    params: Callable[[], Sequence[str]]
    estimator: str
    without: tuple[str, ...] = ()
    several: bool = False
    matched: bool = False


@dataclass(frozen=True)
class Regression(Learning):
    """How a family learns numbers instead of classes.

    It is fitted on truth of mean 0 and standard deviation 1, of shape (n_rows, n_targets) where it takes `several` and
    else (n_rows,). Weights of classes mean nothing to it. By default its answers are `matched`: squared errors answer
    too near the mean, which CCC counts as a mistake. Networks with a loss that does it by itself do without.
    """

    without: tuple[str, ...] = ("class_weight",)
    matched: bool = True


@dataclass(frozen=True)
class ModelSpec:
    """One family of models.

    Parameters
    ----------
    build : callable
        ``build(**params)`` returns the bare, unfitted classifier: scikit-learn's contract, string labels accepted,
        ``predict_proba`` in the order of ``classes_``. Row models take a 2-D float array, array models a sequence
        of arrays of shape (n_frames, n_columns).
    params : callable
        Returns the names that ``build`` accepts.
    estimator : str
        Where the class that it builds is imported from, e.g. ``"sklearn.svm.SVC"``.
    version : str
        Changed whenever equal rows and parameters give other numbers: fits of another version are not served.
    libraries : sequence of str
        Distributions, besides scikit-learn, numpy and scipy, whose versions can change a number; ``"a|b"`` is
        whichever is installed.
    without_effect : sequence of str
        Parameters, besides scikit-learn's ``n_jobs`` and ``verbose``, that change no number.
    regression : Regression, optional
        How it learns numbers; without it, it is for classes alone.
    layout : {"row", "array"}
        What it takes: functionals, or one array over time an utterance.
    reads_group : bool
        Whether the classifier wants the table as a DataFrame that still holds the ``group`` column, to hold out
        groups of the training rows itself (early stopping). It must drop the column and do without it.
    takes_normalized : bool
        Whether its columns may be normalised by speaker; blocks of an encoder take hidden states as they are.
    from_features : callable, optional
        Takes what a definition's feature sets stand for and returns parameters that follow from it, such as the encoder
        that frames are of; what the definition says itself wins. An InputError says what it can be fed with.
    trusted_types : sequence of str
        The types, besides skops's own, that a saved model of this family holds. Constant: a file never adds to it.
    guard : callable, optional
        Called before a saved model that names one of these types is read: where reading already hands what is in the
        file to compiled code, it sees to it that this is checked first.
    checks : sequence of (str, callable)
        By a type's dotted name, what looks at each such object of a model that was read, before it is asked anything;
        a ValueError says what is wrong with it. For what compiled code follows without a look.
    """

    build: Callable[..., BaseEstimator]
    params: Callable[[], Sequence[str]]
    estimator: str
    version: str = "1"
    libraries: tuple[str, ...] = ()
    without_effect: tuple[str, ...] = ()
    regression: Regression | None = None
    layout: Literal["row", "array"] = "row"
    reads_group: bool = False
    takes_normalized: bool = True
    from_features: Callable[[Sequence[Extractor]], Mapping[str, object]] | None = None
    trusted_types: tuple[str, ...] = ()
    guard: Callable[[], None] | None = None
    checks: tuple[tuple[str, Callable[[Any], None]], ...] = ()

    @property
    def ways(self) -> Mapping[str, Learning]:
        """Return how it learns labels and, where it can, numbers."""
        numbers = {} if self.regression is None else {"numbers": self.regression}
        return {"labels": Learning(self.build, self.params, self.estimator), **numbers}


def model_names() -> list[str]:
    """List the families there are, without importing them."""
    return plugins.names(ZOO)


def get_model(name: str) -> ModelSpec:
    """Return the family of that name.

    Raises
    ------
    InputError
        No such family; the nearest name is given.
    """
    spec: ModelSpec = plugins.load(ZOO, name, "model", holds="SPEC").SPEC
    return spec


def check_libraries(name: str) -> None:
    """Refuse a family whose libraries are not installed, before anything is measured for it.

    Raises
    ------
    InputError
        It says what is missing, and how it comes here.
    """
    for library in get_model(name).libraries:
        if not any(_is_installed(one) for one in library.split("|")):
            raise InputError(f"model: {name!r} needs {missing(library.partition('|')[0])}")


def missing(library: str) -> str:
    """Say that a distribution is not here, and by which extra of ours it comes."""
    try:
        lines = metadata.requires("ser_experiments") or []
    except metadata.PackageNotFoundError:
        lines = []
    extras = [_OF_EXTRA.search(line) for line in lines if re.match(rf"{re.escape(library)}(?![\w.-])", line)]
    wanted = next((f"'ser_experiments[{one[1]}]'" for one in extras if one), library)
    return f"{library}, which is not here; say pip install {wanted}"


def _is_installed(distribution: str) -> bool:
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True


def families() -> Iterator[tuple[str, ModelSpec]]:
    """Yield every family by name; what cannot be imported is left out."""
    for name, module in plugins.each(ZOO, "model", holds="SPEC"):
        yield name, module.SPEC


@plugins.remembered
def families_of(kind: type) -> dict[str, ModelSpec]:
    """Return the families that build estimators of a class, by name."""
    return {
        name: spec for name, spec in families() if any(_is_imported(way.estimator, kind) for way in spec.ways.values())
    }


def _is_imported(path: str, kind: type) -> bool:
    """Say whether a dotted path is a class that exists already; no library is imported to find out."""
    module, _, name = path.rpartition(".")
    return module.partition(".")[0] in sys.modules and getattr(importlib.import_module(module), name) is kind
