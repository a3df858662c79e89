"""What each patch is called (paper, sec. 4)."""

from tcnn_mm.patches.geometry import label_patches
from tcnn_mm.registry import TASK_UTILS

SAME_CLASS = ('delete', 'keep')
DIFFICULT = ('ignore', 'object', 'background')


@TASK_UTILS.register_module()
class PatchLabeler:
    """One label a patch: class 0 … K-1, background K, or -1 (deleted).

    Args:
        num_classes (int): K. Defaults to 20, VOC's.
        min_patch_share (float): The object must fill this share of the patch. Paper: 0.2.
        min_object_share (float): The patch must hold this share of the object. Paper: 0.6.
        same_class (str): Two objects of one class pass: 'delete' (literal) or 'keep'.
        difficult (str): 'ignore', 'object' or 'background'; the paper does not say.
        strict (bool): Read (iii), "overlaps no more than one object", literally.

    See :func:`geometry.label_patches` for each rule.
    """

    def __init__(
        self,
        num_classes=20,
        min_patch_share=0.2,
        min_object_share=0.6,
        same_class='delete',
        difficult='ignore',
        strict=False,
    ):
        if same_class not in SAME_CLASS:
            raise ValueError(f'PatchLabeler: same_class={same_class!r}; choose from {SAME_CLASS}')
        if difficult not in DIFFICULT:
            raise ValueError(f'PatchLabeler: difficult={difficult!r}; choose from {DIFFICULT}')
        self.num_classes = num_classes
        self.min_patch_share, self.min_object_share = min_patch_share, min_object_share
        self.same_class, self.difficult, self.strict = same_class, difficult, strict

    @property
    def background(self):
        """int: The label of background patches, K."""
        return self.num_classes

    def __call__(self, patches, boxes, labels, difficult=None):
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
