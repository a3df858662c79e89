"""What a batch holds: pictures or ready features, and what is known of them."""

import os.path as osp

import numpy as np
import torch

from tcnn_mm.datasets.image_labels import image_labels

OBJECT_FIELDS = dict(gt_bboxes_difficult='difficult', input_box='input_box')


def sample_name(sample):
    """What a sample's randomness hangs on.

    Args:
        sample (DataSample | dict): With `img_id`, or else `img_path`.

    Returns:
        str: The image id (else the file's name, wherever that lies), and the number of its
        object if it has one.
    """
    name = sample.get('img_id') or osp.basename(sample.get('img_path'))
    number = sample.get('object_index')
    return name if number is None else f'{name}/{number}'


def is_features(inputs):
    """Whether a batch holds ready features (P, D) or windows (P, C, g, g), not pictures."""
    return inputs[0].dim() != 3


def object_flags(sample):
    """Everything but boxes and labels that is known of a sample's objects.

    Args:
        sample (DataSample, optional): None knows nothing.

    Returns:
        dict: arrays by the names that samplers use; a test-time sampler reads no label.
    """
    return {
        flag: torch.as_tensor(sample.get(name)).cpu().numpy()
        for name, flag in OBJECT_FIELDS.items()
        if sample is not None and name in sample
    }


def labels_of(sample, num_classes):
    """What a picture is called.

    Args:
        sample (DataSample): With `gt_label` and perhaps `gt_label_difficult`.
        num_classes (int): K.

    Returns:
        ndarray: (K,) int64 of {1, 0, -1}, see :func:`image_labels`.
    """
    return image_labels(sample.gt_label, sample.get('gt_label_difficult', ()), num_classes)


def picture_labels(samples, num_classes):
    """What the pictures of a batch are called.

    Args:
        samples (list[DataSample]): B, as of :func:`labels_of`.
        num_classes (int): K.

    Returns:
        Tensor: (B, K) int64 of {1, -1, 0}: present, absent, difficult objects only.
    """
    return torch.from_numpy(np.stack([labels_of(sample, num_classes) for sample in samples]))


def keep_patches(sample, boxes, scores):
    """Hand out a picture's patches with it, for hooks that draw or write them.

    Args:
        sample (DataSample): Gets `patch_boxes` and `patch_scores`, on the scores' device.
        boxes (ndarray): (P, 4).
        scores (Tensor): (P, K).
    """
    sample.set_field(torch.from_numpy(boxes.copy()).to(scores.device), 'patch_boxes', dtype=None)
    sample.set_field(scores, 'patch_scores', dtype=None)
