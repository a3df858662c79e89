"""The devkit's average precision of image classification as a metric of the toolbox."""

import numpy as np
from mmengine.logging import print_log

from tcnn_mm.datasets.image_labels import image_labels
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.average_precision import MODES, mean_ap, voc_ap
from tcnn_mm.evaluation.score_table import ScoreTable, or_none, percent, to_numpy
from tcnn_mm.registry import METRICS


def ap_report(metric, classes, scores, labels, mode, subset=()):
    """An entry of voc_ap.json, in fractions; null for a class without positives.

    Args:
        metric (str): Its name.
        classes (list[str]): K names.
        scores (ndarray): (N, K).
        labels (ndarray): (N, K) of {1, 0, -1}.
        mode (str): 'voc07' or 'voc10'.
        subset (sequence[str]): Classes whose mean is reported too.

    Returns:
        dict: metric, mAP (and mAP_subset), classes, images, (and subset).
    """
    aps = {name: voc_ap(scores[:, k], labels[:, k], mode) for k, name in enumerate(classes)}
    means = {'mAP': mean_ap(aps.values())}
    if subset:
        means['mAP_subset'] = mean_ap(aps[name] for name in subset)
    report = {
        'metric': metric,
        **{key: or_none(value) for key, value in means.items()},
        'classes': {
            name: {
                'ap': or_none(aps[name]),
                'positives': int((labels[:, k] == 1).sum()),
                'difficult': int((labels[:, k] == 0).sum()),
            }
            for k, name in enumerate(classes)
        },
        'images': len(scores),
    }
    if subset:
        report['subset'] = list(subset)
    return report


def ap_table(report, title):
    """A report as aligned lines, in per cent."""
    rows = report['classes']
    wide = max(map(len, [*rows, 'class']))
    persons = f'{report["persons"]} persons of ' if 'persons' in report else ''
    lines = [
        f'{title}: {persons}{report["images"]} images',
        f'{"class":{wide}}    AP %  positives  difficult',
    ]
    lines += [
        f'{name:{wide}}  {percent(row["ap"]):>6}  {row["positives"]:9d}  {row["difficult"]:9d}'
        for name, row in rows.items()
    ]
    counted = sum(row['ap'] is not None for row in rows.values())
    lines.append(
        f'mAP {percent(report["mAP"])} over the {counted} of {len(rows)} classes that have '
        'positives'
    )
    if 'subset' in report:
        lines.append(f'mAP {percent(report["mAP_subset"])} over {", ".join(report["subset"])}')
    return '\n'.join(lines)


@METRICS.register_module()
class VOCDevkitAP(ScoreTable):
    """Average precision of image classification, by the VOC devkit's rules.

    A class with an ordinary object is positive, one with difficult objects only is ignored, any
    other is negative. A class without positives has no AP and is left out of the mean.

    Args:
        mode (str): 'voc07' (11 points) or 'voc10' (area under the curve).
        subset (sequence[str], optional): Class names whose mean is reported too.
        prefix (str, optional): Of the keys. Defaults to the mode: `voc07/mAP`.
        **kwargs: For mmengine's `BaseMetric`.

    A data sample holds, beside what :class:`ScoreTable` needs, `gt_label` and
    `gt_label_difficult` (none if absent).

    After `evaluate`, on the main process: `report`, the entry of voc_ap.json (fractions), and
    `scores`.

    Returns `mAP` (and `mAP_subset`) in per cent.

    Raises:
        UserError: A data set whose annotations are secret, unknown names in `subset`, a sample
            that lacks something.
    """

    def __init__(self, mode, subset=None, prefix=None, **kwargs):
        if mode not in MODES:
            raise ValueError(
                f"{type(self).__name__}: mode={mode!r}; choose 'voc07' (11 points) or 'voc10' "
                '(area)'
            )
        super().__init__(prefix=prefix or mode, **kwargs)
        self.mode = mode
        self.subset = [subset] if isinstance(subset, str) else list(subset or ())

    def scored_classes(self):
        """Names of the classes that have an AP, checked against `subset`."""
        classes, name = self.class_names(), type(self).__name__
        if not self.dataset_meta.get('annotated', True):
            raise UserError(
                f'{name}: the annotations of this split are secret, so there is no AP; take '
                "dict(type='tcnn_mm.VOCSubmission', …) in its place (--server)"
            )
        unknown = [c for c in self.subset if c not in classes]
        if unknown:
            raise UserError(
                f'{name}: subset names unknown classes: {", ".join(map(str, unknown))}; '
                f'the data set has {", ".join(classes)}'
            )
        return classes

    def sample_labels(self, sample, num_classes):
        """(K,) of {1, 0, -1}."""
        return image_labels(
            to_numpy(sample['gt_label']),
            to_numpy(sample.get('gt_label_difficult', ())),
            num_classes,
        )

    def process(self, data_batch, data_samples):
        self.scored_classes()
        num_classes = len(self.class_names())
        for sample in data_samples:
            scores = self.sample_scores(sample, num_classes)
            if 'gt_label' not in sample:
                raise UserError(
                    f'{type(self).__name__}: {self.sample_id(sample)} has no gt_label; AP needs '
                    'an annotated split'
                )
            labels = self.sample_labels(sample, num_classes)
            self.results.append((self.sample_key(sample), scores, labels))

    def compute_metrics(self, results):
        classes, scored = self.class_names(), self.scored_classes()
        shape = (len(results), len(classes))
        scores = np.array([row[1] for row in results], np.float64).reshape(shape)
        labels = np.array([row[2] for row in results], np.int64).reshape(shape)
        self.scores = (['/'.join(row[0]) for row in results], classes, scores)
        columns = [classes.index(name) for name in scored]
        self.report = self.make_report(
            [row[0] for row in results], scored, scores[:, columns], labels[:, columns]
        )
        print_log(ap_table(self.report, self.prefix), 'current')
        means = {k: self.report[k] for k in ('mAP', 'mAP_subset') if k in self.report}
        return {k: float('nan') if v is None else 100 * v for k, v in means.items()}

    def make_report(self, keys, classes, scores, labels):
        """The entry of voc_ap.json: keys (N,), K names, (N, K), (N, K)."""
        return ap_report(self.mode, classes, scores, labels, self.mode, self.subset)
