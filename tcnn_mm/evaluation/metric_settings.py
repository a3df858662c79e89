"""Read the arguments of a metric from a config."""

from typing import Any

from mmengine.config import Config

from tcnn_mm.evaluation.voc_ap import VOCDevkitAP
from tcnn_mm.registry import METRICS, config_class


def metric_settings(cfg: Config, kind: type = VOCDevkitAP) -> dict[str, Any]:
    """Return the arguments, without `type`, of the first test metric of a class.

    Args:
        cfg: The experiment.
        kind: The class of the metric; classes derived from it do not count.

    Returns:
        {} where the config has no such metric.
    """
    evaluator = cfg.test_evaluator
    for metric in evaluator if isinstance(evaluator, (list, tuple)) else [evaluator]:
        if config_class(metric, METRICS) is kind:
            return {key: value for key, value in metric.items() if key != 'type'}
    return {}
