"""Does the score map point at the object? (Oquab et al., "Is object localization for free?", 2015)

Letters: N images, K classes, n objects. A point is (x, y), a box xyxy, both in pixels of the
stored picture.
"""

import numpy as np
from mmengine.logging import print_log

from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.average_precision import mean_ap, voc_ap
from tcnn_mm.evaluation.score_table import or_none, percent, to_numpy
from tcnn_mm.evaluation.voc_ap import VOCDevkitAP
from tcnn_mm.patches.peaks import score_points
from tcnn_mm.registry import METRICS


def points_found(points, classes, boxes, labels, tolerance):
    """Whether each class's point lies in one of its boxes.

    Args:
        points (ndarray): (c, 2), one a class.
        classes (sequence[int]): The c classes.
        boxes (ndarray): (n, 4), the objects that count.
        labels (ndarray): (n,) int.
        tolerance (float): Boxes are larger by this many pixels on each side, borders included.

    Returns:
        ndarray: (c,) bool; False for a class without a box.
    """
    points = np.asarray(points, np.float64).reshape(-1, 1, 2)
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    inside = (points >= boxes[:, :2] - tolerance) & (points <= boxes[:, 2:] + tolerance)
    mine = np.asarray(classes, np.int64)[:, None] == np.asarray(labels, np.int64).reshape(-1)
    return (inside.all(2) & mine).any(1)


def point_ap(scores, gt, found, mode):
    """Average precision of one class, of answers that are right only where they point right.

    The answer of a positive image that points elsewhere is a false positive, and its object
    stays unfound: a false negative. So misses go down the ranking with the negatives while all
    positives stay in the count, and the AP can never exceed the classification's.

    Args:
        scores (array): (N,) confidences of the images.
        gt (array): (N,) of {1, 0, -1}; 0 (only difficult objects) is ignored wherever the point
            lies, as in classification.
        found (array): (N,) bool, read where gt is 1.
        mode (str): 'voc07' or 'voc10'.

    Returns:
        float: In [0, 1]; nan for a class without positives.
    """
    gt = np.asarray(gt)
    answers = np.where((gt > 0) & ~np.asarray(found, bool), -1, gt)
    return voc_ap(scores, answers, mode, positives=(gt > 0).sum())


def hit_rate(gt, found):
    """Share of the positive images that point right ("pointing game"); nan without positives."""
    found = np.asarray(found, bool)[np.asarray(gt) > 0]
    return float(found.mean()) if len(found) else float('nan')


def point_report(classes, scores, labels, found, hit, mode, subset=()):
    """AP and hit rate of each class and their means, in fractions; None without positives.

    Args:
        classes (list[str]): K names.
        scores (ndarray): (N, K).
        labels (ndarray): (N, K) of {1, 0, -1}.
        found, hit (ndarray): (N, K) bool, what AP and what the hit rate counts.
        mode (str): 'voc07' or 'voc10'.
        subset (sequence[str]): Class names whose means are reported too.

    Returns:
        dict: mAP, hit_rate (and both with _subset), classes: name → ap, hit_rate.
    """
    rows = {
        name: (
            point_ap(scores[:, k], labels[:, k], found[:, k], mode),
            hit_rate(labels[:, k], hit[:, k]),
        )
        for k, name in enumerate(classes)
    }
    report = {}
    for end, names in (('', classes), ('_subset', subset)):
        if names:
            for i, key in enumerate(('mAP', 'hit_rate')):
                report[key + end] = or_none(mean_ap(rows[name][i] for name in names))
    report['classes'] = {
        name: dict(ap=or_none(ap), hit_rate=or_none(rate)) for name, (ap, rate) in rows.items()
    }
    return report


@METRICS.register_module()
class PointLocalization(VOCDevkitAP):
    """A class is found where the maximum of its score map lies in one of its boxes.

    AP over the image scores, where a miss is a false positive and a false negative (see
    :func:`point_ap`); beside it the hit rate of the pointing game, and both again for a point in
    the middle of every picture, with the same scores: what a map has to beat.

    Only objects that are not difficult are to be found. A class with difficult objects alone is
    ignored, by the devkit's rule for classification; where a class has both, a point on the
    difficult one is a miss, since the ordinary one was not found. Negative images are wrong
    wherever they point: maps are made for the one or two classes that a picture has, which costs
    some milliseconds.

    Args:
        mode (str): 'voc10' (area, as of VOC 2012 on which the paper of 2015 reports) or 'voc07'.
        tolerance (float): Pixels around a box that count as inside, for AP. Paper of 2015: 18.
        hit_tolerance (float): The same for the hit rate. Pointing game: 15.
        long_side (int): Of the map, cells; a smaller picture keeps its pixels. Defaults to 500.
        damping (float): Of the map (see :func:`mean_score_map`). Defaults to 0, the paper's mean;
            our configs take 20, chosen on val.
        subset (sequence[str], optional): Class names whose means are reported too.
        prefix (str): Of the keys. Defaults to 'point'.
        **kwargs: For mmengine's `BaseMetric`.

    A data sample holds what :class:`VOCDevkitAP` needs and `ori_shape`, `gt_bboxes` (n, 4),
    `gt_bboxes_labels`, `gt_bboxes_difficult` (n,), `patch_boxes` (P, 4), `patch_scores` (P, K).
    The model sets the last two when `PatchScoresHook` asks it; they are read per batch and not
    kept.

    After `evaluate`, on the main process: `report`, the entry of voc_ap.json, and `reports`, one
    :func:`point_report` each for 'votes' and 'centre'.

    Returns `mAP`, `hit_rate`, `centre_mAP`, `centre_hit_rate` (and the same with `_subset`) in
    per cent.
    """

    # `PatchScoresHook` looks for this.
    reads_patch_scores = True

    def __init__(
        self,
        mode='voc10',
        tolerance=18,
        hit_tolerance=15,
        long_side=500,
        damping=0,
        subset=None,
        prefix='point',
        **kwargs,
    ):
        super().__init__(mode, subset=subset, prefix=prefix, **kwargs)
        self.tolerance, self.hit_tolerance = tolerance, hit_tolerance
        self.long_side, self.damping = long_side, damping

    def process(self, data_batch, data_samples):
        first = len(self.results)
        super().process(data_batch, data_samples)
        for at, sample in enumerate(data_samples, first):
            labels = self.results[at][2]
            found = np.zeros((4, len(labels)), bool)
            present = np.flatnonzero(labels > 0)
            if len(present):
                found[:, present] = self._found(sample, present)
            self.results[at] += (self.sample_id(sample), found)

    def _found(self, sample, present):
        """(4, c) bool of the c present classes: the map's point at the two tolerances, then the
        middle's."""
        name, sample_id = type(self).__name__, self.sample_id(sample)
        lacking = [k for k in ('gt_bboxes', 'ori_shape') if k not in sample]
        if lacking:
            raise UserError(
                f'{name}: {sample_id} has no {" and no ".join(lacking)}; pointing needs a split '
                'with boxes, packed by PackPatchInputs'
            )
        if 'patch_scores' not in sample:
            raise UserError(
                f"{name}: {sample_id} has no patch_scores; add dict(type='tcnn_mm.PatchScoresHook')"
                ' to custom_hooks, which asks a PatchClassifier for them'
            )
        ordinary = ~to_numpy(sample['gt_bboxes_difficult']).astype(bool)
        boxes = to_numpy(sample['gt_bboxes'])[ordinary]
        labels = to_numpy(sample['gt_bboxes_labels'])[ordinary]
        without = sorted(set(present.tolist()) - set(labels.tolist()))
        if without:
            raise UserError(
                f'{name}: {sample_id} has the class {self.class_names()[without[0]]} but no box '
                'of it; pointing needs the boxes of all objects (tools/test.py adds them to an '
                'older feature bank)'
            )
        size_hw = tuple(int(side) for side in sample['ori_shape'][:2])
        scores = sample['patch_scores'][:, present]
        points = score_points(sample['patch_boxes'], scores, size_hw, self.long_side, self.damping)
        middle = np.tile([[size_hw[1] / 2, size_hw[0] / 2]], (len(present), 1))
        return [
            points_found(where, present, boxes, labels, tolerance)
            for where in (points.cpu().numpy(), middle)
            for tolerance in (self.tolerance, self.hit_tolerance)
        ]

    def compute_metrics(self, results):
        classes = self.class_names()
        shape = (len(results), len(classes))
        scores = np.array([row[1] for row in results], np.float64).reshape(shape)
        labels = np.array([row[2] for row in results], np.int64).reshape(shape)
        found = np.array([row[4] for row in results], bool).reshape(len(results), 4, len(classes))
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
        self.scores = ([row[3] for row in results], classes, scores)
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
        return {key: float('nan') if v is None else 100 * v for key, v in means.items()}

    def _table(self):
        """The report for the log, in per cent."""
        report = self.report
        wide = max(map(len, [*report['classes'], 'subset']))
        columns = ('AP %', 'centre AP %', 'hits %', 'centre hits %')

        def line(name, row, ap, end=''):
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
            f'hits within {self.hit_tolerance} px; centre: the middle of every picture',
            f'{"class":{wide}}' + ''.join(f'{c:>15}' for c in columns) + '  positives  difficult',
        ]
        lines += [line(name, row, 'ap') for name, row in report['classes'].items()]
        lines.append(line('mean', report, 'mAP'))
        if self.subset:
            lines.append(line('subset', report, 'mAP', '_subset') + f'  {", ".join(self.subset)}')
        return '\n'.join(lines)
