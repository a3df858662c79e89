"""What a bug report needs to know of the machine and the installation."""

import importlib.util
import os
import os.path as osp
from importlib.metadata import PackageNotFoundError, version

from mmengine.utils.dl_utils import collect_env

import tcnn_mm
from tcnn_mm.engine.load_config import FOLDERS
from tcnn_mm.models.encoder.hardware import describe_machine

# Import name → names of its distributions: the maintained forks', then the upstream ones.
PACKAGES = {
    'mmengine': ('onedl-mmengine', 'mmengine', 'mmengine-lite'),
    'mmcv': ('onedl-mmcv', 'mmcv', 'mmcv-lite'),
    'mmpretrain': ('onedl-mmpretrain', 'mmpretrain'),
    'mmdet': ('onedl-mmdetection', 'mmdet'),
}


def installed(names):
    """'name version' of those of these distributions that are installed."""
    found = []
    for name in names:
        try:
            found.append(f'{name} {version(name)}')
        except PackageNotFoundError:
            continue
    return found


def package_family():
    """{import name: what is installed for it}; two families of one name are an error to mend."""
    lines = {}
    for module, names in PACKAGES.items():
        found = installed(names)
        lines[module] = ' and '.join(found) or 'not installed'
        if len(found) > 1:
            lines[module] += ' (two of one name: uninstall both, install one)'
    return lines


def describe_environment():
    """dict[str, str]: Versions, family of packages, compiled ops, processor, folders found."""
    theirs = collect_env()
    machine = describe_machine()
    ours = {
        'tcnn_mm': f'{tcnn_mm.__version__} in {osp.dirname(tcnn_mm.__file__)}',
        **package_family(),
        'compiled mmcv ops': 'yes' if importlib.util.find_spec('mmcv._ext') else 'no (not needed)',
        'processor': f'{machine["cpu"]}, {machine["threads"]} threads for torch',
        'bfloat16 instructions': ', '.join(machine['bf16_instructions']) or 'none',
    }
    for name, default in FOLDERS:
        path = osp.abspath(osp.expanduser(os.environ.get(name) or default))
        there = 'found' if osp.isdir(path) else 'not there'
        said = 'set' if os.environ.get(name) else 'not set'
        ours[name] = f'{said}; {path} {there}'
    kept = {
        key: str(value)
        for key, value in theirs.items()
        # Thirty lines of build flags; a seed that is drawn for each call.
        if key not in ('PyTorch compiling details', 'numpy_random_seed')
    }
    return {**kept, **ours}
