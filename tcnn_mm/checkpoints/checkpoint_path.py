"""A path where a checkpoint is needed: what to give in the place of one that is no such file."""

import glob
import os
import os.path as osp
import shlex

from tcnn_mm.checkpoints.resuming import LAST, candidates
from tcnn_mm.checkpoints.weight_paths import local_path
from tcnn_mm.errors import UserError

# Of mmengine's checkpoint hook, by epochs and by iterations.
TEMPLATES = ('epoch_{}.pth', 'iter_{}.pth')
SUFFIXES = ('.pth', '.pt', '.safetensors')
# Bytes of a path in `last_checkpoint`, and files that a message lists.
LONGEST, MOST = 4096, 3


def check_checkpoint_path(filename: str | os.PathLike[str]) -> None:
    """Refuse a path that is no checkpoint file, before anything is computed; URLs pass.

    Raises:
        UserError: Nothing is there, a folder, or the text file `last_checkpoint`; names the file
            to give.
    """
    name = os.fspath(filename)
    if '://' in name:
        return
    path = local_path(name)
    if osp.isdir(path):
        raise UserError(f'{name}: a folder; {_file_to_give(name, path)}')
    if not osp.isfile(path):
        raise UserError(_missing(name, path))
    named = named_checkpoint(path)
    if named:
        raise UserError(
            f'{name}: the text file that names the newest checkpoint; give that one: '
            f'{shlex.quote(named)}'
        )


def named_checkpoint(path: str) -> str | None:
    """Path of the checkpoint that a `last_checkpoint` names, in its folder as it is now."""
    if osp.basename(path) != LAST or osp.getsize(path) > LONGEST:
        return None
    found = candidates(osp.dirname(path) or '.', TEMPLATES[0])
    return found[0] if found else None


def newest_checkpoint(folder: str) -> str | None:
    """The newest checkpoint of a run, or of the run inside the folder of a fit; None without."""
    for place in (folder, osp.join(folder, 'run')):
        for template in TEMPLATES:
            found = candidates(place, template)
            if found:
                return found[0]
    return None


def _file_to_give(name: str, path: str) -> str:
    """Advice for a folder: its newest checkpoint, else the weight files in it."""
    newest = newest_checkpoint(path)
    if newest:
        return f'give its newest checkpoint: {shlex.quote(_as_given(newest, name, path))}'
    files = _weight_files(path)
    if files:
        return f'give a file of it: {", ".join(files)}'
    return f'it holds no checkpoint: give a file ({", ".join(SUFFIXES)})'


def _as_given(file: str, name: str, path: str) -> str:
    """A file below a folder, with the folder as the reader has written it."""
    return osp.join(name, osp.relpath(file, path))


def _weight_files(folder: str) -> list[str]:
    """Names of the weight files of a folder: the first, and … where there are more."""
    names = sorted(
        osp.basename(file)
        for suffix in SUFFIXES
        for file in glob.glob(osp.join(glob.escape(folder), f'*{suffix}'))
    )
    return [*names[:MOST], *(['…'] if len(names) > MOST else [])]


def _missing(name: str, path: str) -> str:
    """What to do where there is no file: weights have a folder of their own."""
    weights = osp.abspath(osp.expanduser(os.environ.get('TCNN_WEIGHTS') or 'checkpoints'))
    first = f'no weights: {osp.basename(path)}\nlooked for {path}'
    if path.startswith(weights + os.sep):
        return (
            f'{first} (TCNN_WEIGHTS is the folder of weights)\n'
            'put the file there, or set another folder: export TCNN_WEIGHTS=DIR'
        )
    folder = osp.dirname(path)
    if not osp.isdir(folder):
        return f'{first}; there is no folder {folder}'
    newest = newest_checkpoint(folder)
    files = [osp.relpath(newest, folder)] if newest else _weight_files(folder)
    there = f'in that folder: {", ".join(files)}' if files else 'give another path'
    return f'{first}; {there}'
