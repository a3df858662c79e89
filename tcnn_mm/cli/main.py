"""The console command `tcnn`: reads the command line and runs the module of the command."""

import argparse
import importlib
from collections.abc import Sequence
from typing import Protocol, cast

import tcnn_mm
from tcnn_mm.cli.errors import escape_output, run_tool
from tcnn_mm.cli.process_settings import keep_kernels

# In the order of `tcnn --help`. Each is a module of this package.
COMMANDS = (
    'demo', 'check', 'fit', 'predict', 'prelabel', 'app', 'report', 'compare', 'audit', 'suggest',
    'train', 'test', 'export', 'weights', 'configs', 'benchmark', 'env',
)  # fmt: skip
# Those that import neither torch nor the toolbox.
LIGHT = ('configs',)


class Command(Protocol):
    """A module of this package that is a command. Importing it is cheap: `run` imports the rest.

    Its docstring is the text of `--help`; the first line says what the command does.
    """

    __doc__: str | None
    __name__: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the arguments of the command."""

    def run(self, args: argparse.Namespace) -> None:
        """Do it.

        Raises:
            UserError: Ends the process with one line and status 1.
        """


def find_command(name: str) -> Command:
    """The module of a command."""
    return cast(Command, importlib.import_module(f'tcnn_mm.cli.{name}'))


def fill_parser(parser: argparse.ArgumentParser, command: Command) -> argparse.ArgumentParser:
    """Make a parser that of a command: its help, its arguments, and what it runs."""
    parser.description = command.__doc__
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    command.add_arguments(parser)
    parser.set_defaults(run=command.run, command=command.__name__.rpartition('.')[2])
    return parser


def build_parser() -> argparse.ArgumentParser:
    """The parser of `tcnn` with all commands."""
    parser = argparse.ArgumentParser(
        prog='tcnn',
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=16),
        description='Classify and localize with patches: transfer of pretrained CNNs.',
        epilog='`tcnn COMMAND --help` describes a command. Exit status: 0, 1 (error: one line on '
        'stderr), 2 (wrong usage).',
    )
    parser.add_argument('--version', action='version', version=f'tcnn_mm {tcnn_mm.__version__}')
    commands = parser.add_subparsers(title='commands', metavar='COMMAND', required=True)
    for name in COMMANDS:
        command = find_command(name)
        # The first line up to a colon: what follows it is for the help of the command itself.
        summary = (command.__doc__ or '').splitlines()[0].rstrip('.').partition(':')[0]
        fill_parser(commands.add_parser(name, help=summary), command)
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run `tcnn ARGV…`; argv defaults to that of the process."""
    escape_output()  # help and usage errors print too
    run_command(build_parser().parse_args(argv))


def run_script(name: str) -> None:
    """Run one command as a script of its own (`tools/train.py`), on the process's arguments."""
    escape_output()
    run_command(fill_parser(argparse.ArgumentParser(), find_command(name)).parse_args())


def run_command(args: argparse.Namespace) -> None:
    """Run the command that was parsed; an error that the user can act on is one line."""
    if args.command not in LIGHT:
        from tcnn_mm.compat import ignore_import_warnings

        ignore_import_warnings()
        keep_kernels()
    run_tool(lambda: _run(args))


def _run(args: argparse.Namespace) -> None:
    """Run a command; `--trust-checkpoint` holds for whatever it loads."""
    if not getattr(args, 'trust_checkpoint', False):
        args.run(args)
        return
    from tcnn_mm.checkpoints.loading import trusting  # heavy

    with trusting(True):
        args.run(args)
