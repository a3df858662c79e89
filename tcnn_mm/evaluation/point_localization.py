"""The metric of localization by points, over :mod:`tcnn_mm.evaluation.pointing`.

Letters: N images, P patches, K classes, c classes of one image, n objects.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmengine.logging import print_log

from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.pointing import point_report, points_found
from tcnn_mm.evaluation.score_table import or_nan, percent, to_numpy
from tcnn_mm.evaluation.voc_ap import LabeledScores, VOCDevkitAP
from tcnn_mm.patches.peaks import score_points
from tcnn_mm.registry import METRICS


@dataclass(frozen=True)
class PointedScores(LabeledScores):
    """Scores, ground truth and right points of one image.

    Attributes:
        found: (4, K) bool: the point of the map within the tolerance of AP and of the hit rate,
            then the centre of the image within the same two.
    """

    found: np.ndarray


@METRICS.register_module()
class PointLocalization(VOCDevkitAP):
    """Localization by points: the maximum of a score map should lie in a box of its class.

    Reports AP over the image scores, where a wrong point is a false positive and a false negative
    (see :func:`point_ap`), and the hit rate of the pointing game. Both are computed again with the
    centre of every image as its point and the same scores: the baseline for a map.

    Only objects that are not difficult count as found. A class with difficult objects alone is
    ignored, by the devkit's rule for classification; where a class has both, a point on the
    difficult one is wrong. A negative image is wrong wherever its point lies, so maps are computed
    only for the classes that an image has, which costs some milliseconds.

    Args:
        mode (str): 'voc10' (area, as of VOC 2012 on which the paper of 2015 reports) or 'voc07'.
        tolerance (float): Pixels around a box that count as inside, for AP. Paper of 2015: 18.
        hit_tolerance (float): The same for the hit rate. Pointing game: 15.
        long_side (int): Longer side of the map, cells; a smaller image keeps its pixels. Defaults
            to 500.
        damping (float): Damping of the map (see :func:`mean_score_map`). Defaults to 0, the
            paper's mean; the bundled configs take 20, chosen on val.
        subset (sequence[str], optional): Class names whose means are reported too.
        prefix (str): Prefix of the result keys. Defaults to 'point'.
        **kwargs: For mmengine's `BaseMetric`.

    A data sample holds what :class:`VOCDevkitAP` needs and `ori_shape`, `gt_bboxes` (n, 4),
    `gt_bboxes_labels`, `gt_bboxes_difficult` (n,), `patch_boxes` (P, 4), `patch_scores` (P, K).
    The model sets the last two with `PatchScoresHook`; they are read per batch and not kept.

    Attributes, on the main process after `evaluate`: those of :class:`ScoreTable`, and
        reports (dict): One :func:`point_report` each for 'votes' and 'centre'.

    Returns `mAP`, `hit_rate`, `centre_mAP`, `centre_hit_rate` (and the same with `_subset`) in
    per cent.
    """

    # `PatchScoresHook` reads it.
    reads_patch_scores = True
    reports: dict[str, dict[str, Any]] = {}

    def __init__(
        self,
        mode: str = 'voc10',
        tolerance: float = 18,
        hit_tolerance: float = 15,
        long_side: int = 500,
        damping: float = 0,
        subset: str | Sequence[str] | None = None,
        prefix: str = 'point',
        **kwargs: Any,
    ) -> None:
        super().__init__(mode, subset=subset, prefix=prefix, **kwargs)
        self.tolerance, self.hit_tolerance = tolerance, hit_tolerance
        self.long_side, self.damping = long_side, damping

    def row(self, sample: dict[str, Any], num_classes: int) -> PointedScores:
        """Read what is kept of a sample."""
        row = super().row(sample, num_classes)
        found = np.zeros((4, num_classes), bool)
        present = np.flatnonzero(row.labels > 0)
        if len(present):
            found[:, present] = self._found(sample, present)
        return PointedScores(row.key, row.scores, row.labels, found)

    def _found(self, sample: dict[str, Any], present: np.ndarray) -> list[np.ndarray]:
        """Return the rows of `PointedScores.found` of the c present classes: 4 × (c,) bool."""
        name, sample_id = type(self).__name__, self.sample_id(sample)
        missing = [k for k in ('gt_bboxes', 'ori_shape') if k not in sample]
        if missing:
            raise UserError(
                f'{name}: {sample_id} has no {" and no ".join(missing)}; pointing needs a split '
                'with boxes, packed by PackPatchInputs'
            )
        if 'patch_scores' not in sample:
            raise UserError(
                f"{name}: {sample_id} has no patch_scores; add dict(type='tcnn_mm.PatchScoresHook')"
                ' to custom_hooks'
            )
        ordinary = ~to_numpy(sample['gt_bboxes_difficult']).astype(bool)
        boxes = to_numpy(sample['gt_bboxes'])[ordinary]
        labels = to_numpy(sample['gt_bboxes_labels'])[ordinary]
        without = sorted(set(present.tolist()) - set(labels.tolist()))
        if without:
            raise UserError(
                f'{name}: {sample_id} has the class {self.class_names()[without[0]]} but no box '
                'of it; pointing needs the boxes of all objects (`tcnn test` adds them to an older '
                'feature bank)'
            )
        size_hw = int(sample['ori_shape'][0]), int(sample['ori_shape'][1])
        scores = sample['patch_scores'][:, present]
        points = score_points(sample['patch_boxes'], scores, size_hw, self.long_side, self.damping)
        centre = np.tile([[size_hw[1] / 2, size_hw[0] / 2]], (len(present), 1))
        return [
            points_found(where, present, boxes, labels, tolerance)
            for where in (points.cpu().numpy(), centre)
            for tolerance in (self.tolerance, self.hit_tolerance)
        ]

    def compute_metrics(self, results: list[Any]) -> dict[str, float]:
        """Set `reports` and `report` and log them; return the means."""
        scores, labels = self.tables(results)
        classes = self.class_names()
        found = np.array([row.found for row in results], bool)
        found = found.reshape(len(results), 4, len(classes))
        votes, centre = (
            point_report(classes, scores, labels, at, hit, self.mode, self.subset)
            for at, hit in (found[:, :2].swapaxes(0, 1), found[:, 2:].swapaxes(0, 1))
        )
        means = {key: value for key, value in votes.items() if key != 'classes'}
        means.update({f'centre_{key}': centre[key] for key in list(means)})
        rows = {
            name: dict(
                row,
                **{f'centre_{key}': value for key, value in centre['classes'][name].items()},
                positives=int((labels[:, k] == 1).sum()),
                difficult=int((labels[:, k] == 0).sum()),
            )
            for k, (name, row) in enumerate(votes['classes'].items())
        }
        self.reports = dict(votes=votes, centre=centre)
        self.report = dict(
            metric=self.prefix,
            mode=self.mode,
            tolerance=self.tolerance,
            hit_tolerance=self.hit_tolerance,
            damping=self.damping,
            **means,
            classes=rows,
            images=len(results),
        )
        if self.subset:
            self.report['subset'] = list(self.subset)
        print_log(self._table(), 'current')
        return {key: 100 * or_nan(value) for key, value in means.items()}

    def _table(self) -> str:
        """Format `report` for the log, in per cent."""
        report = self.report
        wide = max(map(len, [*report['classes'], 'subset']))
        columns = ('AP %', 'centre AP %', 'hits %', 'centre hits %')

        def line(name: str, row: dict[str, Any], ap: str, end: str = '') -> str:
            cells = [
                row[f'{who}{what}{end}'] for what in (ap, 'hit_rate') for who in ('', 'centre_')
            ]
            counts = [row[key] for key in ('positives', 'difficult') if key in row]
            return (
                f'{name:{wide}}'
                + ''.join(f'{percent(cell):>15}' for cell in cells)
                + (''.join(f'{count:11d}' for count in counts))
            )

        lines = [
            f'{self.prefix}: {report["images"]} images; AP within {self.tolerance} px of a box, '
            f'hits within {self.hit_tolerance} px; centre: the centre of every image',
            f'{"class":{wide}}' + ''.join(f'{c:>15}' for c in columns) + '  positives  difficult',
        ]
        lines += [line(name, row, 'ap') for name, row in report['classes'].items()]
        lines.append(line('mean', report, 'mAP'))
        if self.subset:
            lines.append(line('subset', report, 'mAP', '_subset') + f'  {", ".join(self.subset)}')
        return '\n'.join(lines)
