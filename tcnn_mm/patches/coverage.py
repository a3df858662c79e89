"""Which objects no patch can ever name, and the scales that would (paper, sec. 4 and 7)."""

from dataclasses import dataclass, field

import numpy as np

from tcnn_mm.patches.geometry import areas, grid_lines
from tcnn_mm.patches.scale_choice import ScaleChoice, choose_scales

# λ to try for objects that are missed; each is about 1.25 times the one before.
CANDIDATE_SCALES = (1.0, 1.3, 1.6, 2.0, 2.4, 3.2, 4.0, 5.0, 6.3, 8.0, 10.0, 12.5, 16.0, 20.0)


def _best_overlap(low, high, starts, side):
    """Largest overlap of [low, high] with any window: (N,), (N,), (n,) → (N,)."""
    ends = starts + side
    shared = np.minimum(high[:, None], ends) - np.maximum(low[:, None], starts)
    return np.clip(shared, 0, None).max(1)


def nameable(size_hw, boxes, grid, scale, min_patch_share=0.2, min_object_share=0.6):
    """Which boxes some patch of this scale passes for: (N, 4) → (N,) bool.

    A grid is a product of rows and columns, so the best patch is the best row and the best
    column: exact, without looking at every patch.
    """
    y, x, side_y, side_x = grid_lines(
        *size_hw, scale, grid.overlap, grid.size, grid.stride, grid.snap
    )
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    shared = _best_overlap(boxes[:, 0], boxes[:, 2], x, side_x)
    shared = shared * _best_overlap(boxes[:, 1], boxes[:, 3], y, side_y)
    return (shared >= min_patch_share * side_x * side_y) & (
        shared >= min_object_share * areas(boxes)
    )


@dataclass
class Coverage:
    """What a grid and a labelling rule can name in a data set.

    Attributes:
        classes (list[str]): K names.
        objects, missed (ndarray): (K,) boxes, and those that no patch ever passes for.
        named (ndarray): (K,) boxes that name at least one patch; the rest of the covered ones
            always share their patches with another object and are deleted.
        patches (list[int]): Grid patches of each picture.
        labelled (ndarray): (K + 2,) patches of each class, of background and deleted.
        gains (dict[float, ndarray]): For each candidate λ, (K,) missed boxes it would cover.
        choice (ScaleChoice, optional): Scales that name more, for the same price; None without
            objects.
    """

    classes: list
    objects: np.ndarray
    missed: np.ndarray
    named: np.ndarray
    patches: list
    labelled: np.ndarray
    gains: dict = field(default_factory=dict)
    choice: ScaleChoice | None = None

    @property
    def suggestion(self):
        """list[float]: λ to add; empty where the grid's own are enough."""
        return sorted(self.choice.added) if self.choice else []

    def reasons(self):
        """The suggestion in words, one line a scale, and as a line to paste; none if none."""
        if not self.suggestion:
            return []
        lines = [
            f'add λ = {scale:g}: it names '
            + ', '.join(
                f'{count} of {self.missed[k]} missed {self.classes[k]}' for k, count in row.items()
            )
            for scale, row in sorted(self.choice.added.items())
        ]
        if self.choice.dropped:
            dropped = ', '.join(f'{scale:g}' for scale in self.choice.dropped)
            lines.append(f'leave out λ = {dropped}: other scales name the same objects')
        scales = ','.join(f'{scale:g}' for scale in self.choice.scales)
        return [
            *lines,
            f'on the command line: --cfg-options model.sampler.grid.scales="[{scales}]"',
            f'in a config: model = dict(sampler=dict(grid=dict(scales=({scales},))))',
        ]

    def table(self, advice=True):
        """The report as aligned text lines, one class a line; `advice`: with :meth:`reasons`."""
        wide = max([len(name) for name in self.classes] + [5])
        counts = np.array(self.patches) if self.patches else np.zeros(1, int)
        lines = [
            f'patch coverage of {len(self.patches)} pictures: {counts.min()}–{counts.max()} '
            f'patches a picture (median {int(np.median(counts))}); labelled '
            f'{self.labelled[:-2].sum()} object, {self.labelled[-2]} background, '
            f'{self.labelled[-1]} deleted',
            f'{"class":{wide}}  objects  never named  too small/large  always deleted   patches'
            '  λ that would cover most of the missed',
        ]
        for k, name in enumerate(self.classes):
            never = self.objects[k] - self.named[k]
            share = 100.0 * never / max(1, self.objects[k])
            best = max(self.gains, key=lambda s: self.gains[s][k], default=None)
            hint = ''
            if self.missed[k] and best is not None and self.gains[best][k]:
                hint = f'λ={best:g}: {self.gains[best][k]} of {self.missed[k]}'
            lines.append(
                f'{name:{wide}}  {self.objects[k]:7d}  {never:5d} {share:4.0f}%  '
                f'{self.missed[k]:15d}  {never - self.missed[k]:14d}  {self.labelled[k]:8d}  {hint}'
            )
        return lines + (self.reasons() if advice else [])


def measure_coverage(items, classes, grid, labeler, candidates=CANDIDATE_SCALES):
    """Coverage of a data set's non-difficult objects.

    Args:
        items (iterable[dict]): With height, width, gt_bboxes, gt_bboxes_labels,
            gt_bboxes_difficult, as `VOCObjects` gives them.
        classes (sequence[str]): K names.
        grid (PatchGrid): The grid.
        labeler (PatchLabeler): The rule; its shares are used for the candidates too.

    Returns:
        Coverage
    """
    num = len(classes)
    objects, missed, named = (np.zeros(num, np.int64) for _ in range(3))
    labelled, patches = np.zeros(num + 2, np.int64), []
    owners, covers = [np.zeros(0, np.int64)], []
    shares = (labeler.min_patch_share, labeler.min_object_share)
    candidates = sorted({*map(float, candidates), *grid.scales})
    for item in items:
        size_hw = item['height'], item['width']
        boxes, labels = item['gt_bboxes'], item['gt_bboxes_labels']
        difficult = item['gt_bboxes_difficult']
        cells = grid(size_hw)
        label, owner = labeler(cells, boxes, labels, difficult)
        patches.append(len(cells))
        # -1 (deleted) lands in the last place, background in the one before.
        labelled += np.bincount(np.where(label < 0, num + 1, label), minlength=num + 2)
        easy = np.flatnonzero(~difficult)
        if len(easy):
            named += np.bincount(labels[np.intersect1d(owner, easy)], minlength=num)
            owners.append(labels[easy])
            covers.append([nameable(size_hw, boxes[easy], grid, s, *shares) for s in candidates])
    report = Coverage(list(classes), objects, missed, named, patches, labelled)
    if covers:
        labels, covers = np.concatenate(owners), np.concatenate(covers, axis=1)
        away = ~covers[[s in grid.scales for s in candidates]].any(0)
        report.objects = np.bincount(labels, minlength=num)
        report.missed = np.bincount(labels[away], minlength=num)
        for scale, cover in zip(candidates, covers, strict=True):
            report.gains[scale] = np.bincount(labels[cover & away], minlength=num)
        report.choice = choose_scales(covers, labels, candidates, grid.scales)
    return report
