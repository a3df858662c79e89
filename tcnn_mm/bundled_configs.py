"""The configs that travel with the package, found by name from any folder.

The name of a config is its path below `configs/` without `.py`: `tcnn_voc07`,
`mixing/tcnn_mobilenetv2_voc07`. Its last part alone is enough where only one config has it.
"""

import difflib
import os
import os.path as osp

from tcnn_mm.errors import UserError

PACKAGE = osp.dirname(osp.abspath(__file__))


def config_folder() -> str:
    """Folder of the bundled configs: `tcnn_mm/.mim/configs`, in a clone the link's target."""
    folder = osp.join(PACKAGE, '.mim', 'configs')
    # A checkout without symbolic links (Windows) has a text file in place of the link.
    return folder if osp.isdir(folder) else osp.join(osp.dirname(PACKAGE), 'configs')


def bundled_configs() -> dict[str, str]:
    """Path of every bundled config that can be run, by name; bases (`_base_/`) are left out."""
    root, found = config_folder(), {}
    for folder, inner, files in os.walk(root, followlinks=True):
        inner[:] = sorted(name for name in inner if not name.startswith('_'))
        for file in sorted(files):
            if file.endswith('.py'):
                path = osp.join(folder, file)
                found[osp.relpath(path, root)[: -len('.py')].replace(os.sep, '/')] = path
    return found


def find_bundled(name: str) -> tuple[str, str]:
    """Name and path of the bundled config that a name, or the last part of one, stands for.

    Raises:
        UserError: No such config; lists the nearest names.
    """
    configs = bundled_configs()
    wanted = name[: -len('.py')] if name.endswith('.py') else name
    if wanted in configs:
        return wanted, configs[wanted]
    same = [full for full in configs if full.rpartition('/')[2] == wanted]
    if len(same) == 1:
        return same[0], configs[same[0]]
    raise UserError(
        f'no bundled config {name}; {nearest_names(wanted)}; all of them: tcnn configs list'
    )


def nearest_names(name: str) -> str:
    """The bundled configs whose names are most like this one, in words."""
    short = {full.rpartition('/')[2]: full for full in bundled_configs()}
    last = osp.splitext(osp.basename(name))[0]
    near = difflib.get_close_matches(last, short, n=3, cutoff=0.5)
    return f'nearest: {", ".join(short[key] for key in near)}' if near else 'none has a like name'


def find_config(name: str) -> str:
    """Path of a config: a file that exists, else the bundled config of this name.

    Raises:
        UserError: Neither.
    """
    if osp.isfile(name):
        return name
    try:
        return find_bundled(name)[1]
    except UserError:
        raise UserError(
            f'no config: {name}\nlooked for {osp.abspath(name)} and among the bundled configs\n'
            f'{nearest_names(name)}; all of them: tcnn configs list'
        ) from None


def config_summary(path: str) -> str:
    """The first comment line of a config: what it is."""
    with open(path, encoding='utf-8') as file:
        first = file.readline()
    return first.lstrip('# ').strip() if first.startswith('#') else ''
