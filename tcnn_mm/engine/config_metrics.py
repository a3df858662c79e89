"""Two metrics of a config whose results have the same names are told before a test."""

import inspect
from typing import Any

from tcnn_mm.engine.config_parts import SCOPE, registered
from tcnn_mm.errors import UserError


def result_prefix(metric: Any, known: dict[str, Any]) -> str | None:
    """What the names of a metric's results start with; None where it is not one of ours.

    Args:
        metric: Its config.
        known: Our registered classes and functions by name.
    """
    kind = str(metric.get('type'))
    scope, _, name = kind.rpartition('.')
    if scope != SCOPE or name not in known:
        return None
    arguments = inspect.signature(known[name]).parameters
    for key in ('prefix', 'mode'):  # VOCDevkitAP without a prefix has its mode
        value = metric.get(key) or getattr(arguments.get(key), 'default', None)
        if isinstance(value, str):
            return value
    return None


def check_prefixes(cfg: Any) -> None:
    """Refuse two metrics of one prefix: mmengine ends at them when all images are tested.

    Raises:
        UserError: Names both metrics and the key that tells them apart.
    """
    known = registered()
    for split in ('val', 'test'):
        metrics = cfg.get(f'{split}_evaluator')
        seen: dict[str, int] = {}
        for at, metric in enumerate(metrics if isinstance(metrics, (list, tuple)) else ()):
            prefix = result_prefix(metric, known) if hasattr(metric, 'get') else None
            if prefix is None:
                continue
            if prefix in seen:
                raise UserError(
                    f'{split}_evaluator.{at}: its results are named {prefix}/… like those of '
                    f'{split}_evaluator.{seen[prefix]}; give it another name: '
                    f'{split}_evaluator.{at}.prefix=NAME'
                )
            seen[prefix] = at
