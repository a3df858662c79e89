"""Copies of bundled configs: a thin file that inherits one, or one file with everything."""

import os
import os.path as osp
import shlex
from unittest import mock

from mmengine.config import Config

from tcnn_mm.bundled_configs import find_bundled
from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.compat import quiet_log
from tcnn_mm.errors import UserError


def config_text(name: str, full: bool = False) -> str:
    """Source of a bundled config.

    Args:
        name: As for :func:`find_bundled`.
        full: With everything that it inherits. Folders still come from TCNN_DATA and TCNN_WEIGHTS.

    Raises:
        UserError: An unknown name.
    """
    _, path = find_bundled(name)
    if not full:
        with open(path, encoding='utf-8') as file:
            return file.read()
    from tcnn_mm.engine.data_folders import FOLDERS

    # mmengine replaces `{{$NAME:default}}` by the variable's value: here by the same words.
    variables = {key: f'{{{{${key}:{default}}}}}' for key, default in FOLDERS.items()}
    with mock.patch.dict(os.environ, variables), quiet_log():
        return Config.fromfile(path).pretty_text + '\n'


def thin_text(name: str) -> str:
    """A config that inherits a bundled one, ready to be changed.

    Raises:
        UserError: An unknown name.
    """
    full_name, _ = find_bundled(name)
    # mmengine reads `package::file` only with a folder in the file's path.
    base = full_name if '/' in full_name else f'_base_/../{full_name}'
    return (
        f'# Inherits the bundled config {full_name}: '
        f'tcnn configs show {shlex.quote(full_name)} --full\n'
        '# Add what you change, e.g. optim_wrapper = dict(optimizer=dict(lr=0.005))\n'
        f"_base_ = 'tcnn_mm::{base}.py'\n"
    )


def copy_config(name: str, out: str | None = None, full: bool = False) -> str:
    """Write a copy of a bundled config.

    Args:
        out: Defaults to the last part of the name with `.py`, in the current folder.
        full: One file that inherits nothing, instead of a thin one.

    Returns:
        The file's path.

    Raises:
        UserError: An unknown name; the file exists.
    """
    full_name, _ = find_bundled(name)
    path = out or osp.basename(full_name) + '.py'
    if osp.exists(path):
        raise UserError(f'{path}: exists already; give another name: --out FILE')
    text = config_text(full_name, full) if full else thin_text(full_name)
    with atomic_write(path) as file:
        file.write(text)
    return path
