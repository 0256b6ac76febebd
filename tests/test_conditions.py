"""Each condition does what it says, alike on every machine, to whatever length and rate."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ser_experiments import plugins
from ser_experiments.audio.conditions import Condition, _amr, changed, conditions
from ser_experiments.audio.conditions.band import filtered
from ser_experiments.audio.effects import room
from ser_experiments.errors import InputError

RATE = 16_000
RATES = (8000, 16_000, 44_100)
EVERY = conditions()
EACH = pytest.mark.parametrize("condition", EVERY, ids=lambda one: one.name)
BY_NAME = {one.name: one for one in EVERY}
#: What is drawn for each recording; all else does the same to every one.
DRAWN = ("noise", "babble", "music", "room", "hall", "silence around")


def _voice(seed: int = 0, seconds: float = 1.5, rate: int = RATE) -> np.ndarray:
    rng = np.random.default_rng(seed)
    time_s = np.arange(int(seconds * rate)) / rate
    tone = sum(np.sin(2 * np.pi * 150 * k * time_s) / k for k in range(1, 20) if 150 * k < rate / 2)
    made = (0.2 * tone * (1 + np.sin(2 * np.pi * 3 * time_s)) + 0.002 * rng.standard_normal(len(time_s))).astype(
        np.float32
    )
    # Whatever writes into a recording fails.
    made.flags.writeable = False
    return made


VOICES = {rate: [_voice(seed, rate=rate) for seed in range(1, 9)] for rate in RATES}


def _tone(hertz: float, rate: int = RATE, seconds: float = 1.0, amplitude: float = 0.5) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def _heard(name: str, audio: np.ndarray, rate: int = RATE) -> np.ndarray:
    return changed(BY_NAME[name], audio, rate, "u1", VOICES[rate])[0]


def _power(audio: np.ndarray) -> float:
    return float(np.mean(np.square(audio, dtype=np.float64)))


def _db(ratio: float) -> float:
    return 10 * float(np.log10(ratio))


def _digests() -> str:
    """Return what identifies a voice under every condition."""
    heard = (changed(one, _voice(), RATE, "u1", VOICES[RATE])[0] for one in EVERY)
    return " ".join(hashlib.blake2b(audio.tobytes(), digest_size=8).hexdigest() for audio in heard)


@EACH
def test_the_same_recording_is_changed_in_the_same_way_and_another_in_another(condition: Condition) -> None:
    audio, before = _voice(), _voice().copy()
    heard, rate = changed(condition, audio, RATE, "u1", VOICES[RATE])
    again, _ = changed(condition, audio, RATE, "u1", VOICES[RATE])
    np.testing.assert_array_equal(heard, again)
    np.testing.assert_array_equal(audio, before)
    assert heard.dtype == np.float32
    assert heard.ndim == 1
    assert rate in (RATE, 8000)
    assert condition.words
    drawn = any(word in condition.name for word in DRAWN)
    other, _ = changed(condition, audio, RATE, "u2", VOICES[RATE])
    assert np.array_equal(heard, other) is not drawn


@pytest.mark.slow
def test_another_process_hears_the_same() -> None:
    code = "from tests.test_conditions import _digests; print(_digests())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1]
    )
    assert done.stdout.split() == _digests().split()


@pytest.mark.parametrize("rate", [*RATES, 11_025])
@EACH
def test_any_rate_short_recordings_and_silence(condition: Condition, rate: int) -> None:
    others = [_voice(1, 0.05, rate)]
    for audio in (_voice(seconds=0.05, rate=rate), np.zeros(int(0.05 * rate), np.float32), np.zeros(rate, np.float32)):
        for voices in (others, [], [np.zeros(rate, np.float32)]):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                heard, told = changed(condition, audio, rate, "u1", voices)
            assert len(heard) > 0
            assert np.isfinite(heard).all()
            assert told in (rate, 8000, 16_000)
            if not audio.any() and condition.name != "silence around":
                assert np.abs(heard).max() < 2e-3


BELOW = [one for one in EVERY if one.name.endswith(" dB")]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("condition", BELOW, ids=lambda one: one.name)
def test_what_is_below_the_voice_is_so_far_below(condition: Condition, rate: int) -> None:
    assert len(BELOW) == 10
    audio, snr_db = _voice(rate=rate), float(condition.name.split()[-2])
    heard, told = changed(condition, audio, rate, "u1", VOICES[rate])
    added = heard.astype(np.float64) - audio
    assert told == rate
    assert _db(_power(audio) / _power(added)) == pytest.approx(snr_db, abs=0.01)
    # White noise has the same power in each band, pink noise in each octave.
    if "noise" in condition.name:
        spectrum, hertz = np.abs(np.fft.rfft(added)) ** 2, np.fft.rfftfreq(len(added), 1 / rate)
        low, high = (spectrum[(hertz >= one) & (hertz < 2 * one)].sum() for one in (500, 1000))
        assert _db(high / low) == pytest.approx(3.01 if "white" in condition.name else 0.0, abs=0.8)


@pytest.mark.parametrize("rate", RATES)
def test_levels_and_clipping(rate: int) -> None:
    audio = _voice(rate=rate)
    for name, gain_db in (("20 dB quieter", -20), ("6 dB louder", 6)):
        np.testing.assert_allclose(_heard(name, audio, rate), audio * 10 ** (gain_db / 20), rtol=1e-6)
    for share in (0.01, 0.10):
        clipped = _heard(f"clipped {100 * share:.0f} %", audio, rate)
        most = np.abs(clipped).max()
        assert (np.abs(audio) > most).sum() == pytest.approx(share * len(audio), abs=1.5)
        np.testing.assert_array_equal(clipped, np.clip(audio, -most, most))


@pytest.mark.parametrize(
    ("name", "hertz", "lost_db"),
    [
        ("below 3.4 kHz", 1000, 0.0), ("below 3.4 kHz", 2500, 0.1), ("below 3.4 kHz", 3400, 6.02),
        ("below 3.4 kHz", 5000, np.inf), ("above 300 Hz", 150, np.inf), ("above 300 Hz", 300, 6.02),
        ("above 300 Hz", 1000, 0.0), ("landline", 100, np.inf), ("landline", 1000, 0.0), ("landline", 3900, np.inf),
    ],
)  # fmt: skip
def test_bands(name: str, hertz: float, lost_db: float) -> None:
    """Once forwards and once backwards through six poles: 6 dB at the edge, and 36 dB or more half an octave away."""
    heard, rate = changed(BY_NAME[name], _tone(hertz), RATE, "u1", [])
    middle = slice(rate // 4, 3 * rate // 4)
    lost = _db(0.125 / max(_power(heard[middle]), 1e-12))
    assert lost == pytest.approx(lost_db, abs=0.2) if np.isfinite(lost_db) else lost > 30


@pytest.mark.parametrize("rate", RATES)
def test_extents(rate: int) -> None:
    audio = _voice(rate=rate)
    around = _heard("silence around", audio, rate)
    assert len(around) == len(audio) + 2 * rate
    np.testing.assert_array_equal(around[rate:-rate], audio)
    for silence in (around[:rate], around[-rate:]):
        assert _db(_power(silence)) == pytest.approx(-80, abs=0.3)
    begin = (len(audio) - rate) // 2
    np.testing.assert_array_equal(_heard("1 s from the middle", audio, rate), audio[begin : begin + rate])
    short = audio[: rate // 2]
    np.testing.assert_array_equal(_heard("1 s from the middle", short, rate), short)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(("name", "factor"), [("10 % slower", 0.9), ("10 % faster", 1.1)])
def test_speed_moves_duration_and_pitch(name: str, factor: float, rate: int) -> None:
    heard = _heard(name, _tone(400, rate, 2.0), rate)
    assert abs(len(heard) - 2 * rate / factor) < 1
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard)), 1 << 19))
    assert spectrum.argmax() * rate / (1 << 19) == pytest.approx(400 * factor, abs=0.1)


@pytest.mark.parametrize(("name", "rt60_s"), [("small room", 0.3), ("hall", 1.2)])
def test_rooms_decay_as_they_say(name: str, rt60_s: float) -> None:
    click = np.zeros(3 * RATE, np.float32)
    click[0] = 1.0
    response = _heard(name, click).astype(np.float64)
    assert response[0] == 1.0
    assert -_db(_power(response[1:]) * (len(response) - 1)) == pytest.approx(3.0, abs=0.01)
    # Schroeder's backward integration, between 5 and 35 dB below the whole tail.
    left_db = 10 * np.log10(np.cumsum(response[:0:-1] ** 2)[::-1].clip(1e-12))
    left_db -= left_db[0]
    inside = np.flatnonzero((left_db < -5) & (left_db > -35))
    slope = np.polyfit(inside / RATE, left_db[inside], 1)[0]
    assert -60 / slope == pytest.approx(rt60_s, rel=0.1)
    np.testing.assert_array_equal(room(rt60_s, 3.0, RATE, np.random.default_rng(0))[:48][1:], 0)


def _a_law() -> np.ndarray:
    """Return the 256 values of A-law (ITU-T G.711) as 16-bit numbers, from its formula."""
    values = []
    for code in range(256):
        sign, exponent, mantissa = code & 0x80, code >> 4 & 7, code & 0x0F
        step = (mantissa << 4) + 8
        size = step if exponent == 0 else (step + 0x100) << (exponent - 1)
        values.append(size if sign else -size)
    return np.sort(np.array(values))


def test_a_landline_is_a_law() -> None:
    narrow = filtered(_voice(rate=8000), 8000, (300.0, 3400.0), "bandpass")
    sent, known = np.rint(_heard("landline", _voice(rate=8000), 8000) * 32768.0), _a_law()
    assert len(sent) == len(narrow)
    assert len(set(known)) == 256
    assert np.isin(sent, known).all()
    # Half of the widest step there is at this size, and one of 16 bits for rounding.
    away = np.abs(sent - narrow.astype(np.float64) * 32768.0)
    steps = np.diff(known)
    widest = np.maximum(np.r_[steps, 0], np.r_[0, steps])[np.searchsorted(known, sent)]
    assert (away <= widest / 2 + 17).all()
    assert len(np.unique(sent)) > 50


def test_a_mobile_phone_is_gsm(tmp_path: Path) -> None:
    audio = _voice(rate=8000)
    narrow = filtered(audio, 8000, (300.0, 3400.0), "bandpass")
    soundfile.write(tmp_path / "x.gsm.wav", narrow, 8000, subtype="GSM610")
    # 13.2 kbit/s: 65 bytes for two frames of 20 ms.
    assert (
        65 * -(-len(narrow) // 320) < (tmp_path / "x.gsm.wav").stat().st_size < 65 * (-(-len(narrow) // 320) + 2) + 80
    )
    expected, _ = soundfile.read(tmp_path / "x.gsm.wav", dtype="float32")
    np.testing.assert_array_equal(_heard("mobile phone", audio, 8000), expected[: len(narrow)])


@pytest.mark.skipif(bool(_amr.lacks_amr()), reason=_amr.lacks_amr())
def test_amr_sends_as_much_as_its_mode_says_and_keeps_the_voice() -> None:
    audio = _voice(rate=8000)
    narrow = filtered(audio, 8000, (300.0, 3400.0), "bandpass")
    # 3GPP TS 26.101: 95 and 244 bits a frame, here in whole bytes and with a byte in front.
    for bit_rate, n_bytes, least_db in ((4750, 13, 4.0), (12_200, 32, 7.0)):
        packets = _amr.encoded(narrow, bit_rate)
        assert {packet.size for packet in packets} == {n_bytes}
        assert len(packets) - -(-len(narrow) // 160) in (0, 1)
        heard = _heard(f"AMR {bit_rate / 1000:g}", audio, 8000)
        assert len(heard) == len(audio)
        near = [_db(_power(narrow[:-200]) / _power(heard[d : d - 200] - narrow[:-200])) for d in range(200)]
        assert max(near) > least_db
        assert np.argmax(near) < 0.02 * 8000


def test_names_and_kinds() -> None:
    names = [one.name for one in EVERY]
    assert len(set(names)) == len(names)
    assert [one.name for one in conditions(["telephone"])][:2] == ["landline", "mobile phone"]
    assert [one.name for one in conditions(["landline", "hall", "room"])] == ["landline", "hall", "small room"]
    with pytest.raises(InputError, match="unknown condition 'telephon'; did you mean 'telephone'"):
        conditions(["telephon"])


def test_what_this_machine_lacks_is_left_out_unless_it_is_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(_amr, "is_installed", lambda: False)
    assert [one.name for one in conditions(["telephone"])] == ["landline", "mobile phone"]
    assert "left out: condition 'AMR 12.2': AMR needs PyAV" in caplog.text
    with pytest.raises(InputError, match=r"condition 'AMR 4.75': AMR needs PyAV: pip install"):
        conditions(["AMR 4.75"])
    monkeypatch.setattr(_amr, "is_installed", lambda: True)
    monkeypatch.setattr(_amr, "_ENCODER", "no_such_encoder")
    if not _amr.lacks_amr().startswith("this PyAV was built without the encoder no_such_encoder"):
        pytest.skip("no PyAV here")


OWN = """
from ser_experiments.audio.conditions import Condition

def half(audio, rate, rng, voices):
    return audio / 2, rate

CONDITIONS = (Condition({name!r}, half, "half as loud"),)
"""


@pytest.fixture
def plugged(tmp_path: Path) -> object:
    before = plugins.folder()
    (tmp_path / "conditions").mkdir()
    yield tmp_path / "conditions"
    plugins.use(before)


def test_a_condition_of_the_project(plugged: Path, caplog: pytest.LogCaptureFixture) -> None:
    (plugged / "far.py").write_text(OWN.format(name="far off"))
    (plugged / "broken.py").write_text("1 / 0\n")
    (plugged / "wrong.py").write_text("CONDITIONS = ('loud',)\n")
    plugins.use(plugged.parent)
    (far,) = conditions(["far"])
    assert far.name == "far off"
    assert conditions(["far off"])[0].name == "far off"
    np.testing.assert_array_equal(changed(far, _voice(), RATE, "u1", [])[0], _voice() / 2)
    assert not caplog.text
    assert [one.name for one in conditions()] == [
        *(one.name for kind in sorted({*plugins.names("ser_experiments.audio.conditions")} - {"broken", "wrong"})
          for one in conditions([kind]))
    ]  # fmt: skip
    assert "left out: condition 'broken': plug-in" in caplog.text
    with pytest.raises(InputError, match="broken.py cannot be loaded: ZeroDivisionError"):
        conditions(["broken"])
    with pytest.raises(InputError, match="wrong.py holds a str among its CONDITIONS; each must be a Condition"):
        conditions(["wrong"])


def test_a_name_that_is_offered_twice_is_refused(plugged: Path) -> None:
    (plugged / "far.py").write_text(OWN.format(name="hall"))
    plugins.use(plugged.parent)
    with pytest.raises(InputError, match="condition 'hall' is offered twice, by far and by room; rename one"):
        conditions(["hall"])
    assert [one.name for one in conditions(["landline"])] == ["landline"]
