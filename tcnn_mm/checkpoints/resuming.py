"""Choose the checkpoint from which a training goes on: the newest one that is whole."""

import os
import os.path as osp
import re
import shlex
import zipfile
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from mmengine.runner.checkpoint import CheckpointLoader

from tcnn_mm.errors import UserError

# Written by the checkpoint hook after each checkpoint: the path of the newest one.
LAST = 'last_checkpoint'
# What mmengine's `resume` reads, by name of the entry.
NEEDED = ('meta', 'state_dict', 'message_hub')


class Resumable(NamedTuple):
    """The checkpoint to resume from.

    Attributes:
        path (str | None): None where no checkpoint is whole.
        skipped (list[str]): Newer checkpoints that are not whole: 'PATH: reason'.
    """

    path: str | None
    skipped: list[str]


def newest_whole(folder: str, template: str = 'epoch_{}.pth', last: str | None = None) -> Resumable:
    """Return the newest whole checkpoint of a folder.

    Args:
        folder: Of the checkpoints. It may have been moved: the path in `last_checkpoint` is read
            for its file name.
        template: mmengine's `filename_tmpl`: a file name with `{}` in the place of the number.
        last: Folder of `last_checkpoint`, mmengine's work dir. Defaults to `folder`.
    """
    skipped: list[str] = []
    for path in candidates(folder, template, last):
        reason = why_not_whole(path)
        if reason is None:
            return Resumable(path, skipped)
        skipped.append(f'{path}: {reason}')
    return Resumable(None, skipped)


def candidates(folder: str, template: str, last: str | None = None) -> list[str]:
    """Paths of checkpoints, newest first: that of `last_checkpoint`, then by their numbers."""
    before, _, after = template.partition('{}')
    pattern = re.compile(re.escape(before) + r'(\d+)' + re.escape(after))
    numbered = []
    for name in os.listdir(folder) if osp.isdir(folder) else ():
        found = pattern.fullmatch(name)
        if found:
            numbered.append((int(found.group(1)), osp.join(folder, name)))
    paths = [path for _, path in sorted(numbered, reverse=True)]
    named = _named_last(folder, last or folder)
    if named:
        paths = [named, *(path for path in paths if path != named)]
    return paths


def _named_last(folder: str, last: str) -> str | None:
    """The checkpoint that `last_checkpoint` names, looked for in its folder as it is now."""
    path = osp.join(last, LAST)
    if not osp.isfile(path):
        return None
    with open(path, encoding='utf-8', errors='replace') as file:
        name = re.split(r'[/\\]', file.read().strip().strip('\0'))[-1]
    return osp.join(folder, name) if name and osp.isfile(osp.join(folder, name)) else None


def why_not_whole(path: str) -> str | None:
    """Say why a training cannot go on from a checkpoint file; None if it can.

    The file is read by the loader that mmengine has, so that `--trust-checkpoint` counts.
    """
    if not osp.isfile(path):
        return 'no such file'
    if not osp.getsize(path):
        return 'empty file'
    try:
        content = CheckpointLoader.load_checkpoint(path, map_location='cpu')
        broken = _broken_entry(path)
    except UserError as error:
        return str(error).splitlines()[0].removeprefix(f'{path}: ')
    except Exception as error:  # whatever a reader raises at bytes that are no checkpoint
        return f'damaged checkpoint ({type(error).__name__}: {str(error).split(chr(10))[0]})'
    if broken:
        return f'damaged checkpoint (its entry {broken} has changed since it was written)'
    lacking = [key for key in NEEDED if key not in content] if isinstance(content, dict) else NEEDED
    if lacking or not {'epoch', 'iter'} <= set(content['meta']):
        return (
            f'weights alone, without the state of a training ({", ".join(lacking) or "epoch, iter"}'
            '); start a training from them: tcnn train … --cfg-options '
            f'{shlex.quote(f"load_from={path}")}'
        )
    names = not_finite(content['state_dict'])
    return f'holds NaN or infinity: {", ".join(names[:3])}' if names else None


def not_finite(state: Mapping[str, Any]) -> list[str]:
    """Names of the tensors of a state dict that hold NaN or infinity."""
    return [
        name
        for name, value in state.items()
        if isinstance(value, torch.Tensor)
        and value.is_floating_point()
        and not bool(torch.isfinite(value).all())
    ]


def _broken_entry(path: str) -> str | None:
    """Name of an entry whose checksum is wrong; torch does not compare it when it loads."""
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as file:
        return file.testzip()
