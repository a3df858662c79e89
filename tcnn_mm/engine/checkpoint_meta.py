"""Record in each checkpoint what prediction needs besides the weights."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from tcnn_mm import __version__
from tcnn_mm.checkpoints.metadata import configured_damping, model_record, reads_upright
from tcnn_mm.engine.unwrap_model import unwrap_model
from tcnn_mm.registry import HOOKS


@HOOKS.register_module()
class CheckpointMetaHook(Hook):
    """Writes `meta['tcnn_mm']`: the version, :func:`model_record`, and the `damping` of the maps.

    The damping is that of a test metric; without one it is left out. `upright` says that images
    are turned by their EXIF orientation; without the entry they are read as stored. mmengine
    writes the class names (`meta['dataset_meta']`) and the whole config (`meta['cfg']`); this hook
    adds the values that a config leaves to defaults.
    """

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Add the record to the checkpoint."""
        record = model_record(unwrap_model(runner))
        if record:
            damping = configured_damping(runner.cfg)
            if 'sampler' in record and damping is not None:
                record['damping'] = damping
            if reads_upright([runner.cfg.get(f'{p}_dataloader') for p in ('train', 'val', 'test')]):
                record['upright'] = True
            checkpoint['meta']['tcnn_mm'] = dict(version=__version__, **record)
