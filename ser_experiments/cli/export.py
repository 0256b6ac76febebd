"""``ser export``: a model as a folder that predicts by itself."""

from __future__ import annotations

import click

from ser_experiments.cli._say import say


@click.command("export")
@click.argument("places", nargs=-1, required=True, metavar="[MODEL] FOLDER")
@click.option("--onnx", is_flag=True, help="Write the estimator as model.onnx too.")
@click.option("--container", is_flag=True, help="Write a Dockerfile of the server too.")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def command(places: tuple[str, ...], onnx: bool, container: bool, as_json: bool) -> None:
    """Export a model as a folder that predicts by itself.

    MODEL is a setting or registered name with @alias or /version, the id of a run, a URI or a folder; by default the
    only champion. FOLDER needs no MLflow and no network. It holds the model with the weights of its encoders, the code
    that it needs, predict.py, requirements.txt, a model card and the licences. It is made new, and answers once before
    it is there.
    """
    import json

    from ser_experiments.errors import InputError
    from ser_experiments.files import path_of
    from ser_experiments.serving.export import export_model
    from ser_experiments.tracking.loading import model_folder

    if len(places) > 2:
        raise InputError(f"export takes a model and a folder, got {len(places)} words; quote names with spaces")
    model, folder = places[0] if len(places) == 2 else None, path_of(places[-1])
    done = export_model(model_folder(model), folder, onnx=onnx, container=container)
    if as_json:
        say(json.dumps({"folder": str(folder), "bytes": done.n_bytes, "requirements": done.packages,
                        "experiment": done.about["experiment"], "setting": done.about["setting"]}))  # fmt: skip
        return
    say(f"{done.about['experiment']} of {done.about['setting']}: {folder}, {done.n_bytes / 1e6:.1f} MB")
    say(f"try it: python {folder / 'predict.py'} call.wav")
