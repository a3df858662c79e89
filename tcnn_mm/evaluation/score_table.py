"""What the metrics that read image scores share: one checked row an item."""

import os.path as osp

import numpy as np
from mmengine.evaluator import BaseMetric

from tcnn_mm.errors import UserError


class ScoreTable(BaseMetric):
    """Collects (key, scores) of each item of a data set, in its order.

    A data sample holds `pred_score` (K,), `img_id` (or `img_path`, whose name without extension
    is taken) and, for one of several objects of a picture, `object_index`.

    After `evaluate`, on the main process: `scores`, (ids, class names, (N, K) float64), rows in
    the data set's order; `report`, an entry of voc_ap.json, where the metric has one.
    """

    scores = report = None
    # Set by `VOCResultsHook`, for metrics that write files.
    work_dir = ''

    def class_names(self):
        """Names of the K classes."""
        classes = (self.dataset_meta or {}).get('classes')
        if not classes:
            raise UserError(
                f'{type(self).__name__}: the data set names no classes; give it '
                'metainfo=dict(classes=(…))'
            )
        return list(classes)

    def sample_key(self, sample):
        """(image id,), or (image id, object's number) where an item is an object."""
        if sample.get('img_id') is not None:
            key = (str(sample['img_id']),)
        elif sample.get('img_path') is not None:
            key = (osp.splitext(osp.basename(sample['img_path']))[0],)
        else:
            raise UserError(
                f'{type(self).__name__}: a data sample has neither img_id nor img_path; add one '
                'to the meta_keys of the packing transform'
            )
        number = sample.get('object_index')
        return key if number is None else (*key, str(number))

    def sample_id(self, sample):
        """What stands in the `id` column of image_scores.csv: `img_id`, `img_id/object_index`."""
        return '/'.join(self.sample_key(sample))

    def sample_scores(self, sample, num_classes):
        """(K,) float64, checked."""
        name, sample_id = type(self).__name__, self.sample_id(sample)
        if 'pred_score' not in sample:
            raise UserError(f'{name}: {sample_id} has no pred_score, the scores of a model')
        scores = to_numpy(sample['pred_score']).astype(np.float64)
        if scores.shape != (num_classes,):
            raise UserError(
                f'{name}: pred_score of {sample_id} has shape {scores.shape}, the data set '
                f'has {num_classes} classes (background is no class)'
            )
        if np.isnan(scores).any():
            raise ValueError(f'{name}: pred_score of {sample_id} has NaN')
        return scores


def to_numpy(values):
    """Tensor of any device, sequence or set → array of at least one dimension."""
    if hasattr(values, 'detach'):
        values = values.detach().cpu()
        # numpy has no bfloat16.
        values = (values.double() if values.is_floating_point() else values).numpy()
    elif not isinstance(values, np.ndarray):
        values = np.array(list(values))
    return np.atleast_1d(values)


def or_none(value):
    """A number for JSON, which has no nan."""
    return None if np.isnan(value) else value


def percent(value):
    """A fraction, or None, for a table."""
    return 'nan' if value is None else f'{100 * value:.2f}'
