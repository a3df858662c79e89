"""What a checkpoint needs beside weights to be enough for predicting."""

from mmengine.hooks import Hook

from tcnn_mm import __version__
from tcnn_mm.engine.bare_model import bare_model
from tcnn_mm.registry import HOOKS


@HOOKS.register_module()
class CheckpointMetaHook(Hook):
    """Writes `meta['tcnn_mm']`: preprocessing, sampler, grid, aggregator, frozen layers; plain
    types.

    Of a source network (a plain classifier), the preprocessing of its backbone. Class names
    (`meta['dataset_meta']`) and the whole config (`meta['cfg']`) are there by mmengine; this
    records the values that a config leaves to defaults.
    """

    def before_save_checkpoint(self, runner, checkpoint):
        model = bare_model(runner)
        if not hasattr(model, 'sampler'):
            pixels = getattr(model.backbone, 'preprocessing', None)
            if pixels:
                checkpoint['meta']['tcnn_mm'] = dict(
                    version=__version__, preprocessing=_plain(pixels)
                )
            return
        sampler, grid = model.sampler, getattr(model.sampler, 'grid', None)
        aggregator = model.aggregator
        checkpoint['meta']['tcnn_mm'] = dict(
            version=__version__,
            preprocessing=_plain(model.preprocessing),
            # Of a sampler without grid, all of it: ObjectSquareSampler's side and margin.
            sampler=dict(type=type(sampler).__name__, **({} if grid else _plain(vars(sampler)))),
            grid=_plain({k: v for k, v in vars(grid).items() if k[0] != '_'}) if grid else None,
            aggregator=dict(type=type(aggregator).__name__, **_plain(vars(aggregator))),
            feature_mode=model.feature_mode,
            frozen=[n for n, p in model.named_parameters() if not p.requires_grad],
        )


def _plain(mapping):
    """Tuples as lists, so that the checkpoint stays readable as data only."""
    return {key: list(v) if isinstance(v, (tuple, list)) else v for key, v in mapping.items()}
