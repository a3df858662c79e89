"""The model behind a runner's wrapper (DDP and its like)."""

from mmengine.model import is_model_wrapper


def unwrap_model(runner):
    """The model itself, whatever wraps it for several processes."""
    return runner.model.module if is_model_wrapper(runner.model) else runner.model
