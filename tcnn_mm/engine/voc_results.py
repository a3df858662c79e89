"""Write average precisions and image scores to files."""

import csv
import json
import os
import os.path as osp
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.score_table import ScoreTable
from tcnn_mm.registry import HOOKS


def write_report(path: str, reports: Sequence[dict[str, Any]]) -> None:
    """Write voc_ap.json: a list of :attr:`ScoreTable.report`."""
    with atomic_write(path) as file:
        json.dump(reports, file, indent=2, ensure_ascii=False, allow_nan=False)
        file.write('\n')


def write_scores(path: str, ids: Sequence[str], classes: Sequence[str], scores: np.ndarray) -> None:
    """Write image_scores.csv: `id`, then one column per class.

    Args:
        path: The file.
        ids: N image ids, or `id/objectIdx` of persons.
        classes: K names.
        scores: (N, K) float64; each is written so that reading gives the same number.
    """
    with atomic_write(path, errors='backslashreplace') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(['id', *classes])
        for image_id, row in zip(ids, scores.tolist(), strict=True):
            writer.writerow([image_id, *map(repr, row)])


@HOOKS.register_module()
class VOCResultsHook(Hook):
    """Writes the results of the metrics of this package, on the main process.

    A test writes `voc_ap.json` (a list, one entry per metric with an AP) and `image_scores.csv`;
    a validation writes `voc_ap_val.json` and `image_scores_val.csv`, replaced at each epoch. With
    `VOCSubmission` alone the list is empty. The archive for the server is written to the same
    folder.

    Args:
        out_dir (str, optional): Folder, below the work dir if relative. Defaults to the work dir
            itself.

    Raises:
        UserError: Before the first image, if an evaluator has none of these metrics.
    """

    def __init__(self, out_dir: str | None = None) -> None:
        self.out_dir = out_dir

    def before_train(self, runner: Runner) -> None:
        """Check the evaluator of the validation before the first epoch."""
        if runner.val_loop is not None:
            self._metrics(runner, 'val')

    def before_val(self, runner: Runner) -> None:
        """Check the evaluator of the validation."""
        self._metrics(runner, 'val')

    def before_test(self, runner: Runner) -> None:
        """Check the evaluator of the test."""
        self._metrics(runner, 'test')

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Write the files of a validation."""
        self._write(runner, self._metrics(runner, 'val'), '_val')

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Write the files of a test."""
        self._write(runner, self._metrics(runner, 'test'), '')

    def _folder(self, runner: Runner) -> str:
        return osp.join(runner.work_dir, self.out_dir or '')

    def _metrics(self, runner: Runner, name: str) -> list[ScoreTable]:
        """Return the metrics of a loop (`val` or `test`) that write files."""
        evaluator = getattr(runner, f'{name}_loop').evaluator
        found = [m for m in evaluator.metrics if isinstance(m, ScoreTable)]
        if not found:
            others = ', '.join(type(m).__name__ for m in evaluator.metrics) or 'nothing'
            raise UserError(
                f'VOCResultsHook: {name}_evaluator has no VOCDevkitAP, VOCActionAP or '
                f'VOCSubmission (it has {others}); add '
                f"dict(type='tcnn_mm.VOCDevkitAP', mode='voc07') to {name}_evaluator, or switch "
                'VOCResultsHook out of custom_hooks'
            )
        for metric in found:
            metric.set_work_dir(self._folder(runner))
        return found

    def _write(self, runner: Runner, metrics: Sequence[ScoreTable], suffix: str) -> None:
        if not is_main_process():
            return
        folder = self._folder(runner)
        os.makedirs(folder, exist_ok=True)
        report = osp.join(folder, f'voc_ap{suffix}.json')
        write_report(report, [metric.report for metric in metrics if metric.report])
        # All metrics of a loop have the same samples and so the same scores.
        table = osp.join(folder, f'image_scores{suffix}.csv')
        write_scores(table, *metrics[0].scores)
        runner.logger.info(f'results: {report} and {table}')
