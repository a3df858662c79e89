"""Checkpoints without running code: weights-only, with a list of what mmengine's own files hold."""

import codecs
import hashlib
import json
import os.path as osp
import pickle
import re

import numpy as np
import torch
from mmengine.logging.history_buffer import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader, get_torchvision_models

from tcnn_mm.checkpoints.atomic_write import atomic_path
from tcnn_mm.compat import numpy_pickle_functions, safe_globals
from tcnn_mm.errors import UserError

# Weights that ship with the package, made by our own recipes.
SHIPPED = osp.join(osp.dirname(osp.dirname(osp.abspath(__file__))), 'models', 'weights')

SAFETENSORS = '.safetensors'
# Its metadata are text by name; ours is the checkpoint's `meta` as JSON.
META_KEY = 'tcnn_mm_meta'


def _history_attribute(owner, name):
    """The one use of `getattr` in mmengine's files: the statistics of its log buffers."""
    if owner is not HistoryBuffer or name.startswith('_'):
        raise pickle.UnpicklingError(f'getattr({owner!r}, {name!r})')
    return getattr(owner, name)


def _named(function, module, name):
    """A copy of a function that unpickles under another's name."""
    copy = type(function)(function.__code__, function.__globals__, name)
    copy.__module__, copy.__qualname__ = module, name
    return copy


def allowed_types():
    """Types beside tensors that a checkpoint of mmengine may hold: logs and numpy scalars."""
    scalars = [np.dtype, np.ndarray] + [type(np.dtype(kind)) for kind in 'bBhHiIlLqQefd?U']
    attribute = [
        _named(_history_attribute, module, 'getattr') for module in ('builtins', '__builtin__')
    ]
    # numpy's bytes pass through codecs.encode.
    return [HistoryBuffer, *numpy_pickle_functions(), codecs.encode, *attribute, *scalars]


def local_path(filename):
    """Absolute path of a weight file; of one that ships, for `tcnn_mm://NAME`."""
    if filename.startswith('tcnn_mm://'):
        return osp.join(SHIPPED, filename[len('tcnn_mm://') :])
    return osp.abspath(osp.expanduser(filename))


def file_digest(path):
    """First 16 hex digits of a file's sha256; the name itself where it is no local file."""
    local = local_path(path)
    if not osp.isfile(local):
        return path
    with open(local, 'rb') as file:
        return hashlib.sha256(file.read()).hexdigest()[:16]


def load_safely(filename, map_location='cpu', trust=False):
    """Read a checkpoint file or URL as data only.

    Args:
        filename (str): A path, an http(s) URL, `torchvision://NAME`, or `tcnn_mm://NAME` for a
            file that ships with the package.
        map_location: As for `torch.load`.
        trust (bool): Unpickle anything, code too: only for files of your own.

    A `.safetensors` file gives the same: `state_dict`, and `meta` where ours wrote it.

    Raises:
        UserError: The file is missing, damaged, or holds more than data.
    """
    filename = str(filename)
    if filename.startswith('torchvision://'):
        urls = get_torchvision_models()
        name = filename[len('torchvision://') :]
        if name not in urls:
            raise UserError(f'{filename}: torchvision has no weights of this name')
        filename = urls[name]
    if filename.startswith(('http://', 'https://')):
        return torch.hub.load_state_dict_from_url(
            filename, map_location=map_location, weights_only=not trust
        )
    path = local_path(filename)
    if not osp.isfile(path):
        raise UserError(
            f'no weights: {osp.basename(path)}\n'
            f'looked for {path} (TCNN_WEIGHTS is the folder of weights)\n'
            'put the file there, or set another folder: export TCNN_WEIGHTS=DIR'
        )
    if path.endswith(SAFETENSORS):
        return _read_safetensors(path, map_location)
    try:
        with safe_globals(allowed_types()):
            return torch.load(path, map_location=map_location, weights_only=not trust)
    except pickle.UnpicklingError as error:
        found = re.search(r'GLOBAL (\S+)', str(error))
        reason = f'it holds {found.group(1)}' if found else str(error).split('\n')[0]
        raise UserError(
            f'{path}: not a weights-only file ({reason}); if you made it yourself, pass '
            '--trust-checkpoint'
        ) from error
    except (RuntimeError, EOFError, OSError) as error:
        raise UserError(f'{path}: damaged checkpoint ({str(error).splitlines()[0]})') from error


def _safetensors(path):
    """The optional package, or one line that says how to get it."""
    try:
        import safetensors.torch
    except ImportError as error:
        raise UserError(f'{path}: needs safetensors; pip install safetensors') from error
    return safetensors


def _read_safetensors(path, map_location):
    package = _safetensors(path)
    try:
        with package.safe_open(path, 'pt', device=str(map_location or 'cpu')) as file:
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            meta = json.loads((file.metadata() or {}).get(META_KEY, '{}'))
    except (package.SafetensorError, ValueError) as error:
        raise UserError(f'{path}: damaged checkpoint ({str(error).splitlines()[0]})') from error
    return dict(meta=meta, state_dict=state)


def write_checkpoint(path, checkpoint):
    """Write a checkpoint's file; it stands in its place when it is complete, and only then.

    Args:
        path (str): Of torch's format, or `.safetensors`: tensors, and `meta` as JSON text.
        checkpoint (dict): For safetensors `state_dict` and `meta` alone.
    """
    path = str(path)
    with atomic_path(path) as draft:
        if path.endswith(SAFETENSORS):
            text = {META_KEY: json.dumps(checkpoint['meta'])}
            # It knows no other memory layout (ours is channels_last) and no shared memory.
            state = {
                key: value.clone(memory_format=torch.contiguous_format)
                for key, value in checkpoint['state_dict'].items()
            }
            _safetensors(path).torch.save_file(state, draft, text)
        else:
            torch.save(checkpoint, draft)


def install_safe_loader(trust=False):
    """Make mmengine's `load_from`, `resume` and `init_cfg` read files through `load_safely`."""

    def load(filename, map_location=None):
        return load_safely(filename, map_location, trust)

    CheckpointLoader.register_scheme(prefixes='', loader=load, force=True)


def model_state(checkpoint):
    """The state dict inside a checkpoint of mmengine, of torch, or in its bare form."""
    for key in ('state_dict', 'model'):
        if isinstance(checkpoint.get(key), dict):
            checkpoint = checkpoint[key]
    return {key.removeprefix('module.'): value for key, value in checkpoint.items()}
