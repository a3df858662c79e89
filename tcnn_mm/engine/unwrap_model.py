"""Access the model inside the wrapper of a runner, such as DDP."""

from typing import Any

from mmengine.model import is_model_wrapper
from mmengine.runner import Runner


def unwrap_model(runner: Runner) -> Any:
    """Return the model of a runner without the wrapper of several processes."""
    return runner.model.module if is_model_wrapper(runner.model) else runner.model
