"""How a command ends: one line for an error that the user can act on."""

import io
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from tcnn_mm.compat import lacks_compiled_ops
from tcnn_mm.errors import UserError


def missing_package(error: ImportError) -> str | None:
    """What to install for an import error of mmdet or of mmcv's ops; None for any other."""
    if lacks_compiled_ops(error):
        return (
            "mmdet's models need mmcv's compiled ops (mmcv._ext), and this mmcv has none; "
            'docs/mixing.md says how to build them'
        )
    # mmengine raises one without a name for a missing `mmdet::…` base.
    if (error.name or str(error)).startswith('mmdet'):
        return (
            "mmdet is not installed: pip install 'tcnn_mm[det]', or, beside OpenMMLab's own mmcv "
            'with compiled ops, mmdet'
        )
    return None


def escape_output() -> None:
    """Print what an output stream cannot encode as escapes: file names that are not UTF-8."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors='backslashreplace')


def exit_with_error(message: str) -> NoReturn:
    """Print `error: …` on stderr and end the process with status 1."""
    if message.startswith('Caught '):  # out of a data loader's worker: see UserError
        message = message.strip().splitlines()[-1].partition('UserError: ')[2]
    print(f'error: {message}', file=sys.stderr)
    sys.exit(1)


def run_tool(main: Callable[[], object]) -> None:
    """Call a command; a :class:`UserError` ends it with its message and status 1, no traceback."""
    escape_output()
    try:
        main()
        sys.stdout.flush()
    except BrokenPipeError:
        # `tcnn configs list | head`: the reader has what it wants. Python would complain once more
        # when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        sys.exit(128 + signal.SIGINT)  # as shells report it
    except UserError as error:
        exit_with_error(str(error))
    except ImportError as error:
        message = missing_package(error)
        if message is None:
            raise
        exit_with_error(message)
