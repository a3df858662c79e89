"""The tools as a user types them, for tests: what they print and how they end."""

import logging
import os
import os.path as osp
import runpy
import subprocess
import sys
import tempfile
import traceback
from subprocess import CompletedProcess

from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import DefaultScope

from tcnn_mm.cli.main import main
from tests.support.tool_module import tool_path

ROOT = osp.dirname(osp.dirname(osp.dirname(osp.abspath(__file__))))


def config(name):
    """Path of a config of ours."""
    return osp.join(ROOT, 'configs', name)


def run_fresh(tool, *arguments, cwd, **env):
    """A script of tools/, or 'tcnn', in a fresh interpreter: 4 s of imports."""
    script = [sys.executable, *(['-m', 'tcnn_mm.cli'] if tool == 'tcnn' else [tool_path(tool)])]
    return subprocess.run(
        [*script, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=900,
        env={**os.environ, **env},
    )


def run(tool, *arguments, cwd, **env):
    """The same in a fork of this process: a process of its own, without the imports' seconds.

    Returns:
        CompletedProcess: returncode, stdout, stderr.
    """
    argv = ['tcnn' if tool == 'tcnn' else tool_path(tool), *map(str, arguments)]
    with tempfile.TemporaryFile('w+') as out, tempfile.TemporaryFile('w+') as err:
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if child == 0:
            os._exit(_become(argv, cwd, env, out.fileno(), err.fileno()))
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read())
    return CompletedProcess(argv, status, *texts)


def _become(argv, cwd, env, out, err):
    """In the child: run the script as `python argv…` would; returns its exit status."""
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
        os.environ.update(env)
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
