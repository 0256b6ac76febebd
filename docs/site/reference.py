"""The pages of the reference, made from the package while the site is built, so that none can go stale."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

import ser_experiments
from ser_experiments import cli, plugins
from ser_experiments.experiment import sections
from ser_experiments.models.spec import ZOO, Learning


def pages() -> dict[str, str]:
    """Return every generated page by its path in the site."""
    makers: dict[str, Callable[[], str]] = {
        "commands": commands,
        "definition": definition_keys,
        "families": families,
        "protocols": protocols,
        "scores": scores,
        "views": views,
        "conditions": conditions,
        "api": api,
    }
    return {f"reference/{name}.md": make() for name, make in makers.items()}


def commands() -> str:
    """Return every command with its arguments and options, as click knows them."""
    group = cli.ser
    lines = ["# Commands", "", "What `ser COMMAND --help` prints, of every command.", ""]
    for words, command in _walk(group, "ser"):
        if not command.hidden:
            lines += [*_command(words, command), ""]
    return "\n".join(lines)


def _walk(command: click.Command, words: str) -> Iterator[tuple[str, click.Command]]:
    yield words, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=words)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from _walk(found, f"{words} {name}")


def _command(words: str, command: click.Command) -> list[str]:
    context = click.Context(command, info_name=words)
    usage = " ".join([words, *command.collect_usage_pieces(context)])
    lines = [f"## {words}", "", "```", usage, "```", "", _text(command.help or ""), ""]
    options = [one for one in command.get_params(context) if isinstance(one, click.Option) and not one.hidden]
    if options:
        lines += ["| option | what it does |", "|---|---|", *(_option(one, context) for one in options)]
    return lines


def _option(option: click.Option, context: click.Context) -> str:
    record = option.get_help_record(context)
    said, what = record if record is not None else (", ".join(option.opts), option.help or "")
    return f"| {_code(said)} | {_cell(_plain(what))} |"


def _text(told: str) -> str:
    """Return the help of a command as Markdown: what click leaves as it is stays so, in a block."""
    parts = []
    for part in inspect.cleandoc(told).split("\f")[0].split("\n\n"):
        if part.startswith("\b"):
            parts.append("```\n" + part.removeprefix("\b").strip("\n") + "\n```")
        else:
            parts.append(_plain(part))
    return "\n\n".join(parts)


def definition_keys() -> str:
    """Return every key of a definition with its type, default and meaning, as pydantic knows them."""
    lines = [
        "# Keys of a definition", "",
        "A definition is one TOML file in `experiments/`. An unknown key is refused, with the nearest known one.", "",
    ]  # fmt: skip
    top = sections.Definition.model_fields
    plain = {name: field for name, field in top.items() if _section(field) is None}
    lines += ["## At the top", "", *_keys(plain), ""]
    for name, field in top.items():
        section = _section(field)
        if section is not None:
            told = inspect.getdoc(section) or ""
            lines += [
                f"## `[{name}]`",
                "",
                _plain(told.partition(": ")[2] or told),
                "",
                *_keys(section.model_fields),
                "",
            ]
    return "\n".join([*lines, "The parameters of each family are on [their page](families.md)."])


def _section(field: FieldInfo) -> type[BaseModel] | None:
    kinds = getattr(field.annotation, "__args__", (field.annotation,))
    found = [one for one in kinds if isinstance(one, type) and issubclass(one, BaseModel)]
    return found[0] if found else None


def _keys(fields: dict[str, FieldInfo]) -> list[str]:
    lines = ["| key | type | default | |", "|---|---|---|---|"]
    for name, field in fields.items():
        default = "needed" if field.is_required() else _code(repr(field.get_default(call_default_factory=True)))
        lines.append(f"| `{name}` | {_code(_type(field))} | {default} | {_cell(_plain(field.description or ''))} |")
    return lines


def _type(field: FieldInfo) -> str:
    annotation = field.annotation
    if annotation is None or (isinstance(annotation, type) and not hasattr(annotation, "__args__")):
        return getattr(annotation, "__name__", str(annotation))
    return str(annotation).replace("typing.", "")


def families() -> str:
    """Return every family of models with its parameters, of classes and of numbers."""
    lines = [
        "# Families of models", "",
        "`type` under `[model]` names one of them; every other key there is one of its parameters. A default is "
        "that of the estimator as the family builds it.", "",
    ]  # fmt: skip
    for name, module in _modules(ZOO):
        spec = module.SPEC
        lines += [f"## {name}", "", _plain(inspect.getdoc(module) or ""), "", *_learning("Classes", spec)]
        lines += _learning("Numbers", spec.regression) if spec.regression is not None else ["Learns no numbers.", ""]
    return "\n".join(lines)


def _learning(what: str, learning: Learning | Any) -> list[str]:
    defaults = learning.build().get_params(deep=False)
    rows = [f"| `{name}` | {_code(repr(defaults[name])) if name in defaults else ''} |" for name in learning.params()]
    head = [f"{what}: `{learning.estimator}`.", ""]
    return [*head, *(["| parameter | default |", "|---|---|", *rows, ""] if rows else [])]


def protocols() -> str:
    """Return every protocol with what it keeps apart."""
    lines = [
        "# Protocols",
        "",
        "`--protocol NAME` says who is tested by whom. [What makes a score honest](../evaluation.md).",
        "",
    ]
    for name, module in _modules("ser_experiments.evaluation.protocols"):
        protocol = module.PROTOCOL
        lines += [f"## {name.replace('_', '-')}", "", _plain(inspect.getdoc(module) or ""), ""]
        lines += [f"- intervals are taken over the {protocol.unit}s"]
        lines += ["- tested speakers are known to training: marked as a leak everywhere"] if protocol.leaky else []
        lines += ["- not every row is tested"] if protocol.partial else []
        lines += [""]
    return "\n".join(lines)


def scores() -> str:
    """Return every score, with what it is for and which way is better."""
    rows = ["| score | title | of | | |", "|---|---|---|---|---|"]
    for name, module in _modules("ser_experiments.evaluation.scores"):
        score = module.SCORE
        kinds, told = ", ".join(score.kinds), (inspect.getdoc(module) or "").split("\n\n")[0]
        rows.append(f"| `{name}` | {_cell(score.title)} | {kinds} | {score.rule} | {_cell(_plain(told))} |")
    head = [
        "# Scores",
        "",
        "Every run logs those of its kind of task; `--metric NAME` ranks by one. Each has an interval.",
        "",
    ]
    return "\n".join([*head, *rows])


def views() -> str:
    """Return every view of a recording."""
    rows = ["| view | |", "|---|---|"]
    for name, module in _modules("ser_experiments.features.views"):
        rows.append(f"| `{name}` | {_cell(_plain((inspect.getdoc(module) or '').split(chr(10) * 2)[0]))} |")
    return "\n".join(["# Views", "", "`augment` under `[features]` names them ([how](../augmentation.md)).", "", *rows])


def conditions() -> str:
    """Return every condition that a model is heard under."""
    rows = ["| kind | condition | |", "|---|---|---|"]
    for name, module in _modules("ser_experiments.audio.conditions"):
        rows += [f"| `{name}` | {_cell(one.name)} | {_cell(one.words)} |" for one in module.CONDITIONS]
    said = "`ser audit --condition NAME` takes the name of one, or of a kind ([how](../audit.md))."
    return "\n".join(["# Conditions", "", said, "", *rows])


def api() -> str:
    """Return every public name of the package; mkdocstrings puts the docstrings in their places."""
    lines = [
        "# Python",
        "",
        "The names that `import ser_experiments` offers. Everything else may change without notice.",
        "",
    ]
    for name in sorted(ser_experiments.__all__):
        found = getattr(ser_experiments, name)
        lines += [f"::: {found.__module__}.{found.__qualname__}", ""]
    return "\n".join(lines)


def _modules(package: str) -> Iterator[tuple[str, ModuleType]]:
    for name in plugins.names(package):
        yield name, importlib.import_module(f"{package}.{name.replace('-', '_')}")


def _plain(told: str) -> str:
    """Return prose of a docstring as Markdown."""
    told = told.replace("``", "`").replace("<", "&lt;")
    return told.replace(":class:", "").replace(":func:", "").replace(":mod:", "").replace(":meth:", "")


def _code(told: str) -> str:
    """Return code for a cell of a table: between its marks a bar ends no cell."""
    return f"`{' '.join(told.split())}`"


def _cell(told: str) -> str:
    return " ".join(told.split()).replace("|", "\\|")
