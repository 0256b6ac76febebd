"""The page of ``ser app``: record or upload speech, see the answer, its timeline and the spectrogram."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gradio as gr

from ser_experiments.audio.stream import scan
from ser_experiments.cli import _uploads
from ser_experiments.cli._abstain import unsure
from ser_experiments.cli._live_page import PAGE
from ser_experiments.cli._page_answers import STYLE, answered, changes, described, pictured
from ser_experiments.cli._pictures import looks
from ser_experiments.errors import SerError
from ser_experiments.evaluation.plots import plot_plane, plot_timeline
from ser_experiments.evaluation.scoring import get_score
from ser_experiments.serving.audio_model import AudioModel
from ser_experiments.serving.bounds import PIECEWISE
from ser_experiments.serving.timeline import Timeline, timeline
from ser_experiments.words import as_people_write

#: A recording up to so many seconds is one utterance to the model; a longer one is answered by the timeline alone.
_UTTERANCE_S = 20.0
_ASK = "Record or upload speech, then press the button; the recording is deleted when it is answered."
_GONE = "The recording was deleted when it was answered; record or upload it again."
_LIVE = f'<iframe src="{PAGE}" allow="microphone" loading="lazy" title="Emotion while you speak" id="live"></iframe>'
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
    title = f"{model.meta['experiment']} of {model.meta['setting']}{_tested(model)}"
    with gr.Blocks(title="ser_experiments", analytics_enabled=False) as page:
        gr.Markdown(f"## Emotion of speech\n{title}{notes}")
        with gr.Tab("A recording"):
            _recording(model, folder)
        with gr.Tab("While you speak", elem_id="live-tab"):
            gr.HTML(_LIVE)
    # Models are asked one after the other, and more than a few people do not wait.
    page.queue(max_size=_WAITING, default_concurrency_limit=1)
    # The fonts of the system: the default ones would be fetched from elsewhere.
    theme = gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["monospace"])
    return page, {"theme": theme, "css": STYLE}


def _recording(model: AudioModel, folder: Path) -> None:
    """Build the part of the page that answers recordings."""
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
            shown = gr.HTML(elem_id="emotion")
            words = gr.Markdown(_ASK, elem_id="words")
    picture = gr.HTML(elem_id="timeline")
    table = gr.Dataframe(label="Emotion over time", interactive=False, elem_id="steps", visible=False)

    def hear(path: str | None) -> tuple[Any, ...]:
        try:
            *told, steps = answer(model, path)
            return (*told, gr.Dataframe(value=steps, visible=steps is not None))
        finally:
            if path is not None:
                _uploads.delete(path, folder)

    button.click(hear, inputs=audio, outputs=[shown, words, picture, table], api_name="hear")


def _tested(model: AudioModel) -> str:
    name = model.task.primary
    return f"; tested {get_score(name).title} {model.meta[name]:.3f}" if name in model.meta else ""


def answer(model: AudioModel, path: str | None) -> tuple[Any, ...]:
    """Return what the page shows of a recording: its answer, words, picture and table; of a bad one only words."""
    if path is None:
        return _only(_ASK)
    if not Path(path).is_file():
        return _only(_GONE)
    try:
        length_s = scan(path, PIECEWISE).duration_s
        line = timeline(model, path)
        whole = {**line.overall(), "warnings": [], "error": ""}
        if length_s <= _UTTERANCE_S:
            (whole,) = model.predict([path])
    except SerError as error:
        return _only(_without_path(str(error), path))
    if whole["error"]:
        return _only(_without_path(whole["error"], path))
    scale = model.meta.get("scale")
    figure = plot_timeline(line.task, line.table, line.waveform, line.spectrogram, "", scale=scale)
    picture = pictured(looks(figure), described(line))
    return _shown(line, whole, scale), _words(line, length_s, whole), picture, _steps(line)


def _only(words: str) -> tuple[Any, ...]:
    """Return words, and nothing of what stood there before."""
    return "", words, "", None


def _shown(line: Timeline, whole: dict[str, Any], scale: dict[str, list[float]] | None) -> str:
    if line.task.are_shares or not line.task.numbers(whole):
        return answered(line, whole)
    return pictured(
        looks(plot_plane(line.task, whole, line.table, scale=scale)), f"{'; '.join(line.task.told(whole))}."
    )


def _words(line: Timeline, length_s: float, whole: dict[str, Any]) -> str:
    task, said = line.task, f"{length_s:.1f} s of audio."
    if length_s > _UTTERANCE_S and not changes(line):
        said += " It is longer than an utterance, so the emotion above is the mean over the timeline."
    if whole["warnings"]:
        said += f" It is unlike the recordings learned from: {'; '.join(whole['warnings'])}."
    if words := unsure(task, whole):
        said += f" {words}."
    if task.are_shares:
        return said
    if task.ranges(whole):
        said += " In brackets: intervals that hold the truth of about nine in ten unheard utterances."
    return "\n".join([*(f"- {one}" for one in task.told(whole)), "", said])


def _steps(line: Timeline) -> Any:
    """Return the table of steps, with columns and classes as people write them."""
    titles = [as_people_write(name) for name in line.task.targets]
    names = {"start_s": "From (s)", "end_s": "To (s)", "speech": "Speech", "label": "Emotion",
             **dict(zip(line.task.columns, titles, strict=True))}  # fmt: skip
    shown = line.table.round(2)
    told = {text: [as_people_write(one) or "No speech" for one in shown[text]] for text in line.task.fields("text")}
    return shown.assign(**told).rename(columns=names)


def _without_path(message: str, path: str) -> str:
    # The name of a temporary file says nothing to who uploaded it.
    return message.replace(path, "The recording")
