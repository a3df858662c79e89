"""Batches of a feature bank: what a model is given in place of images.

A data loader's `pseudo_collate` joins named tuples field by field, so in a batch every field is a
list. Letters: P patches, B images, K classes, D channels.
"""

from typing import Any, NamedTuple


class BankPatches(NamedTuple):
    """Features of labelled patches of many images, for training.

    Attributes:
        features: (P, …) float16.
        labels: (P,) int64, class of each patch, K for background.
        whole: Mean features (B, D) of the largest patches of these patches' images, for a
            `ContextHead`; None without it.
        image_labels: (B, K) in {1, 0, -1} of the same images; None without it.
    """

    features: Any
    labels: Any
    whole: Any = None
    image_labels: Any = None


class BankWindows(NamedTuple):
    """Features of all patches of one image, for a test or for training on image labels.

    Attributes:
        features: (P, …) float16.
        boxes: (P, 4) xyxy in pixels.
    """

    features: Any
    boxes: Any
