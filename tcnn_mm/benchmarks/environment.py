"""The machine and the installation, as a bug report needs them."""

import os
import os.path as osp
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from mmengine.utils.dl_utils import collect_env

import tcnn_mm
from tcnn_mm.benchmarks.hardware import describe_hardware
from tcnn_mm.compat import has_compiled_ops
from tcnn_mm.engine.data_folders import FOLDERS

# Import name → names of its distributions: the maintained forks', then the upstream ones.
PACKAGES = {
    'mmengine': ('onedl-mmengine', 'mmengine', 'mmengine-lite'),
    'mmcv': ('onedl-mmcv', 'mmcv', 'mmcv-lite'),
    'mmpretrain': ('onedl-mmpretrain', 'mmpretrain'),
    'mmdet': ('onedl-mmdetection', 'mmdet'),
}
# Of mmengine's list: thirty lines of build flags, and a seed that is drawn for each call.
LEFT_OUT = ('PyTorch compiling details', 'numpy_random_seed')


def installed(names: Iterable[str]) -> list[str]:
    """'name version' of each of these distributions that is installed."""
    found = []
    for name in names:
        try:
            found.append(f'{name} {version(name)}')
        except PackageNotFoundError:
            continue
    return found


def package_family() -> dict[str, str]:
    """What is installed for each import name; two distributions of one name are an error to fix."""
    lines = {}
    for module, names in PACKAGES.items():
        found = installed(names)
        lines[module] = ' and '.join(found) or 'not installed'
        if len(found) > 1:
            lines[module] += ' (two of one name: uninstall both, install one)'
    return lines


def describe_folders() -> dict[str, str]:
    """Whether each folder variable is set, its path, and whether the folder exists."""
    lines = {}
    for name, default in FOLDERS.items():
        path = osp.abspath(osp.expanduser(os.environ.get(name) or default))
        state = 'found' if osp.isdir(path) else 'not found'
        lines[name] = f'{"set" if os.environ.get(name) else "not set"}; {path} {state}'
    return lines


def describe_environment() -> dict[str, str]:
    """Versions, package family, compiled ops, processor and folders, as lines by name."""
    machine = describe_hardware()
    kept = {key: str(value) for key, value in collect_env().items() if key not in LEFT_OUT}
    return {
        **kept,
        'tcnn_mm': f'{tcnn_mm.__version__} in {osp.dirname(tcnn_mm.__file__)}',
        **package_family(),
        'compiled mmcv ops': 'yes' if has_compiled_ops() else 'no (not needed)',
        'processor': f'{machine["cpu"]}, {machine["threads"]} threads for torch',
        'bfloat16 instructions': ', '.join(machine['bf16_instructions']) or 'none',
        **describe_folders(),
    }
