"""Recordings as recorders, phones and other programs leave them: what is read, and what is said of the rest."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ser_experiments.audio import opening, read, read_audio, scan, stream, stream_audio
from ser_experiments.audio.container import is_recording
from ser_experiments.cli._recordings import recordings
from ser_experiments.errors import AudioError, InputError

RATE = 16_000
TONE = (0.3 * np.sin(2 * np.pi * 200 * np.arange(RATE) / RATE)).astype(np.float32)


@pytest.fixture
def without_av(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let PyAV be missing, as it is unless somebody asks for it."""
    monkeypatch.setattr(opening, "is_installed", lambda: False)


def streamed(path: Path) -> np.ndarray:
    return np.concatenate([block for block, _ in stream_audio(path, 0.3)])


# --- segments --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("subtype", ["PCM_16", "GSM610", "IMA_ADPCM", "G721_32", "NMS_ADPCM_16"])
@pytest.mark.parametrize(("start", "end"), [(0.2, 0.5), (None, 0.5), (0.5, None), (0.0, 1.0)])
def test_pieces_of_formats_that_can_and_cannot_be_sought_in(
    tmp_path: Path, subtype: str, start: float | None, end: float | None
) -> None:
    soundfile.write(tmp_path / "a.wav", TONE, 8000 if subtype in ("GSM610", "G721_32") else RATE, subtype=subtype)
    whole, rate = read_audio(tmp_path / "a.wav")
    piece, _ = read_audio(tmp_path / "a.wav", start_s=start, end_s=end)
    last = len(whole) if end is None else round(end * rate)
    np.testing.assert_array_equal(piece, whole[round((start or 0) * rate) : last])
    np.testing.assert_array_equal(streamed(tmp_path / "a.wav"), whole)


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (0, 850, "segment 0-850 s ends after the recording of 1.000 s; start and end are seconds"),
        (0.5, 1.2, "segment 0.5-1.2 s ends after the recording of 1.000 s"),
        (1.5, 2.0, "segment 1.5-2 s lies outside the recording of 1.000 s"),
        (120, None, "segment 120- s lies outside the recording of 1.000 s"),
        (500, 900, "lies outside the recording of 1.000 s"),
        (None, 3000, "ends after the recording of 1.000 s"),
    ],
)
@pytest.mark.parametrize("name", ["a.wav", "nolength.flac", "gsm.wav", "a.ogg"])
def test_pieces_past_the_end(tmp_path: Path, name: str, start: float | None, end: float | None, words: str) -> None:
    path = {"gsm.wav": gsm, "nolength.flac": without_length}.get(name, plain)(tmp_path / name)
    with pytest.raises(AudioError) as caught:
        read_audio(path, start_s=start, end_s=end)
    if name == "nolength.flac":  # its length is known once it was read to its end
        words = words.partition(" of 1.000 s")[0]
    assert words in caught.value.reason


def test_times_are_rounded(tmp_path: Path) -> None:
    assert len(read_audio(plain(tmp_path / "a.wav"), end_s=1.04)[0]) == RATE


# --- what recorders and decoders do ----------------------------------------------------------------------------------


def plain(path: Path) -> Path:
    soundfile.write(path, TONE, RATE)
    return path


def gsm(path: Path) -> Path:
    soundfile.write(path, TONE, RATE, subtype="GSM610")
    return path


def without_length(path: Path) -> Path:
    """A FLAC as a pipe leaves it: its header says zero samples, which means that nobody knows."""
    soundfile.write(path, TONE, RATE, format="FLAC")
    data = bytearray(path.read_bytes())
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    path.write_bytes(data)
    return path


def cut_off(path: Path, **how: object) -> Path:
    """A WAV of a recorder that was switched off: its data has no length yet, nor has the file."""
    soundfile.write(path, TONE, RATE, **{"format": "WAV", **how})
    data = bytearray(path.read_bytes())
    order = ">" if data[:4] == b"RIFX" else "<"
    at = data.index(b"data")
    data[at + 4 : at + 8] = struct.pack(f"{order}I", 0)
    data[4:8] = struct.pack(f"{order}I", at + 8 - 8)
    path.write_bytes(data)
    return path


def with_lengths(path: Path, kind: str, **lengths: tuple[int, bytes]) -> Path:
    """Write a recording and put other bytes so far behind the first of some words."""
    soundfile.write(path, TONE, RATE, format=kind)
    data = bytearray(path.read_bytes())
    for word, (behind, others) in lengths.items():
        at = data.index(word.encode()) + behind
        data[at : at + len(others)] = others
    path.write_bytes(data)
    return path


#: What other headers say of a recording that was not stopped, or was piped.
UNFINISHED: dict[str, Callable[[Path], Path]] = {
    "brought up to date in between": lambda path: with_lengths(path, "WAV", data=(4, struct.pack("<I", 8000))),
    "an empty block": lambda path: with_lengths(path, "WAV", data=(4, struct.pack("<I", 2))),
    "of a pipe": lambda path: with_lengths(path, "WAV", RIFF=(4, b"\xff" * 4), data=(4, b"\xff" * 4)),
    "of another pipe": lambda path: with_lengths(path, "WAV", RIFF=(4, bytes(4)), data=(4, b"\x00\xf0\xff\x7f")),
    "of 64 bits": lambda path: with_lengths(path, "RF64", ds64=(8, bytes(24)), data=(4, b"\xff" * 4)),
    "au": lambda path: with_lengths(path, "AU", **{".snd": (8, bytes(4))}),
    "au of a pipe": lambda path: with_lengths(path, "AU", **{".snd": (8, b"\xff" * 4)}),
    "caf": lambda path: with_lengths(path, "CAF", data=(4, b"\xff" * 8)),
    "caf of nothing": lambda path: with_lengths(path, "CAF", data=(4, bytes(8))),
    "aiff": lambda path: with_lengths(path, "AIFF", COMM=(10, bytes(4)), SSND=(4, bytes(4))),
}


@pytest.mark.parametrize("name", UNFINISHED)
def test_a_header_that_was_never_finished(tmp_path: Path, name: str) -> None:
    path = UNFINISHED[name](tmp_path / "a.wav")
    for source in (path, path.read_bytes()):
        audio, rate = read_audio(source)
        assert (rate, len(audio)) == (RATE, pytest.approx(RATE, abs=4))  # the place of a peak of CAF
        np.testing.assert_allclose(audio[-1000:], TONE[-1000:], atol=1e-4)
    assert scan(path).duration_s == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(
    "after", [b"LIST\x04\x00\x00\x00INFO", b"TAG" + bytes(125), bytes(9000), b"id3 \x02\x00\x00\x00ab"]
)
def test_what_stands_behind_the_samples_is_none(tmp_path: Path, after: bytes) -> None:
    path = plain(tmp_path / "a.wav")
    path.write_bytes(path.read_bytes() + after)
    assert len(read_audio(path)[0]) == RATE


ENCODED = [("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III")]


def encoded(path: Path, format: str, subtype: str, seconds: float) -> bytes:
    noise = 0.1 * np.random.default_rng(0).standard_normal(int(seconds * RATE))
    soundfile.write(path, noise, RATE, format=format, subtype=subtype)
    return path.read_bytes()


@pytest.mark.parametrize(("format", "subtype"), ENCODED)
@pytest.mark.parametrize("lengths", [(1.0, 1.0), (0.3, 5.0), (2.0, 1.0, 1.0)])
def test_recordings_that_were_joined_are_said(
    tmp_path: Path, format: str, subtype: str, lengths: tuple[float, ...]
) -> None:
    path = tmp_path / "joined"
    path.write_bytes(b"".join(encoded(tmp_path / "one", format, subtype, seconds) for seconds in lengths))
    for source in (path, path.read_bytes()):
        with pytest.raises(AudioError, match="several recordings one after the other") as told:
            read_audio(source)
        assert "\n" not in str(told.value)


@pytest.mark.slow
@pytest.mark.parametrize(("format", "subtype"), ENCODED)
@pytest.mark.parametrize("seconds", [0.05, 1.0, 30.0])
@pytest.mark.parametrize("tag", [b"", b"TAG" + bytes(125)])
def test_one_recording_is_not_taken_for_several(
    tmp_path: Path, format: str, subtype: str, seconds: float, tag: bytes
) -> None:
    path = tmp_path / "one"
    path.write_bytes(encoded(path, format, subtype, seconds) + (tag if format == "MP3" else b""))
    assert len(read_audio(path)[0]) >= seconds * RATE * 0.9


@pytest.mark.parametrize(
    ("make", "tolerance"),
    [
        (gsm, 0.3), (without_length, 1e-4), (cut_off, 1e-4),
        (lambda path: cut_off(path, subtype="FLOAT"), 1e-6), (lambda path: cut_off(path, subtype="PCM_24"), 1e-6),
        (lambda path: cut_off(path, format="WAVEX"), 1e-4), (lambda path: cut_off(path, endian="BIG"), 1e-4),
    ],
)  # fmt: skip
def test_what_is_in_it_is_read(tmp_path: Path, make: Callable[[Path], Path], tolerance: float) -> None:
    path = make(tmp_path / "a.wav")
    for source in (path, path.read_bytes()):
        audio, rate = read_audio(source)
        assert rate == RATE
        assert len(audio) == RATE
        np.testing.assert_allclose(audio, TONE, atol=tolerance)
    assert scan(path).duration_s == pytest.approx(1.0)
    np.testing.assert_array_equal(streamed(path), audio)


def test_a_recording_that_does_not_say_its_length_may_be_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "UTTERANCE", replace(read.UTTERANCE, seconds=0.5))
    with pytest.raises(AudioError, match="1 s or longer; an utterance has at most"):
        read_audio(without_length(tmp_path / "a.flac"))


def test_a_wav_that_holds_nothing_but_words_is_empty(tmp_path: Path) -> None:
    path = plain(tmp_path / "a.wav")
    data = path.read_bytes()[:44]
    notes = b"LIST" + struct.pack("<I", 4) + b"INFO"
    path.write_bytes(data[:40] + struct.pack("<I", 0) + notes)
    with pytest.raises(AudioError, match="empty recording"):
        read_audio(path)


# --- channels --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gain", [1.0, 0.97, 1.04])
def test_channels_that_cancel_are_not_silence(tmp_path: Path, gain: float) -> None:
    soundfile.write(tmp_path / "a.wav", np.column_stack([TONE, -gain * TONE]), RATE, subtype="FLOAT")
    audio, _ = read_audio(tmp_path / "a.wav")
    loudest = TONE if gain <= 1 else -np.float32(gain) * TONE
    np.testing.assert_allclose(audio, loudest, atol=1e-6)
    overall = scan(tmp_path / "a.wav")
    assert overall.peak == pytest.approx(np.abs(loudest).max(), abs=1e-6)
    blocks = [block for block, _ in stream_audio(tmp_path / "a.wav", 0.3, overall.channel)]
    np.testing.assert_array_equal(np.concatenate(blocks), audio)


def test_other_channels_are_averaged(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    other = rng.normal(0, 0.2, RATE).astype(np.float32)
    for channels in ([TONE, other], [TONE, np.zeros(RATE)], [TONE, TONE], [TONE, -0.5 * TONE],
                     [*rng.normal(0, 0.1, (31, RATE)), TONE]):  # fmt: skip
        soundfile.write(tmp_path / "a.wav", np.column_stack(channels), RATE, subtype="FLOAT")
        mix = np.mean(np.column_stack(channels).astype(np.float32), axis=1, dtype=np.float32)
        np.testing.assert_allclose(read_audio(tmp_path / "a.wav")[0], mix, atol=1e-6)
        assert scan(tmp_path / "a.wav").channel is None


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("at", [0, RATE + 5])
def test_a_sample_that_is_no_number_is_found_wherever_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: float, at: int
) -> None:
    for module in (read, stream):
        monkeypatch.setattr(module, "BLOCK", int(0.3 * RATE))
    samples = np.concatenate([TONE, TONE])
    samples[at] = bad
    for channels in ([samples], [TONE.repeat(2), samples], [samples, -samples]):
        soundfile.write(tmp_path / "a.wav", np.column_stack(channels), RATE, subtype="FLOAT")
        for look in (read_audio, scan):
            with pytest.raises(AudioError, match="holds NaN or infinite samples"):
                look(tmp_path / "a.wav")


def test_silent_stereo_is_silent(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros((RATE, 2)), RATE)
    with pytest.raises(AudioError, match="silent recording"):
        read_audio(tmp_path / "a.wav")
    with pytest.raises(AudioError, match="silent recording"):
        scan(tmp_path / "a.wav")


# --- what cannot be read ---------------------------------------------------------------------------------------------

M4A = b"\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00M4A mp42isom\x00\x00\x00\x00" + bytes(3000)
WEBM = b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm" + bytes(3000)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.raw", TONE.tobytes(), "headless samples (.raw) say neither rate nor format"),
        ("a.pcm", TONE.tobytes(), "headless samples"),
        ("A.ULAW", TONE.tobytes(), "headless samples"),
        ("a.m4a", M4A, "MPEG-4 is not read by libsndfile: convert it, e.g. ffmpeg -i"),
        ("voice", M4A, "MPEG-4 is not read"),
        ("a.webm", WEBM, "WebM or Matroska is not read"),
        ("a.opus", WEBM, "WebM or Matroska is not read"),
        ("a.amr", b"#!AMR\n" + bytes(500), "AMR is not read"),
        ("a.wma", b"0&\xb2u\x8ef\xcf\x11\xa6\xd9\x00\xaa\x00b\xcel" + bytes(500), "Windows Media is not read"),
        ("a.aac", b"\xff\xf1P\x80" + bytes(500), "AAC is not read"),
        ("a.m4a", b"something else", ".m4a is not read"),
        ("a.sd2", b"something else", "unreadable audio"),
        ("a.xi", b"something else", "unreadable audio"),
    ],
)
def test_whatever_a_decoder_raises_is_said(
    tmp_path: Path, name: str, content: bytes, words: str, without_av: None
) -> None:
    (tmp_path / name).write_bytes(content)
    # Bytes without a name tell what they are by their beginning alone.
    by_content = "not read" in words and len(content) > 100
    for source in (tmp_path / name, content) if by_content else (tmp_path / name,):
        with pytest.raises(AudioError) as caught:
            read_audio(source)
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)
        with pytest.raises(AudioError):
            scan(source)


def test_a_wav_that_is_called_raw_is_read(tmp_path: Path) -> None:
    plain(tmp_path / "a.wav").rename(tmp_path / "a.raw")
    assert len(read_audio(tmp_path / "a.raw")[0]) == RATE


@pytest.mark.parametrize("kind", [ValueError, TypeError, AssertionError, MemoryError, UnicodeDecodeError, KeyError])
def test_an_error_of_any_kind_is_about_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise kind("utf-8", b"", 0, 1, "no") if kind is UnicodeDecodeError else kind("no\nway")

    monkeypatch.setattr(soundfile.SoundFile, "read", broken)
    with pytest.raises(AudioError, match="unreadable audio") as caught:
        read_audio(plain(tmp_path / "a.wav"))
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
@pytest.mark.parametrize("name", [b"\xff\xfe.wav", b"\xe9t\xe9.flac", "語 😀.ogg".encode(), b"a\nb.wav", b"x\xff.raw"])
def test_a_name_need_be_no_text(tmp_path: Path, name: bytes) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    plain(tmp_path / f"a.{path.suffix.lstrip('.').replace('raw', 'wav')}").rename(path)
    assert len(read_audio(path)[0]) == RATE
    assert scan(path).duration_s == pytest.approx(1.0)
    assert [one.path for one in recordings([tmp_path])] == [path]


# --- folders ---------------------------------------------------------------------------------------------------------


def test_a_folder_passes_nothing_over(tmp_path: Path, without_av: None) -> None:
    formats = {"a.wav": "WAV", "b.W64": "W64", "c.sph": "NIST", "d.oga": "OGG", "e.caf": "CAF", "f.snd": "AU",
               "g.aifc": "AIFF", "h.mp2": "MP3", "i.rf64": "RF64", "j.voc": "VOC", "k.wave": "WAV", "no ending": "FLAC",
               "l.dat": "WAV", "m.raw": "WAV"}  # fmt: skip
    for name, form in formats.items():
        soundfile.write(tmp_path / name, TONE, RATE, format=form)
    others = {"n.m4a": M4A, "o.webm": WEBM, "p.opus": WEBM, "q.mp4": M4A, "r": M4A, "s.pcm": b"ab"}
    for name, content in others.items():
        (tmp_path / name).write_bytes(content)
    nothing = {"t.txt": b"words", "u.json": b"{}", "v.png": b"\x89PNG\r\n", "w.heic": b"\0\0\0\x18ftypheic" + bytes(9),
               ".x.wav": b"hidden", "y.avi.csv": b"path\n", "z.webp": b"RIFF\0\0\0\0WEBP"}  # fmt: skip
    for name, content in nothing.items():
        (tmp_path / name).write_bytes(content)
    found = {one.path.name for one in recordings([tmp_path])}
    assert found == {*formats, *others}
    for name in formats:
        assert len(read_audio(tmp_path / name)[0]) >= RATE
    for name in others:
        with pytest.raises(AudioError, match="convert it|write them"):
            read_audio(tmp_path / name)
    assert not is_recording(tmp_path / "t.txt")


def test_a_folder_passes_over_no_link_and_no_folder(tmp_path: Path) -> None:
    for name in ("elsewhere/deep/a.wav", "mine/sub/b.wav", "mine/.hidden/c.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        plain(tmp_path / name)
    mine = tmp_path / "mine"
    (mine / "linked").symlink_to(tmp_path / "elsewhere")
    (mine / "sub" / "up").symlink_to(mine)
    (mine / "lost.wav").symlink_to(tmp_path / "unplugged disk" / "lost.wav")
    (mine / "round.flac").symlink_to(mine / "round.flac")
    found = [str(one.path.relative_to(mine)) for one in recordings([mine])]
    assert found == [".hidden/c.wav", "linked/deep/a.wav", "lost.wav", "round.flac", "sub/b.wav"]
    with pytest.raises(AudioError, match="no such file"):
        read_audio(mine / "lost.wav")


# --- lists -----------------------------------------------------------------------------------------------------------

LIST = "Path;speaker;start;end\nsub\\é.wav;07;0,25;0,5\nb.wav;NA;;-\n"


@pytest.mark.parametrize("content", [LIST.encode(), LIST.encode("utf-16"), b"sep=;\r\n" + LIST.encode(),
                                     LIST.replace(";", "\t").encode(), LIST.replace("é", "e\u0301").encode("utf-16-le"),
                                     LIST.replace(",", ".").replace(";", ",").encode()])  # fmt: skip
@pytest.mark.parametrize("name", ["list.csv", "list.tsv", "LIST.TXT"])
def test_lists_of_other_programs(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / "sub").mkdir()
    plain(tmp_path / "sub" / "é.wav")
    plain(tmp_path / "b.wav")
    (tmp_path / name).write_bytes(content)
    first, second = recordings([tmp_path / name])
    assert (first.path, first.speaker) == (tmp_path / "sub" / "é.wav", "07")
    assert (first.start_s, first.end_s) == (0.25, 0.5)
    assert (second.path, second.speaker) == (tmp_path / "b.wav", tmp_path.name)
    assert (second.start_s, second.end_s) == (None, None)


@pytest.mark.parametrize("name", ["start_s", "Begin", "end_ms", "offset", "StartTime", "dur (s)"])
def test_a_column_of_a_list_that_could_be_taken_for_a_piece_is_said_to_be_unused(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "list.csv").write_text(f"path,{name},rater,speaker\n{plain(tmp_path / 'b.wav').name},0.2,x,p\n")
    (one,) = recordings([tmp_path / "list.csv"])
    assert (one.start_s, one.end_s) == (None, None)
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.endswith(f"column {name.lower()!r} is not used: pieces are 'start' and 'end', in seconds")


@pytest.mark.parametrize(
    ("text", "words"),
    [("path\n-\n", "'path' is empty"), ("path,start\nb.wav,soon\n", "'start' is 'soon'; expected seconds"),
     ("path,end\nb.wav,inf\n", "'end' is 'inf'")],
)  # fmt: skip
def test_lists_that_are_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(InputError, match=words):
        list(recordings([tmp_path / "list.csv"]))
