"""Log the coverage of the objects at start, and the accuracy on object patches per epoch."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.runner import Runner

from tcnn_mm.datasets.item_sizes import with_sizes
from tcnn_mm.engine.unwrap_model import unwrap_model
from tcnn_mm.errors import UserError
from tcnn_mm.patches.coverage import measure_coverage
from tcnn_mm.registry import HOOKS


@HOOKS.register_module()
class PatchReportHook(Hook):
    """Logs the patches of a training: coverage, share of background, accuracy per class.

    At start: the objects that no patch can be labelled by (see :func:`measure_coverage`). After
    each epoch: the share of background and the accuracy on object patches, per class.

    Args:
        coverage (bool): The report at start, which takes a few seconds for VOC2007. A sampler
            without grid and labeler (one square per person) has none. Defaults to True.

    Raises:
        UserError: At start, if the data set and the head differ in their number of classes.
    """

    def __init__(self, coverage: bool = True) -> None:
        self.coverage = coverage

    def before_train(self, runner: Runner) -> None:
        """Check the number of classes; log the coverage."""
        model = unwrap_model(runner)
        sampler: Any = getattr(model, 'sampler', None)
        dataset = runner.train_dataloader.dataset
        classes = (getattr(dataset, 'metainfo', None) or {}).get('classes', ())
        if classes and len(classes) != model.head.num_classes:
            raise UserError(
                f'the training data have {len(classes)} classes ({", ".join(classes)}), '
                f'model.head.num_classes={model.head.num_classes} (background is no class)'
            )
        has_boxes = hasattr(dataset, 'get_data_info') and 'gt_bboxes' in dataset.get_data_info(0)
        if not (self.coverage and hasattr(sampler, 'labeler') and has_boxes):
            return
        items = with_sizes(dataset.get_data_info(i) for i in range(len(dataset)))
        report = measure_coverage(items, dataset.metainfo['classes'], sampler.grid, sampler.labeler)
        runner.logger.info('\n'.join(report.table()))

    def after_train_epoch(self, runner: Runner) -> None:
        """Log the counts of all processes."""
        model = unwrap_model(runner)
        if not hasattr(model, 'statistics'):
            return  # another model, as in mmpretrain's vis_scheduler.py
        counts = model.statistics
        if counts is None:
            counts = torch.zeros(model.head.num_classes + 1, 2, dtype=torch.int64)
        counts = counts.to(next(model.parameters()).device)
        all_reduce(counts)
        correct, seen = counts.double().cpu().numpy().T
        classes = runner.train_dataloader.dataset.metainfo['classes']
        sizes = [0, 0]
        for parameter in model.parameters():
            sizes[parameter.requires_grad] += parameter.numel()
        runner.logger.info(
            '{}; parameters: frozen {:,}, trainable {:,}'.format(
                self.line(correct, seen, classes), *sizes
            )
        )
        hub = runner.message_hub
        hub.update_scalar('train/background_share', seen[-1] / max(1.0, seen.sum()))
        hub.update_scalar('train/object_accuracy', correct[:-1].sum() / max(1.0, seen[:-1].sum()))

    @staticmethod
    def line(correct: np.ndarray, seen: np.ndarray, classes: Sequence[str]) -> str:
        """Format counts of patches (K+1,), background last, as one line."""
        if not seen.sum():
            return 'patches: none in this epoch'
        with np.errstate(invalid='ignore'):
            each = 100 * correct / seen
        names = [f'{n} {a:.0f}' for n, a in zip(classes, each, strict=False) if a == a]
        return (
            f'patches: {int(seen.sum())}, background {100 * seen[-1] / seen.sum():.0f} %; '
            f'accuracy on object patches {100 * correct[:-1].sum() / max(1, seen[:-1].sum()):.1f} '
            f'%, by class: {", ".join(names)}'
        )
