"""What `tcnn train` and `tcnn test` change in a config before they run it."""

from mmengine.config import Config, ConfigDict
from mmengine.hooks import EarlyStoppingHook

from tcnn_mm.errors import UserError
from tcnn_mm.registry import HOOKS, config_builds


def scale_learning_rate(cfg: Config) -> None:
    """Turn on mmengine's scaling of the learning rate to the total batch size, in place.

    Raises:
        UserError: The config does not say for which batch size its learning rate is.
    """
    scaling = cfg.get('auto_scale_lr') or {}
    if not scaling.get('base_batch_size'):
        raise UserError(
            '--auto-scale-lr: the config does not say for which total batch size its learning rate '
            'is; add --cfg-options auto_scale_lr.base_batch_size='
            f'{cfg.train_dataloader.batch_size} (the batch size of one process now)'
        )
    cfg.auto_scale_lr = ConfigDict(scaling, enable=True)


def leave_out_training_hooks(cfg: Config) -> None:
    """Remove hooks that need a training, in place: mmengine ends a test with them."""
    cfg.custom_hooks = [
        hook
        for hook in cfg.get('custom_hooks') or []
        if not (
            isinstance(hook, EarlyStoppingHook)
            or (isinstance(hook, dict) and config_builds(hook, HOOKS, EarlyStoppingHook))
        )
    ]
