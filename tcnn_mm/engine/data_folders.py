"""The folders of data and weights that configs read from the environment."""

import os
import os.path as osp

from tcnn_mm.datasets.image_ids import is_encodable, printable
from tcnn_mm.errors import UserError

# Variable → its default, relative to the current folder.
FOLDERS = {'TCNN_DATA': 'data', 'TCNN_WEIGHTS': 'checkpoints'}


def resolve_folders() -> None:
    """Make TCNN_DATA and TCNN_WEIGHTS absolute paths; call it before a config is read.

    An unset variable becomes the default folder below the current one.

    Raises:
        UserError: A variable is set but empty, or not UTF-8.
    """
    for name, default in FOLDERS.items():
        value = os.environ.get(name, default)
        if not value.strip():
            raise UserError(f'{name} is set but empty: export {name}=DIR, or unset {name}')
        if not is_encodable(value):
            raise UserError(
                f'{name}={printable(value)}: not UTF-8, and configs hold it as text; rename the '
                'folder, or link to it: ln -s'
            )
        os.environ[name] = osp.abspath(osp.expanduser(value))
