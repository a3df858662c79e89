"""The hook that records in each checkpoint what predicting needs beside the weights."""

from mmengine.hooks import Hook

from tcnn_mm import __version__
from tcnn_mm.checkpoints.metadata import configured_damping, model_record
from tcnn_mm.engine.unwrap_model import unwrap_model
from tcnn_mm.registry import HOOKS


@HOOKS.register_module()
class CheckpointMetaHook(Hook):
    """Writes `meta['tcnn_mm']`: the version, :func:`model_record`, and `damping` of the maps where
    a test metric has one.

    Class names (`meta['dataset_meta']`) and the whole config (`meta['cfg']`) are there by
    mmengine; this records the values that a config leaves to defaults.
    """

    def before_save_checkpoint(self, runner, checkpoint):
        record = model_record(unwrap_model(runner))
        if record:
            damping = configured_damping(runner.cfg)
            if 'sampler' in record and damping is not None:
                record['damping'] = damping
            checkpoint['meta']['tcnn_mm'] = dict(version=__version__, **record)
