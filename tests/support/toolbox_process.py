"""Scripts in processes that have imported packages of others, and nothing of ours."""

import multiprocessing
import os
import sys
import tempfile
from pathlib import Path
from subprocess import CompletedProcess

from tests.support.time_limit import LONGEST

# A server imports these once, 4 s, and forks a process for each script.
PRELOADED = ['torch', 'torch.distributed.optim', 'torchvision', 'mmengine.runner']


def run_script(script: str, *arguments: str, cwd: str | Path) -> CompletedProcess[str]:
    """Run a script as `python -c SCRIPT ARGUMENTS…` does, with `PRELOADED` imported before.

    Args:
        script: Its text.
        *arguments: Its `sys.argv[1:]`.
        cwd: Folder to run in.

    Returns:
        CompletedProcess: returncode, stdout, stderr.
    """
    context = multiprocessing.get_context(
        'forkserver' if 'forkserver' in multiprocessing.get_all_start_methods() else 'spawn'
    )
    context.set_forkserver_preload(PRELOADED)
    with tempfile.TemporaryDirectory() as folder:
        texts = [Path(folder, name) for name in ('out', 'err')]
        process = context.Process(target=_run, args=(script, arguments, str(cwd), texts))
        process.start()
        process.join(LONGEST)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f'{LONGEST} s: {script}')
        out, err = (path.read_text(encoding='utf-8') for path in texts)
    return CompletedProcess(['-c', *arguments], process.exitcode, out, err)


def _run(script: str, arguments: tuple[str, ...], cwd: str, texts: list[Path]) -> None:
    for number, path in enumerate(texts, 1):
        file = os.open(path, os.O_WRONLY | os.O_CREAT)
        os.dup2(file, number)
        os.close(file)
    os.chdir(cwd)
    sys.argv = ['-c', *arguments]
    assert not any(name.partition('.')[0] == 'tcnn_mm' for name in sys.modules)
    exec(compile(script, '<script>', 'exec'), {'__name__': '__main__'})
