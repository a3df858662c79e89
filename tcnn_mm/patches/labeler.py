"""The label of each patch, from the objects that it shows (paper, sec. 4)."""

import numpy as np
from numpy.typing import ArrayLike

from tcnn_mm.errors import InvalidValueError
from tcnn_mm.patches.geometry import areas, intersections
from tcnn_mm.registry import TASK_UTILS

SAME_CLASS = ('delete', 'keep')
DIFFICULT = ('ignore', 'object', 'background')


def label_patches(
    patches: np.ndarray,
    boxes: ArrayLike,
    labels: ArrayLike,
    difficult: ArrayLike | None = None,
    *,
    num_classes: int,
    min_patch_share: float = 0.2,
    min_object_share: float = 0.6,
    same_class: str = 'delete',
    difficult_as: str = 'ignore',
    strict: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Label each patch: a class, background, or -1 for deleted (paper, sec. 4, Figure 4).

    An object qualifies for a patch when it fills at least `min_patch_share` of the patch and at
    least `min_object_share` of the object lies inside. One qualifying object gives the patch its
    label, two delete the patch, none makes it background.

    Args:
        patches: (P, 4) xyxy.
        boxes: (N, 4) xyxy.
        labels: (N,) int, 0 … K-1.
        difficult: (N,) bool. Defaults to none.
        num_classes: K; background is label K.
        min_patch_share: Share of the patch that the object fills. Paper: 0.2.
        min_object_share: Share of the object that the patch shows. Paper: 0.6.
        same_class: Two qualifying objects of one class: 'delete' (literal reading) or 'keep' (the
            label, with the object that the patch shows most of).
        difficult_as: 'ignore': a patch with only difficult objects qualifying is deleted, beside
            another object they do not count; 'object': an object like any other;
            'background': as if it were not there.
        strict: Also delete a labelled patch that touches any second object at all.

    Returns:
        Labels (P,) int64 in {-1, 0 … K}, and the index of the labelling object (P,) int64, -1
        where there is none.
    """
    num_patches = len(patches)
    label = np.full(num_patches, num_classes, np.int64)
    owner = np.full(num_patches, -1, np.int64)
    labels = np.asarray(labels, np.int64)
    if len(labels) == 0 or num_patches == 0:
        return label, owner
    hard = np.zeros(len(labels), bool) if difficult is None else np.asarray(difficult, bool)
    inside = intersections(patches, boxes)
    passing = (inside >= min_patch_share * areas(patches)[:, None]) & (
        inside >= min_object_share * areas(boxes)[None]
    )
    only_hard = np.zeros(num_patches, bool)
    if difficult_as != 'object':
        easy = passing & ~hard
        only_hard = passing.any(1) & ~easy.any(1) & (difficult_as == 'ignore')
        passing = easy
        inside = inside * ~hard
    count = passing.sum(1)
    best = np.where(passing, inside, -1.0).argmax(1)
    named = count == 1
    if same_class == 'keep':
        low = np.where(passing, labels, num_classes).min(1)
        high = np.where(passing, labels, -1).max(1)
        named = (count >= 1) & (low == high)
    if strict:
        named &= (inside > 0).sum(1) == 1
    label[count > 0] = -1
    label[only_hard] = -1
    label[named] = labels[best[named]]
    owner[named] = best[named]
    return label, owner


@TASK_UTILS.register_module()
class PatchLabeler:
    """Gives each patch one label: class 0 … K-1, background K, or -1 (deleted).

    Args:
        num_classes (int): K. Defaults to 20, VOC's.
        min_patch_share (float): The object must fill this share of the patch. Paper: 0.2.
        min_object_share (float): The patch must show this share of the object. Paper: 0.6.
        same_class (str): Two objects of one class qualify: 'delete' (literal) or 'keep'.
        difficult (str): 'ignore', 'object' or 'background'; the paper does not say.
        strict (bool): Read rule (iii), "overlaps no more than one object", literally.

    See :func:`label_patches` for each rule.
    """

    def __init__(
        self,
        num_classes: int = 20,
        min_patch_share: float = 0.2,
        min_object_share: float = 0.6,
        same_class: str = 'delete',
        difficult: str = 'ignore',
        strict: bool = False,
    ) -> None:
        if same_class not in SAME_CLASS:
            raise InvalidValueError(
                f'PatchLabeler: same_class={same_class!r}; choose from {SAME_CLASS}'
            )
        if difficult not in DIFFICULT:
            raise InvalidValueError(
                f'PatchLabeler: difficult={difficult!r}; choose from {DIFFICULT}'
            )
        self.num_classes = num_classes
        self.min_patch_share, self.min_object_share = min_patch_share, min_object_share
        self.same_class, self.difficult, self.strict = same_class, difficult, strict

    @property
    def background(self) -> int:
        """The label of background patches, K."""
        return self.num_classes

    def __call__(
        self,
        patches: np.ndarray,
        boxes: ArrayLike,
        labels: ArrayLike,
        difficult: ArrayLike | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """(P, 4), (N, 4), (N,), (N,) bool → labels (P,) int64, object index (P,) int64."""
        return label_patches(
            patches,
            boxes,
            labels,
            difficult,
            num_classes=self.num_classes,
            min_patch_share=self.min_patch_share,
            min_object_share=self.min_object_share,
            same_class=self.same_class,
            difficult_as=self.difficult,
            strict=self.strict,
        )
