"""The part of the page that says the emotion while somebody speaks."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gradio as gr
import numpy as np

from ser_experiments.audio import read_audio
from ser_experiments.cli import _uploads
from ser_experiments.cli._shown import at_once
from ser_experiments.errors import SerError
from ser_experiments.serving.audio_model import AudioModel
from ser_experiments.serving.live import Live, Moment
from ser_experiments.words import as_people_write

#: Seconds of a piece that the browser sends, of one stay at the microphone, and of what stands on the page.
_PIECE_S, _STAY_S, _SHOWN = 1.0, 600, 60
_ASK = "Press the microphone and speak; every second the last seconds are heard. Nothing that you say is kept."


@dataclass
class Session:
    """What is kept of somebody who speaks: a window of sound, and what was said of the last minute."""

    live: Live | None = None
    moments: deque[Moment] = field(default_factory=lambda: deque(maxlen=_SHOWN))
    delay_s: float = 0.0


def build_live(model: AudioModel, folder: Path) -> None:
    """Build it.

    Parameters
    ----------
    model : AudioModel
        Answers for single recordings.
    folder : Path
        Of the uploads.
    """
    with gr.Row():
        with gr.Column():
            audio = gr.Audio(sources=["microphone"], buttons=[], type="filepath", streaming=True, label="Microphone",
                             elem_id="live")  # fmt: skip
            audio.async_move_resource_to_block_cache = _piece  # type: ignore[method-assign, assignment]
            words = gr.Markdown(_ASK, elem_id="live-words")
        with gr.Column():
            now = gr.HTML(elem_id="now")
    table = gr.Dataframe(label="The last minute, the newest first", interactive=False, elem_id="moments", visible=False)
    session = gr.State(None, time_to_live=_STAY_S)

    def hear(path: str | None, told: Session | None) -> tuple[Any, ...]:
        begun = time.monotonic()
        try:
            return heard(model, path, told or Session(), begun)
        finally:
            if path is not None:
                _uploads.delete(path, folder)

    audio.stream(
        hear, inputs=[audio, session], outputs=[session, now, words, table], stream_every=_PIECE_S, time_limit=_STAY_S,
        show_progress="hidden", api_visibility="private",
    )  # fmt: skip
    audio.start_recording(lambda: (None, "", _ASK, gr.Dataframe(value=None, visible=False)),
                          outputs=[session, now, words, table], api_visibility="private")  # fmt: skip


async def _piece(path: str | Path | None) -> str | None:
    """Take a piece of this machine, which Gradio has found among the uploads, and no address."""
    if path is None or urlsplit(str(path)).scheme in ("http", "https"):
        raise gr.Error("Not sound of this page's microphone.", print_exception=False)
    return str(path)


def heard(model: AudioModel, path: str | None, told: Session, begun: float) -> tuple[Any, ...]:
    """Return the session after a piece of sound, and what the page shows of it."""
    nothing = (told, gr.skip(), gr.skip(), gr.skip())
    if path is None or not Path(path).is_file():
        return nothing
    try:
        sound, rate = read_audio(path)
    except SerError:  # a piece without a sample, or one of silence alone
        return nothing
    if told.live is None or told.live.sample_rate != rate:
        told.live = Live(model, rate)
    for moment in told.live.hear(np.asarray(sound)):
        told.moments.append(moment)
        told.delay_s = time.monotonic() - begun
    if not told.moments:
        return nothing
    said = (
        f"Each line is about {told.live.window_s:g} s of sound. It was known {told.delay_s:.2f} s after the sound was "
        f"here; a sound waits up to {told.live.step_s + _PIECE_S:g} s for its turn."
    )
    return (
        told,
        at_once(model.task, told.moments[-1].answer),
        said,
        gr.Dataframe(value=_rows(model, told), visible=True),
    )


def _rows(model: AudioModel, told: Session) -> Any:
    import pandas as pd

    titles = [as_people_write(name) for name in model.task.targets]
    rows = []
    for moment in reversed(told.moments):
        numbers = model.task.numbers(moment.answer)
        texts = [as_people_write(moment.answer[name]) or "No speech" for name in model.task.fields("text")]
        named = dict(zip(["Emotion"], texts, strict=False))
        values = {title: round(numbers[name], 2) if name in numbers else None
                  for name, title in zip(model.task.targets, titles, strict=True)}  # fmt: skip
        rows.append({"Second": round(moment.end_s), **named, **values})
    return pd.DataFrame(rows)
