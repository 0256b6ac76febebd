"""The weights that a model needs besides its own: pretrained encoders, which lie beside it by what is in them.

A model names each asset by where it was found when it was trained, and says its digest. In the model's folder the asset
is ``assets/<digest>``; what lies there is used, whatever else is on the machine, and must have that digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ser_experiments.errors import InputError
from ser_experiments.features.assets import Asset, is_digest
from ser_experiments.features.extractor import get_extractors, set_of
from ser_experiments.files import Unreadable, read_json

#: The folder of assets in a model's folder.
ASSETS = "assets"
#: Sets with their parameters.
Sets = Sequence[tuple[str, Mapping[str, object]]]


def needed(about: Path) -> dict[str, Path]:
    """Return the files that a saved model's feature sets depend on, by where they belong in the model's folder.

    Parameters
    ----------
    about : Path
        The model's ``model.json``.

    Raises
    ------
    InputError
        The file cannot be read, or an asset is not on this machine.
    """
    try:
        meta = read_json(about)
        sets = [(str(name), dict(params)) for name, params in meta.get("sets", ())]
    except (Unreadable, ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{about}: does not say what the model is fed with; train it again") from error
    found: dict[str, Path] = {}
    for name, params in sets:
        for asset in get_extractors(name, **params)[0].measure.needs.assets.values():
            if isinstance(asset, Asset):
                found |= {f"{ASSETS}/{asset.digest}/{file}": path for file, path in asset.files.items()}
    return found


def found_beside(folder: Path, sets: Sets, identities: Iterable[Mapping[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """Return the sets of a model with the assets that lie in its folder in place of those of its training.

    Parameters
    ----------
    folder : Path
        The model's.
    sets : sequence of (str, mapping)
        As the model names them.
    identities : iterable of mapping
        What its extractors were, with the digests of their assets.
    """
    digests = {set_of(str(one["set"])): dict(one.get("assets", {})) for one in identities}
    placed = []
    for name, params in sets:
        inside = {
            asset: folder / ASSETS / one for asset, one in digests.get(set_of(name), {}).items() if is_digest(one)
        }
        here = {asset: str(path) for asset, path in inside.items() if path.is_dir()}
        placed.append((name, {**params, **here}))
    return placed
