"""What definitions and commands want of feature sets by name: checked, fetched, resolved to single outputs.

The file of a set may hold, besides ``extractor``, a function ``fetch(*, progress=None, **params)``. It brings what the
set is made of where building it raised :class:`~ser_experiments.features.assets.AssetAway`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

from ser_experiments import plugins
from ser_experiments.features.assets import AssetAway
from ser_experiments.features.extractor import (
    SETS,
    SLASH,
    Extractor,
    factory_of,
    get_extractors,
    get_measure,
    params_of,
    set_of,
)
from ser_experiments.features.measure import Measure
from ser_experiments.features.progress import Callback
from ser_experiments.features.views import AT, check_view


def offered(set_name: str, **params: object) -> dict[str, list[Extractor]]:
    """Return what a set offers by name: its outputs, or the names that stand for several of them."""
    measure = get_measure(set_name, **params)
    if not measure.stands_for:
        return {one.name: [one] for one in Extractor(measure).outputs}
    names = [f"{set_name}{SLASH}{name}" if name else set_name for name in measure.stands_for]
    return {name: get_extractors(name, **params) for name in names}


def resolved(name: str, params: Mapping[str, object]) -> dict[str, dict[str, object]]:
    """Return the outputs that a name stands for, each by its own name, with the parameters that build it.

    Parameters that only choose outputs are gone, so that two who chose differently agree on every output they share.
    """
    return {
        one.name: {
            **{key: value for key, value in params.items() if key not in one.measure.chooses},
            # Where an asset lies is told as it was found, so that it is found again.
            **{key: one.measure.params[key] for key in one.measure.needs.assets if key in one.measure.params},
        }
        for one in get_extractors(name, **params)
    }


def measures_of(sets: Mapping[str, Mapping[str, object]]) -> dict[str, Measure]:
    """Return the measures of extractors, each once, by the name of their set.

    Parameters
    ----------
    sets : mapping of str to mapping
        Parameters by extractor.
    """
    return {set_of(name): get_measure(set_of(name), **params) for name, params in sets.items()}


def check_name(name: str, params: Mapping[str, object]) -> None:
    """Refuse a name or a parameter that there is not, at the least cost: a set is built to know its outputs only.

    Parameters
    ----------
    name : str
        As for :func:`get_extractor`.
    params : mapping
        Parameters of the set.

    Raises
    ------
    InputError
        No such set, output, view or parameter; the nearest name is given.
    """
    plain, at, view = name.partition(AT)
    factory_of(set_of(name), params)
    if at:
        check_view(view)
    if SLASH in plain:
        # Which outputs an encoder has is known once it is here.
        with suppress(AssetAway):
            get_extractors(plain, **params)


def fetch(
    names: Iterable[str], params: Mapping[str, Mapping[str, object]], *, progress: Callback | None = None
) -> None:
    """Fetch what sets are made of and is not on this machine, by the function ``fetch`` of their files, if any.

    Parameters
    ----------
    names : iterable of str
        Of extractors.
    params : mapping
        Parameters by set where they differ from the defaults.
    progress : callable, optional
        Told how far it is.

    Raises
    ------
    InputError
        It cannot be had.
    """
    for name in names:
        given = params_of(name, params)
        try:
            get_measure(set_of(name), **given)
        except AssetAway:
            bring = getattr(plugins.load(SETS, set_of(name), "feature set"), "fetch", None)
            if bring is None:
                raise
            bring(progress=progress, **given)
