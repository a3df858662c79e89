"""Record in each checkpoint what prediction needs besides the weights."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from tcnn_mm import __version__
from tcnn_mm.checkpoints.metadata import configured_damping, model_record, reads_upright
from tcnn_mm.compat import resume_request, running_loop
from tcnn_mm.engine.trained_images import (
    TRAINED_ON,
    join_prints,
    prints_of_processes,
    trained_prints,
)
from tcnn_mm.engine.unwrap_model import unwrap_model
from tcnn_mm.registry import HOOKS


@HOOKS.register_module()
class CheckpointMetaHook(Hook):
    """Writes `meta['tcnn_mm']`: the version, :func:`model_record`, and the `damping` of the maps.

    The damping is that of a test metric; without one it is left out. `upright` says that images
    are turned by their EXIF orientation; without the entry they are read as stored. `trained_on`
    holds 12 hex digits per training image (:func:`image_prints`) in one text, also of the training
    before a resume or `load_from`, so that a test can say which of its images were trained on.
    mmengine writes the class names (`meta['dataset_meta']`) and the whole config (`meta['cfg']`);
    this hook adds the values that a config leaves to defaults.
    """

    def __init__(self) -> None:
        self._prints: tuple[Any, set[str]] | None = None
        self._earlier: set[str] = set()

    def _trained_on(self, dataset: Any) -> set[str]:
        """Digits of the training images, read once, by all processes together."""
        if self._prints is None or self._prints[0] is not dataset:
            self._prints = dataset, prints_of_processes(dataset)
        return self._prints[1]

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Keep the images that the loaded weights were trained on; say at a resume if others are.

        mmengine calls this before it fills the model.
        """
        self._earlier, ends = trained_prints(checkpoint)
        if not self._earlier or running_loop(runner) != 'train' or not resume_request(runner)[0]:
            return
        dataset = runner.train_dataloader.dataset
        now = prints_of_processes(dataset, ends) if ends else self._trained_on(dataset)
        gone, new = len(self._earlier - now), len(now - self._earlier)
        if now and (gone or new):
            runner.logger.warning(
                f'resumed with other training images: {gone} are not there now, {new} are new; '
                'the result is of both; for the new ones alone: tcnn train … without --resume'
            )

    def before_train(self, runner: Runner) -> None:
        """Read the images before the first epoch: files may be replaced while it trains."""
        self._trained_on(runner.train_dataloader.dataset)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Add the record to the checkpoint."""
        record = model_record(unwrap_model(runner))
        if record:
            damping = configured_damping(runner.cfg)
            if 'sampler' in record and damping is not None:
                record['damping'] = damping
            if reads_upright([runner.cfg.get(f'{p}_dataloader') for p in ('train', 'val', 'test')]):
                record['upright'] = True
            trained_on = self._earlier | self._trained_on(runner.train_dataloader.dataset)
            if trained_on:
                record[TRAINED_ON] = join_prints(trained_on)
            checkpoint['meta']['tcnn_mm'] = dict(version=__version__, **record)
