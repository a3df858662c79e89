"""Files of a feature bank while it is made: a draft beside its place, complete or absent.

The manifest calls images `images`: the format is older than the word.
"""

import json
import os
import os.path as osp
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmengine.dist import barrier, is_main_process
from mmengine.logging import print_log

from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.datasets.feature_bank import FILES, recipe_differences
from tcnn_mm.errors import UserError


@dataclass
class BankDraft:
    """The arrays of an unfinished bank, on disk.

    Attributes:
        folder (str): The draft.
        features (memmap): (flips, rows, …) float16.
        whole (memmap, optional): (images, D) float16, mean features of the largest patches.
        done (memmap): (images,) uint8, 1 where an image is complete.
    """

    folder: str
    features: np.memmap
    whole: np.memmap | None
    done: np.memmap


def _whole_shape(
    recipe: Mapping[str, Any], images: int, feature_shape: Sequence[int]
) -> tuple[int, int] | None:
    """Shape of the features of whole images; None where the bank holds none."""
    flat = len(feature_shape) == 1 and recipe['patches'] != 'all'
    return (images, feature_shape[0]) if flat else None


def _remove_other_draft(draft: str, recipe: Mapping[str, Any]) -> None:
    """Remove a draft that was begun with another recipe."""
    manifest = osp.join(draft, FILES['manifest'])
    if osp.isfile(manifest):
        with open(manifest, encoding='utf-8') as file:
            if recipe_differences(json.load(file)['recipe'], dict(recipe)):
                shutil.rmtree(draft)


def _create(
    folder: str,
    draft: str,
    manifest: Mapping[str, Any],
    rows: Mapping[str, Any],
    whole: tuple[int, int] | None,
) -> None:
    """Write the files of a new draft; its manifest last, so that it marks a whole draft."""
    os.makedirs(draft, exist_ok=True)
    shape, images = manifest['shape'], len(manifest['pictures'])
    need, free = int(np.prod(shape)) * 2, shutil.disk_usage(draft).free
    print_log(
        f'feature bank {folder}: {shape[1]} patches of {images} images × {shape[0]} × '
        f'{"×".join(map(str, shape[2:]))} float16, {need / 1e9:.2f} GB of disk '
        f'({free / 1e9:.1f} GB free)',
        'current',
    )
    if need * 1.02 > free:
        os.rmdir(draft)
        raise UserError(
            f'{folder}: needs {need / 1e9:.2f} GB, the disk has {free / 1e9:.1f} GB free'
        )
    np.savez(osp.join(draft, FILES['rows']), **rows)
    files = [(FILES['features'], need), (FILES['done'], images)]
    if whole:
        files.append((FILES['whole'], whole[0] * whole[1] * 2))
    for name, size in files:
        with open(osp.join(draft, name), 'wb') as file:
            file.truncate(size)
    with atomic_write(osp.join(draft, FILES['manifest'])) as text:
        json.dump(manifest, text)


def open_draft(
    folder: str,
    recipe: Mapping[str, Any],
    images: Sequence[Mapping[str, Any]],
    rows: Mapping[str, np.ndarray],
    feature_shape: Sequence[int],
) -> BankDraft:
    """Open the draft of a bank; one of the same recipe is continued, any other made anew.

    Args:
        folder: Of the finished bank.
        recipe: Of :func:`bank_recipe`.
        images: Records of the images.
        rows: Boxes (N, 4), labels (N,), first and sizes (images,).
        feature_shape: Of one patch.

    Raises:
        UserError: The disk has too little space.
    """
    draft = folder + '.part'
    shape = (1 + recipe['flips'], len(rows['labels']), *feature_shape)
    whole_shape = _whole_shape(recipe, len(images), feature_shape)
    if is_main_process():
        _remove_other_draft(draft, recipe)
        if not osp.isfile(osp.join(draft, FILES['manifest'])):
            classes = recipe['source']['classes']
            manifest = dict(recipe=recipe, shape=shape, classes=classes, pictures=images)
            _create(folder, draft, manifest, rows, whole_shape)
    barrier()
    whole = None
    if whole_shape:
        path = osp.join(draft, FILES['whole'])
        whole = np.memmap(path, np.float16, mode='r+', shape=whole_shape)
    return BankDraft(
        folder=draft,
        features=np.memmap(osp.join(draft, FILES['features']), np.float16, 'r+', shape=shape),
        whole=whole,
        done=np.memmap(osp.join(draft, FILES['done']), np.uint8, mode='r+'),
    )


def finish_draft(draft: BankDraft, folder: str) -> None:
    """Put a complete draft in its place, after all processes have filled it.

    Raises:
        UserError: Images are missing.
    """
    barrier()
    if is_main_process():
        missing = int((np.asarray(draft.done) == 0).sum())
        if missing:
            raise UserError(f'{draft.folder}: {missing} images are missing; run the command again')
        os.remove(osp.join(draft.folder, FILES['done']))
        os.replace(draft.folder, folder)
        print_log(f'feature bank complete: {folder}', 'current')
    barrier()
