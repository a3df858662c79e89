"""Patch scores for whom they concern, and for nobody else: they are large."""

from mmengine.hooks import Hook
from mmengine.runner import Runner

from tcnn_mm.engine.unwrap_model import unwrap_model
from tcnn_mm.registry import HOOKS


@HOOKS.register_module()
class PatchScoresHook(Hook):
    """Asks the model for its patch scores while a metric of the evaluator reads them.

    Such a metric says `reads_patch_scores = True`. The model then leaves `patch_boxes` (P, 4) and
    `patch_scores` (P, K) in each sample of a batch; the loop drops them with the batch.
    """

    def before_val_epoch(self, runner):
        self._ask(runner, runner.val_loop)

    def before_test_epoch(self, runner):
        self._ask(runner, runner.test_loop)

    def after_val_epoch(self, runner, metrics=None):
        return_patch_scores(runner, False)

    def after_test_epoch(self, runner, metrics=None):
        return_patch_scores(runner, False)

    @staticmethod
    def _ask(runner, loop):
        if any(getattr(m, 'reads_patch_scores', False) for m in loop.evaluator.metrics):
            return_patch_scores(runner, True)


def return_patch_scores(runner: Runner, keep: bool) -> None:
    """Ask the model of a runner for patch scores in its tests, or no longer."""
    unwrap_model(runner).set_test_options(return_patches=keep)
