"""``ser audit``: what is left of a score in noise, on telephones and in codecs, and for whom it is worse."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import click
from click.core import ParameterSource

from ser_experiments.cli._complete import completes
from ser_experiments.cli._options import CorpusCommand, as_json, request_options, take
from ser_experiments.cli._progress import Showing
from ser_experiments.cli._project import here
from ser_experiments.cli._say import say
from ser_experiments.errors import StoreError
from ser_experiments.experiment.request import RunRequest

#: Nothing is audited on features that were made elsewhere, or on voices that were trained on.
_NOT_HERE = frozenset({"table", "allow_columns", "allow_leak"})


@click.command("audit", cls=CorpusCommand)
@click.argument("audited", metavar="RUN|MODEL|EXPERIMENT", shell_complete=completes("audited"))
@request_options(RunRequest, without=_NOT_HERE)
@click.option(
    "--condition", "wanted", multiple=True, metavar="NAME", shell_complete=completes("conditions"),
    help="A condition, or a kind of them such as `noise` or `telephone`; several may be given, by default all.",
)  # fmt: skip
@click.option("-o", "--output", "out", metavar="FILE", help="Write the page, too: a .html file, or .md with pictures.")
@click.option("--no-log", is_flag=True, help="Keep nothing with a run.")
@as_json
@click.pass_context
def command(
    ctx: click.Context,
    audited: str,
    wanted: tuple[str, ...],
    out: str | None,
    no_log: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Audit a run, a model or an experiment: noise, groups.

    What is left of its score in noise, music, rooms, on telephones and in codecs, and for which speakers it is worse.
    Each fold's model answers for voices it has not heard, as they were recorded and under each condition; nothing is
    trained on what is changed.

    A RUN is named by the beginning of its id, a MODEL as `ser predict` takes it: what was said of the run is said
    again, its answers must come out the same, and the audit is kept with it. An option that is given counts instead,
    e.g. --root where the corpus lies elsewhere now. An EXPERIMENT is a name that `ser list` shows, with the options it
    was run with; where a finished run gave the same answers, the audit is kept with that.
    """
    from ser_experiments.cli import _audit
    from ser_experiments.evaluation.audit_file import as_dict
    from ser_experiments.experiment.audit import audit
    from ser_experiments.experiment.audited_run import meant
    from ser_experiments.report.written import program

    if out is not None:
        _audit.check_page(out)
    project = here(writes=True)
    said = {key: value for key, value in given.items() if ctx.get_parameter_source(key) is not ParameterSource.DEFAULT}
    request = take(RunRequest, given, experiment=audited)
    with meant(project, request, said, log=not no_log) as one, Showing() as shown:
        _audit.say_meant(one)
        done = audit(
            one.request,
            project,
            wanted=wanted,
            tell=lambda line: shown.say(f"{line} ..."),
            progress=shown.measured,
            heard=one.hear,
        )
    found = one.of_run(replace(done.found, program=program(), when=_audit.now()))
    kept, refused = False, None
    try:
        kept = not no_log and _audit.keep(project, one, found)
    except StoreError as error:  # what was found is said all the same
        refused = error
    if as_json:
        say(json.dumps({**as_dict(found), "kept": kept}))
    else:
        _audit.show(found)
        _audit.show_kept(one, kept)
    if out is not None:
        _audit.write_page(found, out)
    if refused is not None:
        raise refused
