"""How often the interval of a cross-validation covers the AP on images that nothing was chosen on.

From a set of many images, few are drawn again and again; each draw is cross-validated as `tcnn fit`
does it, its last head is trained on the drawn images, and tested on all others (or on the images
that the data name for test).

Letters: N images, K classes.
"""

import os.path as osp
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.registry import init_default_scope

from tcnn_mm.analysis.draws import draw_images, finish_draw, list_of, read_done, write_draw_config
from tcnn_mm.datasets.feature_bank import FeatureBank
from tcnn_mm.datasets.formats.read_data import ReadOptions
from tcnn_mm.errors import UserError
from tcnn_mm.estimator.cross_validation import cross_validate, json_figures, read_held_out
from tcnn_mm.estimator.fold_choice import FoldOptions
from tcnn_mm.estimator.plan import make_plan
from tcnn_mm.estimator.training import make_banks, read_config, train, write_config
from tcnn_mm.evaluation.average_precision import class_aps, mean_ap
from tcnn_mm.evaluation.cross_validated import cross_validated_intervals
from tcnn_mm.evaluation.intervals import APIntervals, Interval
from tcnn_mm.inference.predict_dataset import predict_dataset
from tcnn_mm.inference.trained_model import load_trained_model

METRIC = 'voc10'
Record = dict[str, Any]
Row = dict[str, float | None]
KEYS = ('ap', 'low', 'high', 'test')


def fold_coverage(
    data: str | Sequence[str],
    backbone: str,
    out: str,
    images: int = 50,
    draws: int = 5,
    folds: int = 5,
    reading: ReadOptions | None = None,
    scales: Sequence[float] | None = None,
) -> list[Record]:
    """Cross-validate draws of images and test each; what is done already is not done again.

    Args:
        data: As of `tcnn fit`.
        backbone: Name of the network.
        out: Folder for everything that is written, coverage.json among it.
        images: Of each draw.
        draws: Seeds 0, 1 …
        folds: Of each cross-validation.
        reading: How the data are read.
        scales: λ. Defaults to what all images need.

    Returns:
        Per draw its seed, the interval (ap, low, high) and the AP of the test, of each class and
        of the mean; in fractions, None where undefined.

    Raises:
        UserError: What :func:`make_plan` refuses; no more images than are drawn.
    """
    init_default_scope('mmpretrain')
    out = osp.abspath(out)
    plan = make_plan(data, backbone, out, scales=scales, reading=reading, folds=FoldOptions(2))
    path = write_config(plan)
    make_banks(path, plan)
    banks = read_config(path)
    pool = FeatureBank(banks.train_dataloader.dataset.bank, test_mode=True)
    if images >= len(pool):
        raise UserError(f'{out}: {images} of {len(pool)} images cannot be drawn; give fewer')
    test = FeatureBank(banks.test_dataloader.dataset.bank, test_mode=True) if plan.tested else pool
    done = osp.join(out, 'coverage.json')
    records = read_done(done)
    for seed in range(draws):
        if any(record['seed'] == seed for record in records):
            continue
        chosen = draw_images(len(pool), images, seed)
        folder = osp.join(out, 'draws', str(seed))
        drawn = [pool.manifest['pictures'][pool.images[i]] for i in chosen]
        config = write_draw_config(
            path,
            folder,
            [record['img_id'] for record in drawn],
            [record['gt_label'] for record in drawn],
            folds,
            seed,
            pool,
            plan.data.weak,
            dict(ids=list_of(folder)),
        )
        others = np.arange(len(test)) if plan.tested else np.setdiff1d(np.arange(len(pool)), chosen)
        records.append(dict(seed=seed, **measure_draw(config, test, others)))
        finish_draw(done, records, folder)
    return records[:draws]


def measure_draw(config: str, test: FeatureBank, others: np.ndarray) -> Record:
    """Cross-validate a draw and test its last head on some images of a bank of all windows."""
    cross_validate(config, overlays=0)
    held_out = read_held_out(config)
    intervals = cross_validated_intervals(held_out.scores, held_out.labels, METRIC)
    model = load_trained_model(train(config)).model
    found = list(predict_dataset(model, test, batch_size=8, indices=others.tolist()))
    aps = class_aps(
        np.stack([f.scores for f in found]), np.stack([f.labels for f in found]), METRIC
    )
    return dict(tested=len(found), **interval_rows(held_out.classes, intervals, aps))


def interval_rows(classes: Sequence[str], intervals: APIntervals, aps: np.ndarray) -> Record:
    """The interval and the AP of the test, of each class and of the mean.

    The mean of the test is over the classes that have an interval: a class without an image in the
    draw cannot be learned, and the cross-validated mean leaves it out.
    """
    known = np.isfinite([interval.value for interval in intervals.classes])
    rows = {
        name: _row(interval, ap)
        for name, interval, ap in zip(classes, intervals.classes, aps, strict=True)
    }
    return dict(mean=_row(intervals.mean, mean_ap(aps[known])), classes=rows)


def _row(interval: Interval, test: float) -> Row:
    """An interval and the AP of the test, for JSON."""
    return json_figures(ap=interval.value, low=interval.low, high=interval.high, test=test)


def _value(row: Row, key: str) -> float:
    """One entry; nan where it is not defined."""
    found = row[key]
    return float('nan') if found is None else found


def coverage_lines(records: Sequence[Record]) -> list[str]:
    """The draws as a table in per cent, and how many are covered: means, and classes."""

    def covered(rows: Sequence[Row]) -> list[bool]:
        known = [row for row in rows if None not in row.values()]
        return [_value(row, 'low') <= _value(row, 'test') <= _value(row, 'high') for row in known]

    lines = ['draw     AP    low   high   test']
    for record in records:
        cells = (f'{100 * _value(record["mean"], key):5.1f}' for key in KEYS)
        lines.append(f'{record["seed"]:4d}  {"  ".join(cells)}')
    rows = [record['mean'] for record in records]
    means = covered(rows)
    classes = covered([row for record in records for row in record['classes'].values()])
    bias = np.mean([_value(row, 'ap') - _value(row, 'test') for row in rows])
    return [
        *lines,
        f'mean AP: {sum(means)} of {len(means)} intervals cover the test; cross-validated minus '
        f'test {100 * bias:+.1f} on average',
        f'AP of a class: {sum(classes)} of {len(classes)}',
    ]
