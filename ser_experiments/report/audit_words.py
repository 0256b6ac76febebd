"""An audit in words: what fails, and what would be the first remedy, by rule from what was found."""

from __future__ import annotations

from collections.abc import Mapping

from ser_experiments.evaluation.audited import Audited
from ser_experiments.evaluation.fairness import FAILED, PASSED, UNKNOWN
from ser_experiments.report.plain import span

#: Which view of the recordings is the next to a kind of condition, to be trained on.
_VIEWS: Mapping[str, str] = {
    "noise": "noise",
    "babble": "noise",
    "music": "noise",
    "room": "room",
    "speed": "speed",
    "band": "channel",
    "telephone": "channel",
    "codec": "channel",
}
#: What else helps against a kind of condition.
_OTHERWISE: Mapping[str, str] = {
    "level": "bring recordings to one level before the model hears them, and record without clipping",
    "extent": "give the model whole utterances, without silence around them",
}
_MOST_NAMED = 4


def in_words(audited: Audited) -> str:
    """Return a paragraph: what is left, what fails, what differs, what to try first."""
    told = [_scored(audited), *_fallen(audited), *_unequal(audited), *_unknown(audited), _remedy(audited)]
    return " ".join(one for one in told if one)


def _scored(audited: Audited) -> str:
    interval = f" (95 % interval {span(audited.low, audited.high)})" if audited.low == audited.low else ""
    return (
        f"As recorded, {audited.experiment} scores {audited.title} {audited.score:.3f}{interval} on "
        f"{audited.n_utterances} utterances of {len(audited.speakers)} speakers that it has not heard."
    )


def _fallen(audited: Audited) -> list[str]:
    if not audited.robustness:
        return []
    failed = [one for one in audited.robustness if one.verdict == FAILED]
    n_all = len(audited.robustness)
    if not failed:
        n_passed = sum(one.verdict == PASSED for one in audited.robustness)
        return [f"Under none of {n_all} conditions is it worse for certain; {n_passed} passed."]
    worst = max(failed, key=lambda one: one.worse[0])
    kinds = list(dict.fromkeys(one.condition.kind or one.condition.name for one in failed))
    return [
        f"It is worse for certain under {len(failed)} of {n_all} conditions ({', '.join(kinds)}); the worst, "
        f"{worst.condition.name}, leaves {worst.score:.3f}."
    ]


def _unequal(audited: Audited) -> list[str]:
    told = []
    for group in audited.fairness:
        failed = [part.name for part in group.parts if part.verdict == FAILED]
        if group.verdict == FAILED:
            order = sorted(group.scores, key=lambda name: -audited.better * group.scores[name])
            told.append(
                f"By {group.by} it differs by more than chance would show: {group.scores[order[0]]:.3f} for "
                f"{order[0]}, {group.scores[order[-1]]:.3f} for {order[-1]}."
            )
        if failed:
            told.append(
                f"By {group.by}, more than chance would show differs the {' and the '.join(failed[:_MOST_NAMED])}."
            )
    if told or not audited.fairness:
        return told
    known = [one.by for one in audited.fairness if one.verdict == PASSED]
    return [f"Speakers by {' and by '.join(known)} differ by no more than chance would show."] if known else []


def _unknown(audited: Audited) -> list[str]:
    unknown = [one for one in audited.findings if one.verdict == UNKNOWN]
    if not unknown:
        return []
    named = ", ".join(one.name for one in unknown[:_MOST_NAMED])
    more = f" and {len(unknown) - _MOST_NAMED} more" if len(unknown) > _MOST_NAMED else ""
    return [f"With so few speakers it cannot be told of {named}{more}."]


def _remedy(audited: Audited) -> str:
    """Say what to try first."""
    kinds = [one.condition.kind for one in audited.robustness if one.verdict == FAILED]
    views = list(dict.fromkeys(_VIEWS[kind] for kind in kinds if kind in _VIEWS))
    new = [view for view in views if view not in audited.views]
    told = []
    if new:
        listed = ", ".join(f'"{view}"' for view in [*audited.views, *new])
        told.append(f"train on views of the recordings (augment = [{listed}])")
    elif views:
        told.append(
            f"it is trained on views already ({', '.join(views)}): measure by an encoder, or train on recordings of "
            "such places"
        )
    told += [words for kind, words in _OTHERWISE.items() if kind in kinds]
    if any(one.verdict == FAILED or any(part.verdict == FAILED for part in one.parts) for one in audited.fairness):
        told.append("train on more speakers of the group that is worse, and give its score beside the whole one")
    if told:
        return f"First remedy: {'; '.join(told)}."
    if any(one.verdict == UNKNOWN for one in audited.findings):
        return "First remedy: record more speakers, so that it can be told."
    return "Nothing that was audited failed."
