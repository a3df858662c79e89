"""One labelled patch per image, cut in the worker: for any config of mmpretrain."""

from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform

from tcnn_mm.errors import UserError
from tcnn_mm.patches.crop import crop_patches
from tcnn_mm.patches.sampler import RandomKey, keyed_generator
from tcnn_mm.registry import TRANSFORMS, build_patch_part


@TRANSFORMS.register_module()
class RandomLabeledPatch(BaseTransform):
    """Replace `img` by one of its labelled patches and `gt_label` by the patch's label.

    For configs whose model is a plain `ImageClassifier`: put it after `LoadVOCObjects`, before
    the config's own transforms. The model needs one output more than classes, for background.
    `PatchClassifier` cuts on the device instead and takes many patches per image.

    An image whose set is empty (no object and no background drawn) gives a background patch of
    the grid, or None where every patch is deleted (mmengine then draws another image).

    Args:
        sampler (dict, optional): Of `PatchSampler`, the default; its `num_patches` is ignored.
        size (int, optional): Side of the patch in pixels; defaults to the grid's.

    Required keys: img (H, W, 3) uint8 BGR, gt_bboxes, gt_bboxes_labels, gt_bboxes_difficult,
    img_id. Needs `EpochSeedHook`: which patch is a function of (seed, epoch, image id).
    """

    def __init__(self, sampler: dict | None = None, size: int | None = None) -> None:
        sampler = sampler or dict(type='PatchSampler')
        self.sampler = build_patch_part(dict(sampler, num_patches=1))
        self.size = size or self.sampler.grid.size
        # Shared memory: workers that outlive an epoch learn the next one's number here.
        self._key = torch.full((2,), -1, dtype=torch.int64).share_memory_()

    def set_epoch(self, seed: int, epoch: int) -> None:
        """Set the key of the draws: called by `EpochSeedHook` before the epoch's first batch."""
        self._key[0], self._key[1] = seed, epoch

    def transform(self, results: dict[str, Any]) -> dict[str, Any] | None:
        """Cut the patch.

        Raises:
            UserError: `EpochSeedHook` is missing.
        """
        seed, epoch = self._key.tolist()
        if epoch < 0:
            raise UserError(
                "RandomLabeledPatch: add dict(type='tcnn_mm.EpochSeedHook') to custom_hooks"
            )
        key = RandomKey(seed, epoch, results['img_id'])
        size_hw = results['img'].shape[:2]
        objects = results['gt_bboxes'], results['gt_bboxes_labels']
        flags = dict(difficult=results['gt_bboxes_difficult'])
        patches = self.sampler(size_hw, *objects, flags, training=True, key=key)
        box, label = patches.boxes, patches.label
        if not len(box):
            grid = self.sampler.grid(size_hw)
            names, _ = self.sampler.labeler(grid.xyxy, *objects, flags['difficult'])
            free = np.flatnonzero(names == self.sampler.labeler.background)
            if not len(free):
                return None
            pick = keyed_generator('spare', *key).choice(free)
            box, label = grid[[pick]], names[[pick]]
        image = torch.from_numpy(np.ascontiguousarray(results['img'])).permute(2, 0, 1)
        patch = crop_patches(image, box, self.size)[0].round().clamp(0, 255)
        results['img'] = patch.permute(1, 2, 0).to(torch.uint8).numpy()
        results['img_shape'] = results['img'].shape[:2]
        results['gt_label'] = int(label[0])
        results['patch_box'] = box.xyxy[0]
        return results
