"""The page of ``ser app``: record or upload speech, see label, probabilities, timeline and spectrogram."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gradio as gr

from ser_experiments.audio.stream import scan
from ser_experiments.cli import _uploads
from ser_experiments.errors import SerError
from ser_experiments.evaluation.plots import plot_timeline
from ser_experiments.evaluation.scoring import get_score
from ser_experiments.serving.audio_model import AudioModel
from ser_experiments.serving.bounds import PIECEWISE
from ser_experiments.serving.timeline import Timeline, timeline

#: A recording up to so many seconds is one utterance to the model; a longer one is answered by the timeline alone.
_UTTERANCE_S = 20.0
_ASK = "Record or upload speech, then press the button; the recording is deleted when it is answered."
_GONE = "The recording was deleted when it was answered; record or upload it again."
#: So many recordings wait.
_WAITING = 16


async def uploaded(path: str | Path | None) -> str | None:
    """Take a file of this machine, which Gradio has found among the uploads, and no address, which it would fetch.

    Raises
    ------
    gradio.Error
        It is an address.
    """
    if path is None or urlsplit(str(path)).scheme in ("http", "https"):
        raise gr.Error("Not a recording that was uploaded to this page.", print_exception=False)
    return str(path)


def build_page(model: AudioModel, folder: Path) -> tuple[gr.Blocks, dict[str, Any]]:
    """Return the page, not yet served, and how `launch` is to make it look.

    Parameters
    ----------
    model : AudioModel
        Answers for single recordings.
    folder : Path
        Of the uploads.
    """
    notes = "".join(f"\n\n**{note}**" for note in model.meta.get("notes", []))
    score = get_score(model.task.primary)
    tested = f"tested {score.title} {model.meta.get(score.name, float('nan')):.3f}"
    title = f"{model.meta['experiment']} of {model.meta['setting']}"
    with gr.Blocks(title="ser_experiments", analytics_enabled=False) as page:
        gr.Markdown(f"## Emotion of speech\n{title}; {tested}{notes}")
        with gr.Row():
            with gr.Column():
                audio = gr.Audio(
                    sources=["upload", "microphone"],
                    buttons=[],
                    type="filepath",
                    label="Speech",
                    elem_id="speech",
                )
                # A component of our own would have Gradio write a file beside this one.
                audio.async_move_resource_to_block_cache = uploaded  # type: ignore[method-assign, assignment]
                button = gr.Button("Hear the emotion", variant="primary", elem_id="hear")
            with gr.Column():
                label = gr.Label(label="Emotion", num_top_classes=len(model.task.targets), elem_id="emotion")
                words = gr.Markdown(_ASK, elem_id="words")
        picture = gr.Plot(label="Emotion over time", show_label=False, elem_id="timeline")
        table = gr.Dataframe(label="Emotion over time", interactive=False, elem_id="steps")

        def hear(path: str | None) -> tuple[Any, ...]:
            try:
                return answer(model, path)
            finally:
                if path is not None:
                    _uploads.delete(path, folder)

        button.click(hear, inputs=audio, outputs=[label, words, picture, table], api_name="hear")
    # Models are asked one after the other, and more than a few people do not wait.
    page.queue(max_size=_WAITING, default_concurrency_limit=1)
    # The fonts of the system: the default ones would be fetched from elsewhere.
    looks = {"theme": gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["monospace"])}
    return page, looks


def answer(model: AudioModel, path: str | None) -> tuple[Any, ...]:
    """Return probabilities, words, picture and table of a recording; of a bad one only words."""
    if path is None:
        return None, _ASK, None, None
    if not Path(path).is_file():
        return None, _GONE, None, None
    try:
        length_s = scan(path, PIECEWISE).duration_s
        line = timeline(model, path)
        whole: dict[str, Any] = {"probabilities": None, "warnings": [], "error": ""}
        if length_s <= _UTTERANCE_S:
            (whole,) = model.predict([path])
    except SerError as error:
        return None, _without_path(str(error), path), None, None
    if whole["error"]:
        return None, _without_path(whole["error"], path), None, None
    figure = plot_timeline(line.table, line.waveform, line.spectrogram, "")
    return whole["probabilities"] or _overall(line, model), _words(length_s, whole["warnings"]), figure, _shown(line)


def _overall(line: Timeline, model: AudioModel) -> dict[str, float] | None:
    """Return the mean of the steps in which somebody speaks, weighted by how much."""
    spoken = line.table[line.table["label"] != ""]
    if spoken.empty:
        return None
    weights = spoken["speech"] / spoken["speech"].sum()
    mean = model.task.values(spoken).T @ weights.to_numpy()
    return {name: float(value) for name, value in zip(model.task.targets, mean, strict=True)}


def _words(length_s: float, warnings: list[str]) -> str:
    said = f"{length_s:.1f} s of audio."
    if length_s > _UTTERANCE_S:
        said += " It is longer than an utterance, so the emotion above is the mean over the timeline."
    if warnings:
        said += f" It is unlike the recordings learned from: {'; '.join(warnings)}."
    return said


def _shown(line: Timeline) -> Any:
    shown = line.table.rename(columns={"start_s": "from s", "end_s": "to s"}).round(2)
    return shown.assign(label=shown["label"].replace("", "no speech"))


def _without_path(message: str, path: str) -> str:
    # The name of a temporary file says nothing to who uploaded it.
    return message.replace(path, "The recording")
