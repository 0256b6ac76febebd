"""The command ``ser``: one file a subcommand, found by this folder and imported when it is asked for."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import sys

import click

from ser_experiments import __version__, plugins, project
from ser_experiments.cli._complete import complete, is_asked, paths, with_completion
from ser_experiments.cli._failures import words_of
from ser_experiments.cli._groups import Group, say_as_much
from ser_experiments.cli._say import how_much, say
from ser_experiments.cli._signals import end_at_once, hear
from ser_experiments.errors import InputError, nearest
from ser_experiments.words import cut, in_one_line


class _Commands(Group):
    """The subcommands: each module of this package holds one as ``command``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the modules of this package."""
        return plugins.names(__name__)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one module and take its command."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = plugins.load(__name__, cmd_name, "command").command
        say_as_much(command)
        return with_completion(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest command where there is none of that name."""
        name = args[0]
        if not ctx.resilient_parsing and not name.startswith("-") and self.get_command(ctx, name) is None:
            ctx.fail(f"unknown command {name!r}{nearest(name, self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="ser")
@click.option(
    "-C",
    "folders",
    multiple=True,
    metavar="FOLDER",
    shell_complete=paths,
    help="Work as if started in FOLDER; paths are relative to it.",
)
@click.option("-v", "--verbose", is_flag=True, help="Say what is done step by step, with times.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but results, warnings and errors.")
def ser(verbose: bool, quiet: bool, folders: tuple[str, ...]) -> None:
    """Speech emotion recognition experiments: one command, comparable, honest.

    Begin with `ser list`, then `ser run xgb_lld`; with nothing configured it runs on the built-in demo corpus.
    """
    _say_anything()
    for folder in folders:
        _go_to(folder)
    how_much(verbose=verbose, quiet=quiet)
    own = project.locate().plugins
    if own is not None:
        plugins.use(own)


def _go_to(folder: str) -> None:
    """Let a folder be the current one."""
    try:
        os.chdir(folder)
    except OSError as error:
        raise InputError(f"-C {cut(folder)}: cannot be gone to: {error.strerror or error}") from error


#: Objects that are made before Python looks for circles among the young ones: to import makes hundreds of thousands,
#: and a look after every 700 of them, as is usual, finds nothing and takes a tenth of a run's processor time. So many
#: are more than imports make, and a few dozen MiB.
_LOOK_AFTER = 500_000


def _say_anything() -> None:
    """Let texts be written whatever the streams can encode: a file's name must not end a command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def main() -> None:
    """Be the process of the command: hear signals while it works, and end at once by one that comes afterwards."""
    hear()
    # A stream that was closed, as by a daemon, takes what is said and forgets it.
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    if is_asked():
        complete(ser)
        return
    gc.set_threshold(_LOOK_AFTER, *gc.get_threshold()[1:])
    try:
        answer()
    finally:
        end_at_once()
        # What is left goes with the process: to take it apart object by object would take a second.
        gc.freeze()


def answer() -> None:
    """Run the command; an error is one line, without a traceback, also one that nobody foresaw."""
    try:
        started_in = os.getcwd()
    except FileNotFoundError:
        started_in = None
    try:
        _answered()
    finally:
        # What goes on in this process after the command, as tests do, goes on where it was.
        if started_in is not None:
            with contextlib.suppress(OSError):
                os.chdir(started_in)


def _answered() -> None:
    try:
        ser.main(standalone_mode=False, prog_name="ser")
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.Abort:
        say("interrupted", err=True)
        sys.exit(130)
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        hint = f" (see: {context.command_path} --help)" if context else ""
        say(f"error: {in_one_line(error.format_message())}{hint}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        say("interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        # The reader (head, less) has gone; point stdout elsewhere so that the flush at exit stays quiet.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        words, code = words_of(error)
        say(f"error: {words}", err=True)
        sys.exit(code)
