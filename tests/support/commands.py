"""The tools as a user types them, for tests: what they print and how they end."""

import logging
import os
import os.path as osp
import runpy
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import IO

from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import DefaultScope

from tcnn_mm.cli.main import main
from tests.support.time_limit import LONGEST
from tests.support.tool_module import tool_path

ROOT = osp.dirname(osp.dirname(osp.dirname(osp.abspath(__file__))))


def config(name: str) -> str:
    """Return the path of a bundled config."""
    return osp.join(ROOT, 'configs', name)


def run_fresh(
    tool: str, *arguments: object, cwd: str | Path, **env: str | None
) -> CompletedProcess[str]:
    """Run a script of tools/, or `tcnn`, in a fresh interpreter: 4 s of imports."""
    return _start_fresh(tool, arguments, cwd, env).wait()


def run(tool: str, *arguments: object, cwd: str | Path, **env: str | None) -> CompletedProcess[str]:
    """Run the same in a process of its own, without the imports' seconds where there is fork.

    Args:
        tool: Name of a script of tools/, or 'tcnn'.
        *arguments: Words of the command line.
        cwd: Folder to run in.
        **env: Environment variables to set; None removes one.

    Returns:
        CompletedProcess: returncode, stdout, stderr.
    """
    return start(tool, *arguments, cwd=cwd, **env).wait()


def start(tool: str, *arguments: object, cwd: str | Path, **env: str | None) -> 'Running':
    """Start what :func:`run` runs, and do not wait for it."""
    if not hasattr(os, 'fork'):
        return _start_fresh(tool, arguments, cwd, env)
    argv = ['tcnn' if tool == 'tcnn' else tool_path(tool), *map(str, arguments)]
    files = _output_file(), _output_file()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        # Locks of the parent's threads are held for ever here: what hangs ends, and fails its test.
        signal.alarm(LONGEST)
        os._exit(_become(argv, cwd, env, *(file.fileno() for file in files)))
    return Running(argv, *files, lambda: os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


@dataclass
class Running:
    """A process that was started; `wait` ends it and gives what it printed."""

    argv: list[str]
    out: IO[str]
    err: IO[str]
    exit_status: Callable[[], int]

    def wait(self) -> CompletedProcess[str]:
        """Wait for its end; returns returncode, stdout, stderr."""
        status, texts = self.exit_status(), []
        for file in (self.out, self.err):
            file.seek(0)
            texts.append(file.read())
            file.close()
        return CompletedProcess(self.argv, status, *texts)


def _output_file() -> IO[str]:
    return tempfile.TemporaryFile('w+')


def _start_fresh(
    tool: str, arguments: Iterable[object], cwd: str | Path, env: dict[str, str | None]
) -> Running:
    script = ['-m', 'tcnn_mm.cli'] if tool == 'tcnn' else [tool_path(tool)]
    argv = [sys.executable, *script, *map(str, arguments)]
    out, err = _output_file(), _output_file()
    path = os.pathsep.join([ROOT, *filter(None, [os.environ.get('PYTHONPATH')])])
    merged = {**os.environ, 'PYTHONPATH': path, **env}
    process = subprocess.Popen(
        argv,
        cwd=cwd,
        stdout=out,
        stderr=err,
        env={key: value for key, value in merged.items() if value is not None},
    )
    return Running(argv, out, err, lambda: process.wait(timeout=LONGEST))


def _become(
    argv: list[str], cwd: str | Path, env: dict[str, str | None], out: int, err: int
) -> int:
    """Run the script in the child as `python argv…` would; returns its exit status."""
    status = 1
    try:
        # As in a fresh process: loggers would write to streams of tests long over.
        for kept in (MMLogger, MessageHub, DefaultScope):
            kept._instance_dict.clear()
        for logger in (logging.root, *logging.root.manager.loggerDict.values()):
            getattr(logger, 'handlers', []).clear()
        os.dup2(out, 1)
        os.dup2(err, 2)
        # pytest has put its own files in place of these.
        sys.stdout, sys.stderr = os.fdopen(1, 'w'), os.fdopen(2, 'w')
        os.chdir(cwd)
        for key, value in env.items():
            os.environ.pop(key, None)
            if value is not None:
                os.environ[key] = value
        sys.argv = argv
        if argv[0] == 'tcnn':
            main()
        else:
            sys.path[0] = osp.dirname(argv[0])
            runpy.run_path(argv[0], run_name='__main__')
        status = 0
    except SystemExit as end:
        if end.code is not None and not isinstance(end.code, int):
            print(end.code, file=sys.stderr)
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    return status
