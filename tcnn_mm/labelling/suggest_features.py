"""Features of unlabelled images on disk: computed once per image, one file each.

A file is named by the content of its image, so images that were moved, renamed or added cost
nothing or only themselves; each file is complete or absent. Another network, other scales or
another reading of the images have a folder of their own.

Letters: P patches, D channels, (H, W) pixels of an image.
"""

import hashlib
import json
import os
import os.path as osp
import shutil
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.logging import print_log
from mmpretrain.structures import DataSample

from tcnn_mm.checkpoints.atomic_write import atomic_path, atomic_write, remove_stale_drafts
from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.engine.bank_recipe import plain_settings
from tcnn_mm.engine.progress import progress_bar
from tcnn_mm.errors import UserError
from tcnn_mm.inference.inputs import ReadLog, read_image
from tcnn_mm.models.patch_model import PatchModel
from tcnn_mm.patches.geometry import largest

RECIPE = 'recipe.json'


class PoolImage(NamedTuple):
    """An image: its path, and the hash of the bytes of its file."""

    path: str
    content: str


class ImageFeatures(NamedTuple):
    """Features of one image.

    Attributes:
        whole (ndarray): (D,) float32, mean of the largest patches.
        size_hw (tuple[int, int]): Height and width, as read.
        boxes (ndarray, optional): (P, 4) xyxy pixels of all patches.
        features (ndarray, optional): (P, …) float16 of them.
    """

    whole: np.ndarray
    size_hw: tuple[int, int]
    boxes: np.ndarray | None = None
    features: np.ndarray | None = None


def features_recipe(model: PatchModel, upright: bool) -> dict[str, Any]:
    """Everything that the features of an image depend on, for JSON."""
    digest = hashlib.sha256()
    for part in ('backbone', 'neck'):
        module = getattr(model, part, None)
        for name, value in module.state_dict().items() if module is not None else ():
            digest.update(f'{part}.{name}'.encode())
            digest.update(value.detach().cpu().contiguous().view(-1).numpy().tobytes())
    sampler = model.sampler
    return dict(
        network=digest.hexdigest()[:16],
        layers_below=list(model.encoder.layers_below),
        feature_mode=model.feature_mode,
        dense_tile=model.encoder.dense_tile,
        dense_scales=list(model.encoder.dense_scales or ()),
        dtype=str(model.frozen_dtype),
        preprocessing={key: str(value) for key, value in model.preprocessing.items()},
        sampler=plain_settings(sampler),
        grid=plain_settings(getattr(sampler, 'grid', None)) if hasattr(sampler, 'grid') else {},
        upright=upright,
    )


class FeatureFolder:
    """Features of images by one model.

    Args:
        folder: For the features of any models.
        model: In eval mode, with its weights.
        upright: Apply the EXIF rotation.
    """

    def __init__(self, folder: str, model: PatchModel, upright: bool) -> None:
        self.model, self.upright = model, upright
        recipe = json.dumps(features_recipe(model, upright), sort_keys=True, indent=1)
        self.folder = osp.join(folder, hashlib.sha256(recipe.encode()).hexdigest()[:12])
        os.makedirs(self.folder, exist_ok=True)
        remove_stale_drafts(self.folder)
        path = osp.join(self.folder, RECIPE)
        if not osp.isfile(path):
            with atomic_write(path) as file:
                file.write(recipe)

    def path(self, image: PoolImage, windows: bool) -> str:
        """The file of an image, with its windows or of the whole image alone."""
        return osp.join(self.folder, f'{image.content}{"" if windows else ".whole"}.npz')

    def read(self, image: PoolImage, windows: bool) -> ImageFeatures:
        """The features of an image that was described.

        Raises:
            UserError: The file is damaged.
        """
        path = self.path(image, windows)
        try:
            with np.load(path, allow_pickle=False) as file:
                height, width = file['size_hw'].tolist()
                kept = (file['boxes'], file['features']) if windows else (None, None)
                return ImageFeatures(file['whole'], (height, width), *kept)
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise UserError(f'{path}: damaged ({error}); remove it and start again') from error

    def describe(self, images: Sequence[PoolImage], windows: bool) -> None:
        """Compute the features that are not there yet.

        Args:
            images: Any number; of several with the same content one is computed.
            windows: Of all patches, which votes need; else of the whole image alone.

        Raises:
            UserError: An image cannot be read or has features of NaN; too little disk.
        """
        missing = {
            image.content: image for image in images if not osp.isfile(self.path(image, windows))
        }
        known = len({image.content for image in images}) - len(missing)
        if known:
            print_log(f'{self.folder}: features of {known} images exist', 'current')
        bar = progress_bar(len(missing), 'image')
        for number, image in enumerate(missing.values()):
            path = self.path(image, windows)
            with atomic_path(path, '.npz') as draft:
                self._write(draft, image, windows)
            if not number:
                self._check_space(osp.getsize(path) * (len(missing) - 1))
            bar.update()
        bar.close()

    def _write(self, path: str, image: PoolImage, windows: bool) -> None:
        arrays: dict[str, Any] = self._arrays(image, windows)
        np.savez(path, **arrays)

    def _check_space(self, need: int) -> None:
        free = shutil.disk_usage(self.folder).free
        if need > 10e6:
            print_log(
                f'{self.folder}: features, {need / 1e9:.2f} GB ({free / 1e9:.1f} GB free)',
                'current',
            )
        if need * 1.02 > free:
            raise UserError(
                f'{self.folder}: needs {need / 1e9:.2f} GB, the disk has {free / 1e9:.1f} GB free; '
                'give another folder: tcnn suggest --features DIR'
            )

    @torch.no_grad()
    def _arrays(self, image: PoolImage, windows: bool) -> dict[str, np.ndarray]:
        """The content of a file."""
        pixels = read_image(image.path, 'rgb', self.upright, ReadLog())
        if isinstance(pixels, UserError):
            raise pixels
        inputs = torch.from_numpy(pixels.transpose(2, 0, 1).copy()).to(self.model.device)
        sample = DataSample(metainfo=dict(img_id=printable(image.path)))
        patches = self.model.test_patches(inputs, sample)
        biggest = largest(patches.xyxy)
        boxes = patches.boxes if windows else patches.boxes[biggest]
        chunks = list(self.model.encoder.iter_features([inputs], [boxes]))
        order = np.argsort(np.concatenate([index for _, index, _ in chunks]))
        rows = torch.cat([part for _, _, part in chunks])[torch.from_numpy(order)].cpu()
        if not bool(torch.isfinite(rows).all()):
            raise UserError(
                f'{printable(image.path)}: the network gives NaN or infinity for this image; move '
                'it elsewhere'
            )
        rows = rows.clamp(-65504, 65504).half()
        mine = rows[torch.from_numpy(biggest)] if windows else rows
        whole = mine.float().mean(0)
        found = dict(
            whole=(whole.flatten(1).mean(1) if whole.dim() > 1 else whole).numpy(),
            size_hw=np.array(pixels.shape[:2]),
        )
        return dict(found, boxes=patches.xyxy, features=rows.numpy()) if windows else found


def whole_features(folder: FeatureFolder, images: Sequence[PoolImage], windows: bool) -> np.ndarray:
    """Features of whole images that were described: (N, D) float32."""
    rows: Iterator[np.ndarray] = (folder.read(image, windows).whole for image in images)
    return np.stack([*rows]) if images else np.zeros((0, 1), np.float32)
