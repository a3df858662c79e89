"""Read a config file so that its values are what is written: folders and names of any characters.

mmengine puts the value of `{{$TCNN_DATA:data}}` into the text of the file before it is parsed: a
quote or a backslash in a path ends the string. And it replaces `{{ … }}` again in the copy that a
run has written into its work dir, where all values are final.
"""

import os
import os.path as osp
import re
import traceback
import uuid
from collections.abc import Callable
from typing import Any
from unittest import mock

import mmengine
from mmengine.config import Config

from tcnn_mm.checkpoints.config_text import dumped_values
from tcnn_mm.compat import config_dict
from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.engine.data_folders import FOLDERS
from tcnn_mm.errors import UserError

# Characters that would not be themselves inside a string of Python, or of mmengine's braces.
_SPECIAL = re.compile(r'[\'"\\{}\n\r]')


def read_config(path: str) -> Config:
    """Read a config file; what a run has written is read by its values as they are.

    Args:
        path: A file; TCNN_DATA and TCNN_WEIGHTS are set.

    Raises:
        UserError: What the file or one that it inherits does wrong, with its line.
    """
    values = dumped_values(path) if path.endswith('.py') else None
    if values is not None and 'command' in values:
        return Config(values, filename=path)
    special = {
        f'tcnn_mm_{uuid.uuid4().hex}': (name, os.environ[name])
        for name in FOLDERS
        if _SPECIAL.search(os.environ.get(name, ''))
    }
    with mock.patch.dict(os.environ, {name: token for token, (name, _) in special.items()}):
        cfg = _from_file(path)
    if not special:
        return cfg

    def restored(text: str) -> str:
        for token, (_, value) in special.items():
            text = text.replace(token, value)
        return text

    replace_text(config_dict(cfg), restored)
    return cfg


def _from_file(path: str) -> Config:
    """`Config.fromfile`; what a config does wrong is one line."""
    try:
        return Config.fromfile(path)
    except (ImportError, UserError):
        raise
    except Exception as error:  # whatever the code of a config raises
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        if '_get_package_and_cfg_path' in reason:
            reason = "a bundled config is inherited by _base_ = 'tcnn_mm::_base_/../NAME.py'"
        raise UserError(
            f'{printable(path)}: cannot be read as a config: {_place(error, path)}'
            f'{type(error).__name__}: {printable(reason)[:300]}'
        ) from error


def _place(error: Exception, path: str) -> str:
    """'line 3: ', 'base.py, line 3: ', or '' where no line of a config has raised the error."""
    if isinstance(error, SyntaxError):
        return f'line {error.lineno}: '
    tools = osp.dirname(mmengine.__file__), __file__
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename.endswith('.py') and not frame.filename.startswith(tools):
            own = osp.abspath(frame.filename) == osp.abspath(path)
            return f'{"" if own else f"{printable(frame.filename)}, "}line {frame.lineno}: '
    return ''


def replace_text(part: Any, change: Callable[[str], str]) -> Any:
    """A nested value with each text in it changed; dicts are changed in place."""
    if isinstance(part, str):
        return change(part)
    if isinstance(part, dict):
        for key, value in part.items():
            part[key] = replace_text(value, change)
        return part
    if type(part) in (list, tuple):
        return type(part)(replace_text(each, change) for each in part)
    return part
