"""Names in a folder of JSON files."""

from __future__ import annotations

from ser_experiments.project import Project
from ser_experiments.tracking.backends._json.files import RUN, SETTING, read
from ser_experiments.tracking.known import MOST_RUNS, Known


def known(project: Project) -> Known:
    """Return the names in a project's folder of JSON files."""
    folder = project.mlruns / "json"
    settings = tuple(str(read(path)["name"]) for path in sorted((folder / "settings").glob(f"*/{SETTING}")))
    files = sorted((folder / "settings").glob(f"*/*/{RUN}"), key=lambda path: -path.stat().st_mtime)[:MOST_RUNS]
    runs = tuple((path.parent.name[:8], "") for path in files)
    models: list[tuple[str, str]] = []
    for place in sorted((folder / "models").glob("*")):
        aliases = read(place / "aliases.json") if (place / "aliases.json").is_file() else {}
        models += [(f"{place.name}@{alias}", f"version {version}") for alias, version in sorted(aliases.items())]
        models += [(f"{place.name}/{path.stem}", "version") for path in sorted(place.glob("[0-9]*.json"))]
    return Known(settings, runs, tuple(models))
