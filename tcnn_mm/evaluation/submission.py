"""Write the scores of a split for the evaluation server."""

import os.path as osp
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.logging import print_log

from tcnn_mm.datasets.voc_action import OTHER
from tcnn_mm.errors import InvalidValueError, UserError
from tcnn_mm.evaluation.result_files import COMPETITIONS, write_results
from tcnn_mm.evaluation.score_table import ScoreTable
from tcnn_mm.registry import METRICS


@METRICS.register_module()
class VOCSubmission(ScoreTable):
    """Writes the scores of a split for the evaluation server; annotations are not read.

    Args:
        comp (str): 'comp1' or 'comp2' (classification), 'comp9' or 'comp10' (actions). comp2 and
            comp10 are for networks that were trained on other data than the challenge's.
        split (str): In the names of the files. Defaults to 'test'.
        year (int): Year of the challenge. Defaults to 2012.
        out_dir (str): Folder that receives `results/` and the archive. Defaults to the current
            one; with `VOCResultsHook`, a relative folder lies below the work dir.
        prefix (str): Prefix of the result keys. Defaults to 'submission'.
        **kwargs: For mmengine's `BaseMetric`.

    Returns `items`, the number of images or persons that were written.

    Raises:
        UserError: An image where the competition is of persons or the other way round; a
            duplicate key.
    """

    def __init__(
        self,
        comp: str,
        split: str = 'test',
        year: int = 2012,
        out_dir: str = '.',
        prefix: str = 'submission',
        **kwargs: Any,
    ) -> None:
        if comp not in COMPETITIONS:
            raise InvalidValueError(
                f'VOCSubmission: comp={comp!r}; choose from {sorted(COMPETITIONS)}'
            )
        super().__init__(prefix=prefix, **kwargs)
        self.comp, self.split, self.year, self.out_dir = comp, split, year, out_dir

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Collect (key, scores) of each sample."""
        num_classes = len(self.class_names())
        due = COMPETITIONS[self.comp].item
        for sample in data_samples:
            key = self.sample_key(sample)
            found = 'image' if len(key) == 1 else 'person'
            if found != due:
                raise UserError(
                    f'VOCSubmission: {self.comp} takes {due}s; {self.sample_id(sample)} is of '
                    f'a data set of {found}s'
                )
            self.results.append((key, self.sample_scores(sample, num_classes)))

    def compute_metrics(self, results: list[Any]) -> dict[str, float]:
        """Write the files; return the number of items."""
        keys, classes = [row[0] for row in results], self.class_names()
        twice = [key for key, count in Counter(keys).items() if count > 1]
        if twice:
            raise UserError(f'VOCSubmission: duplicate item {"/".join(twice[0])}')
        scores = np.array([row[1] for row in results]).reshape(len(keys), len(classes))
        self.scores = (['/'.join(key) for key in keys], classes, scores)
        # The devkit has no results for the action `other`.
        columns = [k for k, name in enumerate(classes) if name != OTHER]
        names = [classes[k] for k in columns]
        folder = osp.normpath(osp.join(self.work_dir, self.out_dir))
        archive = write_results(
            folder, self.comp, self.split, names, keys, scores[:, columns], self.year
        )
        print_log(f'for the server: {archive}, {len(names)} classes × {len(keys)} lines', 'current')
        return {'items': len(keys)}
