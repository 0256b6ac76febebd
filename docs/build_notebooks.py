"""Run the notebooks of ``docs/notebooks/`` in an empty project each, and keep what they show."""

from __future__ import annotations

import base64
import io
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import nbformat
from nbclient import NotebookClient
from PIL import Image

HERE = Path(__file__).parent
NOTEBOOKS, DEFINITIONS = HERE / "notebooks", HERE.parent / "experiments"
#: Seconds that a cell may take.
PATIENCE_S = 300
#: Pixels and colours of pictures that are kept.
WIDEST, COLOURS = 900, 64


def executed(path: Path, folder: Path) -> Any:
    """Return a notebook with what it shows when it is run from top to bottom.

    Parameters
    ----------
    path : Path
        The notebook, which is left alone.
    folder : Path
        Is made a project with the shipped definitions, and is the current folder of the kernel.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        A cell failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ser.toml").touch()
    shutil.copytree(DEFINITIONS, folder / "experiments", dirs_exist_ok=True)
    notebook = nbformat.read(path, as_version=4)
    # The package of this tree, wherever the kernel is started.
    paths = os.pathsep.join([str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    client = NotebookClient(notebook, timeout=PATIENCE_S, resources={"metadata": {"path": str(folder)}})
    with mock.patch.dict(os.environ, {"PYTHONPATH": paths}):
        return client.execute()


def plain(notebook: Any, folder: Path) -> Any:
    """Return a notebook without what differs from run to run: times, ids of cells' messages, where its project lay."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.outputs = [one for one in cell.outputs if one.get("name") != "stderr"]
            for one in cell.outputs:
                shown = one.get("data", {})
                shown |= {kind: text.replace(str(folder), folder.name) for kind, text in shown.items()}
                if "image/png" in shown:
                    shown["image/png"] = lighter(shown["image/png"])
    return notebook


def lighter(png: str) -> str:
    """Return a picture, in base64, of so many colours as it needs to be read."""
    written = io.BytesIO()
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    picture.thumbnail((WIDEST, WIDEST))
    picture.quantize(COLOURS).save(written, "PNG", optimize=True)
    return base64.b64encode(written.getvalue()).decode("ascii")


def main() -> None:
    """Write all of them anew."""
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary).resolve() / "project"
            nbformat.write(plain(executed(path, folder), folder), path)
        print(path, path.stat().st_size // 1024, "KiB")


if __name__ == "__main__":
    main()
