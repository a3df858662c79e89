"""How a command ends: one line for an error that the user can act on."""

import errno
import io
import os
import re
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from tcnn_mm.cli.process_errors import lost_process
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


# Before the message, in the traceback of a worker.
_RAISED = re.compile(r'^[\w.]*(?:UserError|InvalidValueError|NotFiniteError): ', re.M)


def escape_output() -> None:
    """Print what an output stream cannot encode as escapes: file names that are not UTF-8."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors='backslashreplace')


def exit_with_error(message: str) -> NoReturn:
    """Print `error: …` on stderr and end the process with status 1."""
    if message.startswith('Caught '):  # out of a data loader's worker: see UserError
        message = _RAISED.split(message.strip())[-1]
    print(f'error: {message}', file=sys.stderr)
    sys.exit(1)


# What helps, by the system's error; the others have the system's words alone.
_REMEDIES = {
    errno.ENOSPC: 'free some space, then give the same command again',
    errno.EDQUOT: 'free some space, then give the same command again',
    errno.EACCES: 'change its permissions, or give another path',
    errno.EPERM: 'change its permissions, or give another path',
    errno.EROFS: 'give a path that can be written',
    errno.EEXIST: 'a file is where a folder is needed; give another path, or move the file',
    errno.ENOTDIR: 'a file is where a folder is needed; give another path, or move the file',
    errno.EISDIR: 'a folder is where a file is needed; give another path',
    errno.ENAMETOOLONG: 'give a shorter path',
    errno.EMFILE: 'raise the limit of open files: ulimit -n 4096',
}


def system_error(error: OSError) -> str | None:
    """One line for what the system refused: the file, its reason, what helps.

    Returns:
        None for an error that is not the system's.
    """
    if error.errno is None or not error.strerror:
        return None
    from tcnn_mm.datasets.image_ids import printable  # heavy

    where = '' if error.filename is None else f'{printable(os.fsdecode(error.filename))}: '
    remedy = _REMEDIES.get(error.errno)
    return f'{where}{error.strerror}' + (f'; {remedy}' if remedy else '')


def run_tool(main: Callable[[], object]) -> None:
    """Call a command; what the user can act on ends it with one line and status 1, no traceback.

    That is a :class:`UserError`, what the system refuses (permissions, space, a file in the place
    of a folder), a part of a config with a wrong type or argument, and another process that was
    lost.
    """
    escape_output()
    try:
        os.getcwd()
    except FileNotFoundError:
        exit_with_error('the current folder was deleted; go to one that exists: cd DIR')
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
    except OSError as error:
        lost = lost_process(error)
        message = system_error(error) if lost is None else f'{lost}. Give the same command again'
        if message is None:
            raise
        exit_with_error(message)
    except ImportError as error:
        message = missing_package(error)
        if message is None:
            raise
        exit_with_error(message)
    except (RuntimeError, EOFError) as error:
        message = lost_process(error)
        if message is None:
            raise
        exit_with_error(f'{message}. Give the same command again')
    except (KeyError, TypeError) as error:
        from tcnn_mm.cli.part_errors import part_error  # heavy

        message = part_error(error)
        if message is None:
            raise
        exit_with_error(message)
