"""The devkit's average precision as a metric of the toolbox."""

import os.path as osp

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.average_precision import MODES, image_labels, mean_ap, voc_ap
from tcnn_mm.registry import METRICS


@METRICS.register_module()
class VOCDevkitAP(BaseMetric):
    """Average precision of image classification, by the VOC devkit's rules.

    A class with an ordinary object is positive, one with difficult objects only is ignored, any
    other is negative. A class without positives has no AP and is left out of the mean.

    Args:
        mode (str): 'voc07' (11 points) or 'voc10' (area under the curve).
        subset (sequence[str], optional): Class names whose mean is reported too.
        prefix (str, optional): Of the keys. Defaults to the mode: `voc07/mAP`.
        **kwargs: For mmengine's `BaseMetric`.

    A data sample holds `pred_score` (K,), `gt_label`, `gt_label_difficult` (none if absent) and
    `img_id` (or `img_path`, whose name without extension is taken).

    After `evaluate`, on the main process: `report`, the entry of voc_ap.json (fractions), and
    `scores`: (ids, class names, (N, K) float64), rows in the data set's order.

    Returns `mAP` (and `mAP_subset`) in per cent.
    """

    def __init__(self, mode, subset=None, prefix=None, **kwargs):
        if mode not in MODES:
            raise ValueError(
                f"VOCDevkitAP: mode={mode!r}; choose 'voc07' (11 points) or 'voc10' (area)"
            )
        super().__init__(prefix=prefix or mode, **kwargs)
        self.mode = mode
        self.subset = [subset] if isinstance(subset, str) else list(subset or ())
        self.report = self.scores = None

    def class_names(self):
        """Names of the K classes, checked against `subset`."""
        name = type(self).__name__
        classes = (self.dataset_meta or {}).get('classes')
        if not classes:
            raise UserError(
                f'{name}: the data set names no classes; give it metainfo=dict(classes=(…))'
            )
        unknown = [c for c in self.subset if c not in classes]
        if unknown:
            raise UserError(
                f'{name}: subset names unknown classes: {", ".join(map(str, unknown))}; '
                f'the data set has {", ".join(classes)}'
            )
        return list(classes)

    def sample_id(self, sample):
        """What stands in the `id` column of image_scores.csv."""
        if sample.get('img_id') is not None:
            return str(sample['img_id'])
        if sample.get('img_path') is not None:
            return osp.splitext(osp.basename(sample['img_path']))[0]
        raise UserError(
            f'{type(self).__name__}: a data sample has neither img_id nor img_path; add one to '
            'the meta_keys of the packing transform'
        )

    def sample_labels(self, sample, num_classes):
        """(K,) of {1, 0, -1}."""
        return image_labels(
            _numpy(sample['gt_label']), _numpy(sample.get('gt_label_difficult', ())), num_classes
        )

    def process(self, data_batch, data_samples):
        classes, name = self.class_names(), type(self).__name__
        for sample in data_samples:
            sample_id = self.sample_id(sample)
            lacking = [key for key in ('pred_score', 'gt_label') if key not in sample]
            if lacking:
                raise UserError(
                    f'{name}: {sample_id} has no {" and no ".join(lacking)}; AP needs the scores '
                    'of a model and an annotated split'
                )
            scores = _numpy(sample['pred_score']).astype(np.float64)
            if scores.shape != (len(classes),):
                raise UserError(
                    f'{name}: pred_score of {sample_id} has shape {scores.shape}, the data set '
                    f'has {len(classes)} classes (background is no class)'
                )
            if np.isnan(scores).any():
                raise ValueError(f'{name}: pred_score of {sample_id} has NaN')
            self.results.append((sample_id, scores, self.sample_labels(sample, len(classes))))

    def compute_metrics(self, results):
        classes = self.class_names()
        shape = (len(results), len(classes))
        scores = np.array([row[1] for row in results], np.float64).reshape(shape)
        labels = np.array([row[2] for row in results], np.int64).reshape(shape)
        aps = {
            name: voc_ap(scores[:, k], labels[:, k], self.mode) for k, name in enumerate(classes)
        }
        means = {'mAP': mean_ap(aps.values())}
        if self.subset:
            means['mAP_subset'] = mean_ap(aps[name] for name in self.subset)
        self.scores = ([row[0] for row in results], classes, scores)
        self.report = {
            'metric': self.mode,
            **{key: _or_none(value) for key, value in means.items()},
            'classes': {
                name: {
                    'ap': _or_none(aps[name]),
                    'positives': int((labels[:, k] == 1).sum()),
                    'difficult': int((labels[:, k] == 0).sum()),
                }
                for k, name in enumerate(classes)
            },
            'images': len(results),
        }
        if self.subset:
            self.report['subset'] = list(self.subset)
        print_log(self._table(), 'current')
        return {key: 100 * value for key, value in means.items()}

    def _table(self):
        """The report for the log, in per cent."""
        rows = self.report['classes']
        wide = max(map(len, [*rows, 'class']))
        lines = [
            f'{self.prefix}: {self.report["images"]} images',
            f'{"class":{wide}}    AP %  positives  difficult',
        ]
        lines += [
            f'{name:{wide}}  {_percent(row["ap"]):>6}  {row["positives"]:9d}  {row["difficult"]:9d}'
            for name, row in rows.items()
        ]
        counted = sum(row['ap'] is not None for row in rows.values())
        lines.append(
            f'mAP {_percent(self.report["mAP"])} over the {counted} of {len(rows)} classes that '
            'have positives'
        )
        if self.subset:
            lines.append(f'mAP {_percent(self.report["mAP_subset"])} over {", ".join(self.subset)}')
        return '\n'.join(lines)


def _numpy(values):
    """Tensor of any device, sequence or set → array of at least one dimension."""
    if hasattr(values, 'detach'):
        values = values.detach().cpu()
        # numpy has no bfloat16.
        values = (values.double() if values.is_floating_point() else values).numpy()
    elif not isinstance(values, np.ndarray):
        values = np.array(list(values))
    return np.atleast_1d(values)


def _or_none(value):
    """JSON has no nan."""
    return None if np.isnan(value) else value


def _percent(value):
    return 'nan' if value is None else f'{100 * value:.2f}'
