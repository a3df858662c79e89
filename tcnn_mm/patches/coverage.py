"""Objects that no patch of a grid can be labelled by, and the scales that would cover them.

Paper, sec. 4 (the labelling rule) and 7. An object is *covered* when it qualifies for some patch,
*missed* when for none.
"""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tcnn_mm.errors import errors_of
from tcnn_mm.patches.geometry import areas, grid_lines
from tcnn_mm.patches.grid import PatchGrid
from tcnn_mm.patches.labeler import PatchLabeler
from tcnn_mm.patches.quick_scales import quick_scales
from tcnn_mm.patches.scale_choice import ScaleChoice, choose_scales

# λ to try for missed objects; each is about 1.25 times the one before.
CANDIDATE_SCALES = (1.0, 1.3, 1.6, 2.0, 2.4, 3.2, 4.0, 5.0, 6.3, 8.0, 10.0, 12.5, 16.0, 20.0)


def _best_overlap(low: np.ndarray, high: np.ndarray, starts: np.ndarray, side: float) -> np.ndarray:
    """Return the largest overlap of [low, high] with any window: (N,), (N,), (n,) → (N,)."""
    ends = starts + side
    shared = np.minimum(high[:, None], ends) - np.maximum(low[:, None], starts)
    return np.clip(shared, 0, None).max(1)


def covered(
    size_hw: tuple[int, int],
    boxes: ArrayLike,
    grid: PatchGrid,
    scale: float,
    min_patch_share: float = 0.2,
    min_object_share: float = 0.6,
) -> np.ndarray:
    """Return which boxes qualify for some patch of this scale: (N, 4) → (N,) bool.

    A grid is a product of rows and columns, so the best patch is at the best row and the best
    column: exact, without computing every patch.

    Args:
        size_hw: Height and width of the image, pixels.
        boxes: (N, 4) xyxy.
        grid: Its step and patch size; its own scales are not read.
        scale: λ.
        min_patch_share, min_object_share: See :func:`label_patches`.
    """
    (rows, columns), y, x = grid_lines(
        *size_hw, scale, grid.overlap, grid.size, grid.stride, grid.snap
    )
    (height, width), boxes = size_hw, np.asarray(boxes, np.float64).reshape(-1, 4)
    y, x = y * (height / rows), x * (width / columns)
    side_y, side_x = grid.size * height / rows, grid.size * width / columns
    shared = _best_overlap(boxes[:, 0], boxes[:, 2], x, side_x)
    shared = shared * _best_overlap(boxes[:, 1], boxes[:, 3], y, side_y)
    return (shared >= min_patch_share * side_x * side_y) & (
        shared >= min_object_share * areas(boxes)
    )


@dataclass
class Coverage:
    """Objects that a grid and a labelling rule cover in a data set.

    Attributes:
        classes (list[str]): K names.
        objects (ndarray): (K,) boxes that are not difficult.
        missed (ndarray): (K,) boxes that qualify for no patch.
        named (ndarray): (K,) boxes that give at least one patch its label; the other covered ones
            share every patch with another object, so that all are deleted.
        patches (list[int]): Number of grid patches of each image.
        labelled (ndarray): (K + 2,) patches of each class, of background and deleted.
        gains (dict[float, ndarray]): For each candidate λ, (K,) missed boxes that it would cover.
        choice (ScaleChoice, optional): Scales that cover more at the same cost; None without
            objects.
        quick (tuple[float, ...], optional): Three scales for a first look, see
            :func:`quick_scales`; None without objects.
    """

    classes: list[str]
    objects: np.ndarray
    missed: np.ndarray
    named: np.ndarray
    patches: list[int]
    labelled: np.ndarray
    gains: dict[float, np.ndarray] = field(default_factory=dict)
    choice: ScaleChoice | None = None
    quick: tuple[float, ...] | None = None

    @property
    def suggestion(self) -> list[float]:
        """λ to add; empty where the scales of the grid are enough."""
        return sorted(self.choice.added) if self.choice else []

    def reasons(self) -> list[str]:
        """Explain the suggestion, one line per scale, with a line to paste; empty without one."""
        if self.choice is None or not self.choice.added:
            return []
        lines = [
            f'add λ = {scale:g}: it covers '
            + ', '.join(
                f'{count} of {self.missed[k]} missed {self.classes[k]}' for k, count in row.items()
            )
            for scale, row in sorted(self.choice.added.items())
        ]
        if self.choice.dropped:
            dropped = ', '.join(f'{scale:g}' for scale in self.choice.dropped)
            lines.append(f'drop λ = {dropped}: other scales cover the same objects')
        scales = ','.join(f'{scale:g}' for scale in self.choice.scales)
        return [
            *lines,
            'on the command line: tcnn train CONFIG --cfg-options '
            f'{shlex.quote(f"model.sampler.grid.scales=[{scales}]")}',
            f'in a config: model = dict(sampler=dict(grid=dict(scales=({scales},))))',
        ]

    def table(self, advice: bool = True) -> list[str]:
        """Format as aligned lines, one per class; `advice`: followed by :meth:`reasons`."""
        wide = max([len(name) for name in self.classes] + [5])
        counts = np.array(self.patches) if self.patches else np.zeros(1, int)
        lines = [
            f'patch coverage of {len(self.patches)} images: {counts.min()}–{counts.max()} '
            f'patches per image (median {int(np.median(counts))}); labelled '
            f'{self.labelled[:-2].sum()} object, {self.labelled[-2]} background, '
            f'{self.labelled[-1]} deleted',
            f'{"class":{wide}}  objects  never named  too small/large  always deleted   patches'
            '  λ that would cover most of the missed',
        ]
        for k, name in enumerate(self.classes):
            never = self.objects[k] - self.named[k]
            share = 100.0 * never / max(1, self.objects[k])
            gain, best = max(((row[k], -s) for s, row in self.gains.items()), default=(0, 0))
            hint = f'λ={-best:g}: {gain} of {self.missed[k]}' if gain else ''
            lines.append(
                f'{name:{wide}}  {self.objects[k]:7d}  {never:5d} {share:4.0f}%  '
                f'{self.missed[k]:15d}  {never - self.missed[k]:14d}  {self.labelled[k]:8d}  {hint}'
            )
        return lines + (self.reasons() if advice else [])


def measure_coverage(
    items: Iterable[dict[str, Any]],
    classes: Sequence[str],
    grid: PatchGrid,
    labeler: PatchLabeler,
    candidates: Iterable[float] = CANDIDATE_SCALES,
) -> Coverage:
    """Measure the coverage of the objects of a data set that are not difficult.

    Args:
        items: With height, width, gt_bboxes, gt_bboxes_labels, gt_bboxes_difficult, as
            `VOCObjects` gives them.
        classes: K names.
        grid: The grid.
        labeler: The rule; its shares are used for the candidates too.
        candidates: λ that may be suggested. Defaults to :data:`CANDIDATE_SCALES`.
    """
    num = len(classes)
    objects, missed, named = (np.zeros(num, np.int64) for _ in range(3))
    labelled, patches = np.zeros(num + 2, np.int64), []
    owners: list[np.ndarray] = []
    covers: list[np.ndarray] = []
    shares = (labeler.min_patch_share, labeler.min_object_share)
    tried = sorted({*map(float, candidates), *grid.scales})
    for item in items:
        size_hw = item['height'], item['width']
        boxes, labels = item['gt_bboxes'], item['gt_bboxes_labels']
        difficult = item['gt_bboxes_difficult']
        with errors_of(str(item.get('img_path') or item.get('img_id', 'an image'))):
            cells = grid(size_hw).xyxy
        label, owner = labeler(cells, boxes, labels, difficult)
        patches.append(len(cells))
        # -1 (deleted) lands in the last place, background in the one before.
        labelled += np.bincount(np.where(label < 0, num + 1, label), minlength=num + 2)
        easy = np.flatnonzero(~difficult)
        if len(easy):
            named += np.bincount(labels[np.intersect1d(owner, easy)], minlength=num)
            owners.append(labels[easy])
            covers.append(
                np.stack([covered(size_hw, boxes[easy], grid, s, *shares) for s in tried])
            )
    report = Coverage(list(classes), objects, missed, named, patches, labelled)
    if covers:
        labels, table = np.concatenate(owners), np.concatenate(covers, axis=1)
        missing = ~table[[s in grid.scales for s in tried]].any(0)
        report.objects = np.bincount(labels, minlength=num)
        report.missed = np.bincount(labels[missing], minlength=num)
        for scale, cover in zip(tried, table, strict=True):
            report.gains[scale] = np.bincount(labels[cover & missing], minlength=num)
        report.choice = choose_scales(table, labels, tried, grid.scales)
        report.quick = quick_scales(table, labels, tried)
    return report
