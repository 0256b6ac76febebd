"""Write ``docs/corpora.md``: every corpus, from the corpora themselves.

Run with ``python docs/build_corpora.py`` after a corpus has changed; a test fails until then.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from ser_experiments import plugins
from ser_experiments.corpora import PACKAGE, CorpusSpec

TARGET = Path(__file__).with_name("corpora.md")
HEAD = """# Corpora

Written by `python docs/build_corpora.py` from the corpora themselves: do not edit.

`ser run NAME --root FOLDER` reads a corpus as it was released; what lies under the folder says which one it is, and
`--corpus NAME` says it where it may be several. `ser corpora list` prints what stands here; `ser corpora describe
NAME --root FOLDER` counts a copy and holds it against a complete one. Nothing is ever fetched, and nothing is written
into a root.

## Copies as they are found

- The root may be any folder above the recordings; files may lie flat or in folders, with names in capitals.
- A recording that lies there twice, as in the copies of RAVDESS and TESS on Kaggle, is read once, from the place
  nearest to the root; the other places are named. A WAV is taken before an MP3 of the same name.
- Files of a Mac (`._x.wav`, `__MACOSX/`) are passed over. Pointers of Git LFS and empty files are left out and named;
  where there is nothing else, the error says `git lfs pull`.
- What is known to be bad is left out by name with the reason; what is odd is kept and said. Recordings that are one
  under two names are found by their sound, and never stand on both sides of a fold.
- A folder with a `metadata.csv` or `manifest.csv` is a manifest, whatever its recordings are called.
- Four corpora in one folder: `--corpus` takes its own files out of them.

## Labels

The first scheme of a corpus, its default, has all of its emotions, but for IEMOCAP, whose default is the field's
`4class`. `4class` is angry, happy, neutral, sad everywhere; in IEMOCAP and manifests excited counts as happy.
`6class` is angry, disgusted, fearful, happy, neutral, sad everywhere but in IEMOCAP and manifests. Where listeners
were asked, `perceived-voice` is what most of them heard, and the columns `votes`, `n_raters` and `agreement` keep
what they said: in CREMA-D it is what was acted in 42 % of the clips, so that scores on one say little about the
other.

Where votes are known, `--labels votes-SCHEME` (`votes-4class`, `votes-as-is`) takes the share of the votes that each
class has as what is to be predicted, utterances without a majority included. Votes for words without a class are left
out and counted. `--raters external|self|all` says whose words count in IEMOCAP, where the speakers judged themselves,
too; a rater who named two words counts once for each. A manifest has votes in a column `votes` (`angry=2;sad=1`) or
in a CSV of `utterance_id`, `rater`, `label` (`--votes FILE`), and then needs no `label`.

## Folds of others

A column `published_NAME` keeps a cut that others have published, `partition` the official one of a release. Most
folds of EmoBox have the same speakers on both sides and are not here: 91 of 91 speakers of CREMA-D, 10 of 10 of
EMO-DB, 83 of 87 of ShEMO, 63 of 65 of ASED, 2 of 2 of TESS. A published number on those is not independent of the
speaker. Texts overlap in all corpora of acted sentences, also where speakers do not; `text_id` tells them apart.
"""


def render() -> str:
    """Return the whole page."""
    modules = dict(plugins.each(PACKAGE, "corpus", holds="SPEC"))
    rows = ["| corpus | language | how | utterances | speakers | hours | licence |", "|---|---|---|---|---|---|---|"]
    rows += [_row(module.SPEC) for module in modules.values()]
    sections = [_section(module) for module in modules.values()]
    return "\n".join([HEAD, "## All of them", "", *rows, "", *sections])


def _row(spec: CorpusSpec) -> str:
    facts = spec.facts
    size = f"{facts.n_utterances:,}" if facts.n_utterances else ""
    hours = f"{facts.hours:.2f}" if facts.hours else ""
    cells = (f"[`{spec.name}`](#{spec.name})", facts.language, facts.elicitation, size, str(facts.n_speakers or ""),
             hours, spec.licence)  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def _section(module: ModuleType) -> str:
    spec, release = module.SPEC, getattr(module, "RELEASE", None)
    lines = [f"### {spec.name}", "", f"{spec.title}. {spec.citation}.", ""]
    lines += [f"- from {spec.facts.homepage}"] if spec.facts.homepage else []
    lines += [f"- layout: `{release.layout}`"] if release else []
    lines += [f"- `--labels {one.name}`: {one.rule or 'every word its own class'} ({one.note})"
              for one in spec.schemes.values()]  # fmt: skip
    lines += [f"- `--subset {' | '.join(spec.subsets)}`"] if len(spec.subsets) > 1 else []
    lines += [f"- `published_{name}`: {where}" for name, where in spec.published.items()]
    lines += [f"- warning: {spec.warning}"] if spec.warning else []
    if release:
        lines += [f"- left out: {what}" for what in release.apart.values()]
        lines += [f"- left out: `{name}` {why}" for name, why in release.bad.items()]
        lines += [f"- kept: `{name}` {what}" for name, what in release.odd.items()]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
