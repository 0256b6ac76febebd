"""What an inspection found, in one paragraph made by rule of its figures: what differs, what that does, what helps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ser_experiments import plugins
from ser_experiments.features.views import VIEWS
from ser_experiments.serving.inspection.findings import OUTSIDE, Row, Shares, far_voices, numbers_of, rows_of, shares_of
from ser_experiments.serving.inspection.looking import Inspection
from ser_experiments.serving.inspection.recorded import HOW, PERCENTS, RISK

#: Conditions to be heard under lie here, each in a file of the name of its kind.
_CONDITIONS = "ser_experiments.audio.conditions"
#: Differences that are said in words, the greatest first, and of how many of the recordings each must be.
_MOST, _SAID = 3, 0.25
#: An answer is given too often where its share is by so much above that of the training.
_TOO_OFTEN = 0.1
#: Numbers are nearly the same that spread less than such a part of those of the training.
_ALIKE = 0.25
#: What follows from another difference is not said beside it.
_FOLLOWS = {"sample_rate": "bandwidth_hz", "noise_db": "snr_db"}


def words_of(found: Inspection) -> str:
    """Return what was found in words, one paragraph."""
    sentences = [*_differences(found), *_answers(found), *_voices(found), *_cures(found)]
    return " ".join(sentences)


def differing(found: Inspection) -> list[Row]:
    """Return the measures by which many recordings lie outside, those of most first, without what follows."""
    rows = [row for row in rows_of(found) if row.beyond > _SAID]
    rows.sort(key=lambda row: -row.beyond)
    there = {row.measure.field for row in rows}
    return [row for row in rows if _FOLLOWS.get(row.measure.field) not in there]


def _differences(found: Inspection) -> Iterator[str]:
    if found.model is None:
        yield "Without a model there is nothing to hold these recordings against: name one with --model."
        return
    if found.known is None:
        yield f"{HOW[0].upper()}{HOW[1:]}."
        return
    rows = differing(found)
    if not rows:
        yield "Nothing that is measured here sets many of these recordings apart from those of the training."
    for place, row in enumerate(rows[:_MOST]):
        share = "" if row.verdict == OUTSIDE else f"; {100 * row.beyond:.0f} % of them lie outside of the training"
        yield f"{('What differs most: ', 'Besides, ', 'And ')[place]}{_said(row)}{share}."
    yours = {piece.language for piece in found.pieces if piece.language}
    if yours and found.known.languages and not yours <= set(found.known.languages):
        yield f"They are in {', '.join(sorted(yours))}, the training in {', '.join(found.known.languages)}."


def _said(row: Row) -> str:
    middle, one = PERCENTS.index(50), row.measure
    phrase = one.low if row.side < 0 and one.low else one.high
    training = row.yours if row.training is None else row.training
    return phrase.format(yours=f"{row.yours[middle]:.{one.digits}f}", training=f"{training[middle]:.{one.digits}f}")


def _answers(found: Inspection) -> Iterator[str]:
    shares = shares_of(found)
    yield from _numbers(found)
    if shares is None:
        return
    if shares.yours:
        yield _answered(shares)
    if shares.unsure is not None:
        before = "" if shares.unsure_training is None else f" ({100 * shares.unsure_training:.0f} % in the training)"
        yield f"At --abstain {RISK:g} it leaves {100 * shares.unsure:.0f} % unsure{before}."


def _numbers(found: Inspection) -> Iterator[str]:
    low, middle, high = (PERCENTS.index(one) for one in (5, 50, 95))
    same, elsewhere = [], []
    for name, (yours, training) in numbers_of(found).items():
        if training is None:
            continue
        before = f"{training[low]:.2f} to {training[high]:.2f}"
        if yours[high] - yours[low] < _ALIKE * (training[high] - training[low]):
            same.append(f"{name} {yours[middle]:.2f} ({before})")
        elif not training[0] <= yours[middle] <= training[-1]:
            elsewhere.append(f"{name} {yours[middle]:.2f} ({before})")
    for what, told in (("nearly the same of all of them", same), ("what it hardly said of its training", elsewhere)):
        if told:
            yield f"It says {what}: {', '.join(told)}; in brackets its answers to its training out of fold."


def _answered(shares: Shares) -> str:
    most = max(shares.yours, key=lambda name: shares.yours[name] - shares.training.get(name, 0.0))
    share, before = shares.yours[most], shares.training.get(most)
    if before is None:
        return f"The model answers {most} to {100 * share:.0f} % of them."
    if share - before <= _TOO_OFTEN:
        return "Answers fall on the classes about as often as in the training."
    return (
        f"The model answers {most} to {100 * share:.0f} % of them, to {100 * before:.0f} % of its training out of fold."
    )


def _voices(found: Inspection) -> Iterator[str]:
    far, n = far_voices(found)
    if far:
        which = "The voice, as it was recorded, lies" if n == 1 else f"{far} of {n} voices, as they were recorded, lie"
        yield f"{which} further from every speaker of the training than these lie from one another."


def _cures(found: Inspection) -> Iterator[str]:
    if found.model is None or found.known is None:
        return
    rows = differing(found)[:_MOST]
    if not rows:
        if far_voices(found)[0] or _one_sided(found):
            yield (
                "What is left to differ are voices, the language, and how feelings are shown: label some of these "
                "recordings, and train on them, too."
            )
        return
    rows = [row for row in rows if row.measure.cured in (0, row.side)]
    views = _there(VIEWS, [view for row in rows for view in row.measure.views])
    conditions = _there(_CONDITIONS, [row.measure.condition for row in rows])
    if views:
        named, asked = " and ".join(f"`{one}`" for one in views), ", ".join(f'"{one}"' for one in views)
        yield f"Train with the view{'s' if len(views) > 1 else ''} {named}: augment = [{asked}] in the definition."
    else:
        yield "No view imitates that: train on some recordings like these, too."
    if conditions:
        asked = " ".join(f"--condition {one}" for one in conditions)
        meta = found.model.meta
        # The beginning of a run's id names it; what was never logged has none.
        run = str(meta.get("run_id", ""))[:8] or meta.get("experiment", "EXPERIMENT")
        yield f"What it costs the model says: ser audit {run} {asked}."


def _one_sided(found: Inspection) -> bool:
    """Whether a class is answered far more often than in the training."""
    shares = shares_of(found)
    if shares is None or not shares.training:
        return False
    return max(share - shares.training[name] for name, share in shares.yours.items()) > _TOO_OFTEN


def _there(package: str, names: Sequence[str]) -> list[str]:
    """Return those of some names that there are, each once."""
    known = plugins.names(package)
    return [name for name in dict.fromkeys(names) if name in known]
