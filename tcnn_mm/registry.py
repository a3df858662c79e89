"""Child registries of mmengine's roots: `type='tcnn_mm.X'` resolves with nothing imported before.

mmengine imports `<scope>.registry` itself when it meets a new scope, and a registry imports its
`locations` at the first look-up: importing this module imports no data set and no network.
"""

from typing import Any

from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import FUNCTIONS as MMENGINE_FUNCTIONS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import (
    OPTIM_WRAPPER_CONSTRUCTORS as MMENGINE_OPTIM_WRAPPER_CONSTRUCTORS,
)
from mmengine.registry import TASK_UTILS as MMENGINE_TASK_UTILS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import VISUALIZERS as MMENGINE_VISUALIZERS
from mmengine.registry import DefaultScope, Registry


def _child(name: str, parent: Registry, *locations: str) -> Registry:
    """Return a registry whose entries are defined in these sub-packages."""
    modules = [f'tcnn_mm.{location}' for location in locations]
    return Registry(name, parent=parent, scope='tcnn_mm', locations=modules)


MODELS = _child('model', MMENGINE_MODELS, 'models')
TASK_UTILS = _child('task util', MMENGINE_TASK_UTILS, 'patches')
TRANSFORMS = _child('transform', MMENGINE_TRANSFORMS, 'datasets')
DATASETS = _child('dataset', MMENGINE_DATASETS, 'datasets')
FUNCTIONS = _child('function', MMENGINE_FUNCTIONS, 'datasets')
METRICS = _child('metric', MMENGINE_METRICS, 'evaluation')
HOOKS = _child('hook', MMENGINE_HOOKS, 'engine', 'visualization')
OPTIM_WRAPPER_CONSTRUCTORS = _child(
    'optimizer wrapper constructor', MMENGINE_OPTIM_WRAPPER_CONSTRUCTORS, 'engine'
)
VISUALIZERS = _child('visualizer', MMENGINE_VISUALIZERS, 'visualization')


def build_patch_part(part: Any) -> Any:
    """Build a grid, labeler or sampler from its config; an object is returned as it is.

    Under the scope `tcnn_mm`: from mmdet's scope the look-up would import mmdet's models first,
    which need mmcv's compiled ops.

    Args:
        part: A config dict with `type`, or an object.
    """
    if not isinstance(part, dict):
        return part
    with DefaultScope.overwrite_default_scope('tcnn_mm'):
        return TASK_UTILS.build(part)


def config_class(config: Any, registry: Registry) -> type | None:
    """Return the class that a config builds: `type` may be a name or a class.

    Args:
        config: A config dict with `type`, or None.
        registry: Of ours, in which a name is looked up; its parents are the toolbox's.
    """
    named = config.get('type') if config else None
    found = registry.get(named) if isinstance(named, str) else named
    return found if isinstance(found, type) else None


def config_builds(config: Any, registry: Registry, kind: type) -> bool:
    """Return whether a config builds an instance of a class, or of a class derived from it."""
    found = config_class(config, registry)
    return found is not None and issubclass(found, kind)
