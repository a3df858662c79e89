"""The devkit's average precision of image classification as a metric of the toolbox.

Letters: N images (or persons), K classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmengine.logging import print_log

from tcnn_mm.datasets.image_labels import image_labels
from tcnn_mm.errors import InvalidValueError, UserError
from tcnn_mm.evaluation.ap_report import ap_report, ap_table
from tcnn_mm.evaluation.average_precision import MODES
from tcnn_mm.evaluation.score_table import ScoreTable, or_nan, to_numpy
from tcnn_mm.registry import METRICS


# Not a NamedTuple: mmengine gathers results as plain tuples.
@dataclass(frozen=True)
class LabeledScores:
    """Scores and ground truth of one item.

    Attributes:
        key: See :meth:`ScoreTable.sample_key`.
        scores: (K,) float64.
        labels: (K,) of {1, 0, -1}.
    """

    key: tuple[str, ...]
    scores: np.ndarray
    labels: np.ndarray


@METRICS.register_module()
class VOCDevkitAP(ScoreTable):
    """Average precision of image classification, by the rules of the VOC devkit.

    An image with an ordinary object of the class is positive, one with difficult objects only is
    ignored, any other is negative. A class without positives has no AP and is left out of the mean.

    Args:
        mode (str): 'voc07' (11 points) or 'voc10' (area under the curve).
        subset (sequence[str], optional): Class names whose mean is reported too.
        prefix (str, optional): Prefix of the result keys. Defaults to the mode: `voc07/mAP`.
        **kwargs: For mmengine's `BaseMetric`.

    A data sample holds, beside what :class:`ScoreTable` needs, `gt_label` and
    `gt_label_difficult` (none if absent). `report` is the entry of voc_ap.json, in fractions.

    Returns `mAP` (and `mAP_subset`) in per cent.

    Raises:
        UserError: A data set whose annotations are secret, unknown names in `subset`, a sample
            without scores or labels.
    """

    def __init__(
        self,
        mode: str,
        subset: str | Sequence[str] | None = None,
        prefix: str | None = None,
        **kwargs: Any,
    ) -> None:
        if mode not in MODES:
            raise InvalidValueError(
                f"{type(self).__name__}: mode={mode!r}; choose 'voc07' (11 points) or 'voc10' "
                '(area)'
            )
        super().__init__(prefix=prefix or mode, **kwargs)
        self.mode = mode
        self.subset = [subset] if isinstance(subset, str) else list(subset or ())

    def scored_classes(self) -> list[str]:
        """Return the names of the classes that have an AP, checked against `subset`."""
        classes, name = self.class_names(), type(self).__name__
        if not (self.dataset_meta or {}).get('annotated', True):
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

    def sample_labels(self, sample: dict[str, Any], num_classes: int) -> np.ndarray:
        """Return the ground truth of a sample, (K,) of {1, 0, -1}."""
        if 'gt_label' not in sample:
            raise UserError(
                f'{type(self).__name__}: {self.sample_id(sample)} has no gt_label; AP needs '
                'an annotated split'
            )
        return image_labels(
            to_numpy(sample['gt_label']),
            to_numpy(sample.get('gt_label_difficult', ())),
            num_classes,
        )

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Collect the :meth:`row` of each sample."""
        self.scored_classes()
        num_classes = len(self.class_names())
        self.results += [self.row(sample, num_classes) for sample in data_samples]

    def row(self, sample: dict[str, Any], num_classes: int) -> LabeledScores:
        """Read what is kept of a sample."""
        scores = self.sample_scores(sample, num_classes)
        return LabeledScores(
            self.sample_key(sample), scores, self.sample_labels(sample, num_classes)
        )

    def tables(self, results: Sequence[LabeledScores]) -> tuple[np.ndarray, np.ndarray]:
        """Set `scores`; return scores (N, K) float64 and labels (N, K) int64."""
        classes = self.class_names()
        shape = (len(results), len(classes))
        scores = np.array([row.scores for row in results], np.float64).reshape(shape)
        labels = np.array([row.labels for row in results], np.int64).reshape(shape)
        self.scores = (['/'.join(row.key) for row in results], classes, scores)
        return scores, labels

    def compute_metrics(self, results: list[Any]) -> dict[str, float]:
        """Set `report` and log it; return the means."""
        scores, labels = self.tables(results)
        classes, scored = self.class_names(), self.scored_classes()
        columns = [classes.index(name) for name in scored]
        self.report = self.make_report(
            [row.key for row in results], scored, scores[:, columns], labels[:, columns]
        )
        print_log(ap_table(self.report, str(self.prefix)), 'current')
        means = {k: self.report[k] for k in ('mAP', 'mAP_subset') if k in self.report}
        return {k: 100 * or_nan(v) for k, v in means.items()}

    def make_report(
        self,
        keys: list[tuple[str, ...]],
        classes: list[str],
        scores: np.ndarray,
        labels: np.ndarray,
    ) -> dict[str, Any]:
        """Return the entry of voc_ap.json: keys (N,), names (K,), scores and labels (N, K)."""
        return ap_report(self.mode, classes, scores, labels, self.mode, self.subset)
