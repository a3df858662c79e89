"""Ask the model for patch scores only where a metric reads them: they are large."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from tcnn_mm.engine.unwrap_model import unwrap_model
from tcnn_mm.registry import HOOKS


@HOOKS.register_module()
class PatchScoresHook(Hook):
    """Asks the model for patch scores while a metric of the evaluator reads them.

    Such a metric has `reads_patch_scores = True`. The model then leaves `patch_boxes` (P, 4) and
    `patch_scores` (P, K) in each sample of a batch; the loop drops them with the batch.
    """

    def before_val_epoch(self, runner: Runner) -> None:
        """Ask if a metric of the validation reads them."""
        self._ask(runner, runner.val_loop)

    def before_test_epoch(self, runner: Runner) -> None:
        """Ask if a metric of the test reads them."""
        self._ask(runner, runner.test_loop)

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Ask no longer."""
        return_patch_scores(runner, False)

    def after_test_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Ask no longer."""
        return_patch_scores(runner, False)

    @staticmethod
    def _ask(runner: Runner, loop: Any) -> None:
        if any(getattr(m, 'reads_patch_scores', False) for m in loop.evaluator.metrics):
            return_patch_scores(runner, True)


def return_patch_scores(runner: Runner, keep: bool) -> None:
    """Ask the model of a runner for patch scores in its tests, or no longer."""
    unwrap_model(runner).set_test_options(return_patches=keep)
