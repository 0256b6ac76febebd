"""What a shell offers for the words of a command: names that are known here, by what a parameter is called.

A shell asks at every press of a key. So nothing is written, nobody is asked over a network, no project's own code is
run, and whatever goes wrong offers nothing. What is not known by its name completes as its type does: files, choices.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import redirect_stderr, suppress
from typing import Any

import click
from click.shell_completion import CompletionItem

from ser_experiments import plugins, project
from ser_experiments.experiment.lookup import experiment_names

#: Names and, where one helps to choose, a word about each.
Offer = Iterable[tuple[str, str]]
Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

#: How a shell says what it wants; click's own name for a command ``ser``.
VARIABLE = "_SER_COMPLETE"
_PROTOCOLS, _CORPORA = "ser_experiments.evaluation.protocols", "ser_experiments.corpora"
#: Files of protocols that are not said by their own name: by another option, or with more behind them.
_OTHERWISE = {"own_folds": "", "published": "published:", "transfer": "transfer"}
_MOST = 500


def is_asked() -> bool:
    """Whether it is a shell that started this process, to complete a word."""
    return bool(os.environ.get(VARIABLE))


def complete(command: click.Command) -> None:
    """Answer a shell; what goes wrong is neither said nor kept, since it would stand in the line that is written."""
    with redirect_stderr(io.StringIO()), suppress(Exception, SystemExit):
        command.main(prog_name="ser", complete_var=VARIABLE, standalone_mode=False)


def completes(what: str) -> Completer:
    """Return what completes a parameter by a kind of names, for one whose own name does not say which.

    Parameters
    ----------
    what : str
        A key of :data:`OFFERS`.
    """

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        del param
        try:
            _go_where_it_is_meant(ctx)
            own = project.locate().plugins
            plugins.use(own)
            offered = OFFERS[what](ctx, incomplete)
            found = [CompletionItem(name, help=help or None) for name, help in offered if name.startswith(incomplete)]
        except Exception:  # a shell has nowhere to say it
            return []
        return found[:_MOST]

    return complete


def paths(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Let the shell complete files and folders."""
    return [CompletionItem(incomplete, type="file")]


def with_completion(command: click.Command) -> click.Command:
    """Let each parameter of a command that takes known names complete; one that says itself how stays as it is."""
    for param in command.params:
        said = COMPLETERS.get(str(param.name))
        if said is not None and _says_nothing(param):
            param._custom_shell_complete = said
    if isinstance(command, click.Group):
        for below in command.commands.values():
            with_completion(below)
    return command


def _says_nothing(param: click.Parameter) -> bool:
    """Whether a parameter takes any text, for all that is known of it."""
    return param._custom_shell_complete is None and isinstance(param.type, click.types.StringParamType)


def _go_where_it_is_meant(ctx: click.Context) -> None:
    """Go to the folder that -C names: its callback is not called here."""
    root = ctx.find_root()
    for param in root.command.params:
        if "-C" in param.opts:
            given = root.params.get(str(param.name)) or ()
            for folder in (given,) if isinstance(given, str) else given:
                os.chdir(folder)


# --- what is known ---------------------------------------------------------------------------------------------------


def _experiments(ctx: click.Context, incomplete: str) -> Offer:
    return [(name, "") for name in experiment_names(project.locate().experiments)]


def _of_package(package: str) -> Callable[[click.Context, str], Offer]:
    return lambda ctx, incomplete: [(name, "") for name in plugins.names(package)]


def _corpora(ctx: click.Context, incomplete: str) -> Offer:
    name, equals, _ = incomplete.partition("=")
    known = plugins.names(_CORPORA)
    # Behind NAME= stands a root, and words of a line are all that a shell knows to complete there.
    return [(incomplete, "")] if equals and name in known else [(one, "") for one in known]


def _specs(ctx: click.Context) -> Iterator[Any]:
    """Yield the corpora that are meant: those that are named, else the demo; with a root, any may be."""
    said = ctx.params.get("corpus") or ()
    named = [one.partition("=")[0] for one in ((said,) if isinstance(said, str) else said)]
    every = plugins.names(_CORPORA)
    for name in named or (every if ctx.params.get("root") else ["demo"]):
        # A file of the project is not run because somebody pressed a key.
        if name.replace("-", "_") in every and plugins.require(_CORPORA, name, "corpus").ours:
            yield plugins.load(_CORPORA, name, "corpus").SPEC


def _labels(ctx: click.Context, incomplete: str) -> Offer:
    from ser_experiments.corpora._rules import offered

    for spec in _specs(ctx):
        for name in offered(spec):
            yield name, spec.schemes[name].note if name in spec.schemes else ""


def _subsets(ctx: click.Context, incomplete: str) -> Offer:
    return [(name, "") for spec in _specs(ctx) for name in spec.subsets]


def _protocols(ctx: click.Context, incomplete: str) -> Offer:
    names = [_OTHERWISE.get(name, name.replace("_", "-")) for name in plugins.names(_PROTOCOLS)]
    published = []
    if incomplete.startswith("published:"):
        published = [f"published:{name}" for spec in _specs(ctx) for name in spec.published]
    return [(name, "") for name in (*names, *published) if name]


def _normalisations(ctx: click.Context, incomplete: str) -> Offer:
    known = ["none", "neutral-3", "enrol-10", "speaker"]
    for kind in ("neutral-", "enrol-"):
        if incomplete.startswith(kind):
            return [(f"{kind}{number}", "") for number in (1, 2, 3, 5, 10)]
    return [(name, "") for name in known]


def _weights(ctx: click.Context, incomplete: str) -> Offer:
    return [("agreement", "rows that raters agree on weigh more")]


def _settings(ctx: click.Context, incomplete: str) -> Offer:
    from ser_experiments.tracking.known import known

    return [(name, "") for name in known(project.locate()).settings]


def _runs(ctx: click.Context, incomplete: str) -> Offer:
    from ser_experiments.tracking.known import known

    return known(project.locate()).runs


def _experiments_and_runs(ctx: click.Context, incomplete: str) -> Offer:
    yield from _experiments(ctx, incomplete)
    if incomplete:
        yield from _runs(ctx, incomplete)


def _audited(ctx: click.Context, incomplete: str) -> Offer:
    yield from _experiments_and_runs(ctx, incomplete)
    if incomplete:
        yield from _models(ctx, incomplete)


def _audit_names(ctx: click.Context, incomplete: str) -> Offer:
    from ser_experiments.evaluation.fairness import KNOWN_OF, PITCH

    names = (*plugins.names("ser_experiments.audio.conditions"), *KNOWN_OF, PITCH)
    return [(name, "") for name in names]


def _models(ctx: click.Context, incomplete: str) -> Offer:
    from ser_experiments.tracking.known import known

    return known(project.locate()).models


def _encoders(ctx: click.Context, incomplete: str) -> Offer:
    from ser_experiments.features.encoders.catalogue import catalogue

    return [(name, f"{one.parameters:g} M, {one.licence}") for name, one in catalogue().items()]


def _feature_sets(ctx: click.Context, incomplete: str) -> Offer:
    name, at, _ = incomplete.partition("@")
    if at:
        return [(f"{name}@{view}", "") for view in plugins.names("ser_experiments.features.views")]
    return [(one, "") for one in plugins.names("ser_experiments.features.sets")]


def _keys(ctx: click.Context, incomplete: str) -> Offer:
    from ser_experiments.cli._keys import keys

    name = ctx.params.get("experiment") or ctx.params.get("experiments") or ""
    names = [name] if isinstance(name, str) else list(name)
    return [(f"{key}=", now) for key, now in keys([one for one in names if one], incomplete).items()]


#: By kind of names.
OFFERS: Mapping[str, Callable[[click.Context, str], Offer]] = {
    "experiments": _experiments,
    "corpora": _corpora,
    "labels": _labels,
    "subsets": _subsets,
    "protocols": _protocols,
    "normalisations": _normalisations,
    "weights": _weights,
    "scores": _of_package("ser_experiments.evaluation.scores"),
    "sets": _feature_sets,
    "settings": _settings,
    "runs": _runs,
    "experiments and runs": _experiments_and_runs,
    "models": _models,
    "encoders": _encoders,
    "keys": _keys,
    "conditions": _of_package("ser_experiments.audio.conditions"),
    "audited": _audited,
    "audit names": _audit_names,
}
#: By what a parameter is called, in whatever command it is: the one place where a new command finds it.
COMPLETERS: Mapping[str, Completer] = {
    "experiment": completes("experiments"),
    "experiments": completes("experiments"),
    "corpus": completes("corpora"),
    "corpora": completes("corpora"),
    "test_corpus": completes("corpora"),
    "labels": completes("labels"),
    "subset": completes("subsets"),
    "protocol": completes("protocols"),
    "normalize": completes("normalisations"),
    "weights": completes("weights"),
    "metric": completes("scores"),
    "sets": completes("sets"),
    "setting": completes("settings"),
    "settings": completes("settings"),
    "run": completes("experiments and runs"),
    "runs": completes("runs"),
    "names": completes("experiments and runs"),
    "model": completes("models"),
    "overrides": completes("keys"),
    "root": paths,
    "test_root": paths,
    "table": paths,
    "folds_file": paths,
    "target": paths,
    "places": completes("models"),
    "out": paths,
}
