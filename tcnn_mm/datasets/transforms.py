"""Transforms from an item of `VOCObjects` to one uint8 image and its sample record."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.logging import print_log
from mmpretrain.structures import DataSample

from tcnn_mm.datasets.clip_boxes import clip_boxes
from tcnn_mm.datasets.image_io import apply_orientation, exif_orientation, load_bgr
from tcnn_mm.errors import UserError
from tcnn_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadVOCObjects(BaseTransform):
    """Reads the image as stored (see `image_io.load_bgr`) and clips the boxes to it.

    Annotated sizes can be wrong, of a rotated copy for example: boxes are then clipped to the real
    image, and the first such image is named in the log.

    Args:
        upright (bool): Turn the image as its EXIF orientation says; boxes are then of the upright
            image. Defaults to False. `ImageRecords` has boxes of one or the other, as `tcnn fit`
            was told.

    Adds img (H, W, 3) uint8 BGR, img_shape, ori_shape.

    Raises:
        UserError: An image that cannot be read, or a box wholly outside it; one line with the path
            of the image. An item without a path: says what to use for prediction.
    """

    def __init__(self, upright: bool = False) -> None:
        self.upright, self._told = upright, False

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add the pixels and clip the boxes."""
        if 'img_path' not in results:
            raise UserError(
                "LoadVOCObjects: an item without 'img_path', as mmpretrain's inferencers and "
                'get_model(…) give it: they know one label per image and no maps; use '
                "tcnn_mm.TCNNInferencer(checkpoint='FILE')('IMAGE') or "
                '`tcnn predict IMAGE --checkpoint FILE`'
            )
        path = results['img_path']
        if path is None:
            raise UserError(
                f'{results["img_id"]}: the data set has with_images=False; leave that out to '
                'read its images'
            )
        image = load_bgr(path)
        if self.upright:
            image = np.ascontiguousarray(apply_orientation(image, exif_orientation(path)))
        height, width = image.shape[:2]
        results['img'] = image
        results['img_shape'] = results['ori_shape'] = (height, width)
        annotated = results.get('height'), results.get('width')
        if 'gt_bboxes' in results and annotated != (height, width):
            for key, shape in (('gt_bboxes', (-1, 4)), ('input_box', (4,))):
                if key in results:
                    boxes = np.asarray(results[key], np.float32).reshape(-1, 4)
                    results[key] = clip_boxes(boxes, height, width, path)[0].reshape(shape)
            if None not in annotated and not self._told:
                self._told = True
                print_log(
                    f'{path}: has {width}×{height} pixels, its annotation says '
                    f'{annotated[1]}×{annotated[0]}; boxes are clipped (further ones are not '
                    'named here; `tcnn check` lists them)',
                    'current',
                    logging.WARNING,
                )
            results['height'], results['width'] = height, width
        return results


def set_objects(sample: DataSample, objects: Mapping[str, Any]) -> None:
    """Put the objects of an image into its `DataSample`; what is absent becomes empty.

    Args:
        sample (DataSample): Gets gt_bboxes (N, 4) float32, gt_bboxes_labels (N,) int64,
            gt_bboxes_difficult (N,) bool.
        objects (dict): The same as arrays or lists.
    """
    for name, dtype, shape in (
        ('gt_bboxes', torch.float32, (-1, 4)),
        ('gt_bboxes_labels', torch.int64, (-1,)),
        ('gt_bboxes_difficult', torch.bool, (-1,)),
    ):
        value = torch.as_tensor(np.asarray(objects.get(name, [])), dtype=dtype)
        sample.set_field(value.reshape(shape), name)


@TRANSFORMS.register_module()
class PackPatchInputs(BaseTransform):
    """Packs an image as uint8 RGB and its record as an mmpretrain `DataSample`.

    Args:
        meta_keys (sequence[str]): Further entries kept as metainfo where present. Defaults to ().

    Returns inputs (3, H, W) uint8 RGB; data_samples with gt_label, gt_bboxes (N, 4) float32,
    gt_bboxes_labels (N,) int64, gt_bboxes_difficult (N,) bool, image_labels (K,) in {1, 0, -1}
    and input_box (4,) float32 where present, and as metainfo img_id, object_index (of a person),
    img_path, ori_shape, gt_label_difficult.
    """

    META_KEYS = ('img_id', 'object_index', 'img_path', 'ori_shape', 'gt_label_difficult')

    def __init__(self, meta_keys: Sequence[str] = ()) -> None:
        self.meta_keys = (*self.META_KEYS, *meta_keys)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Return `inputs` and `data_samples`."""
        rgb = np.ascontiguousarray(results['img'][..., ::-1].transpose(2, 0, 1))
        sample = DataSample(metainfo={k: results[k] for k in self.meta_keys if k in results})
        sample.set_gt_label(torch.as_tensor(results.get('gt_label', []), dtype=torch.int64))
        if 'image_labels' in results:
            sample.set_field(torch.from_numpy(results['image_labels']), 'image_labels', dtype=None)
        set_objects(sample, results)
        if 'input_box' in results:
            box = torch.as_tensor(np.asarray(results['input_box']), dtype=torch.float32)
            sample.set_field(box, 'input_box')
        return dict(inputs=torch.from_numpy(rgb), data_samples=sample)
