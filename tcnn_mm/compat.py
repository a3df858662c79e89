"""Every private or undocumented behaviour of mmengine, mmcv, torch and numpy that we rely on.

One function per name, so that a release that renames it breaks one function and one test. Each
function imports what it needs when it is called.
"""

from __future__ import annotations

import contextlib
import contextvars
import importlib.util
import types
import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmengine.config import Config, ConfigDict
    from mmengine.runner import EpochBasedTrainLoop, Runner
    from mmengine.visualization import BaseVisBackend, Visualizer

# mmcv's compiled operators; mmcv-lite and onedl-mmcv are built without them.
COMPILED_OPS = 'mmcv._ext'
# Packages with a `registry` module that mmengine imports where a type names them as its scope.
TOOLBOXES = ('tcnn_mm', 'mmpretrain', 'mmengine', 'mmcv', 'mmdet', 'mmseg')
_registered_only = contextvars.ContextVar('registered_only', default=False)


def register_config_package(name: str) -> None:
    """Let configs inherit `NAME::file`: mmengine resolves a closed list of packages.

    The list holds a module's name, not a distribution's: OpenMMLab's own mmengine looks for a
    distribution's files beside its metadata, where an editable install has none; a module is
    found by its file.

    Args:
        name: The package; `NAME.registry` is the module by which mmengine finds it.
    """
    from mmengine.config.utils import MODULE2PACKAGE

    MODULE2PACKAGE.setdefault(name, f'{name}.registry')


def config_dict(cfg: Config) -> ConfigDict:
    """Return the dict inside a config, to be changed in place: `Config.to_dict` gives a copy."""
    return cfg._cfg_dict


def parse_option_value(text: str) -> Any:
    """Parse the value of a `KEY=VALUE` override as mmengine does: numbers, words, lists of them.

    `DictAction` as a whole reads the keys too and ends the process on an error; here the caller
    names the pair that is wrong.

    Raises:
        ValueError: mmengine cannot read it.
    """
    from mmengine.config import DictAction

    try:
        return DictAction._parse_iterable(text)
    except (AssertionError, RecursionError) as error:  # of mmengine's reader of lists
        raise ValueError(f'not readable as a value: {text}') from error


def set_last_epoch(train_loop: EpochBasedTrainLoop, epochs: int) -> None:
    """Make epoch number `epochs` (1-based) the last one, validated and saved as such.

    `stop_training` ends the loop too, but then the last epoch counts as any other; `max_epochs`
    has no setter.
    """
    train_loop._max_epochs = epochs


def visualizer_backends(visualizer: Visualizer) -> list[BaseVisBackend]:
    """Return the backends of a visualizer: `get_backend` needs names, which nothing lists."""
    return list(visualizer._vis_backends.values())


def has_compiled_ops() -> bool:
    """Whether the installed mmcv has compiled operators; it has no public name to ask."""
    return importlib.util.find_spec(COMPILED_OPS) is not None


def lacks_compiled_ops(error: ImportError) -> bool:
    """Whether an import failed because the installed mmcv has no compiled operators."""
    return error.name == COMPILED_OPS


def ignore_import_warnings() -> None:
    """Silence mmcv and mmdet when mmpretrain imports them without their compiled ops.

    This package needs none of those ops. For the commands alone: warnings and log are changed for
    the whole process.
    """
    from mmengine.logging import MMLogger

    warnings.filterwarnings('ignore', message='Fail to import ``MultiScaleDeformableAttention``')
    MMLogger.get_current_instance().addFilter(
        lambda record: not record.getMessage().startswith('Line NMS is not compiled')
    )


def stop_workers(runner: Runner) -> None:
    """End the persistent workers of a runner's data loaders.

    A runner is a cycle of references. Left to the garbage collection, which closes a loader's
    queues before the loader sends its workers the end, they wait for it, and the process for them:
    5 s a worker.
    """
    for loop in (runner._train_loop, runner._val_loop, runner._test_loop):
        # A loop that was not used is its config.
        loader: Any = getattr(loop, 'dataloader', None)
        if hasattr(loader, '_iterator'):
            loader._iterator = None


def forget_run(runner: Runner) -> None:
    """Close the log files of a runner and drop it from mmengine's tables of named instances.

    Each runner opens a log file that nothing closes, and its logger, message hub, visualizer (with
    figures of matplotlib) and default scope are kept under its name for the life of the process.
    """
    from logging import FileHandler

    for handler in list(runner.logger.handlers):
        if isinstance(handler, FileHandler):
            runner.logger.removeHandler(handler)
            handler.close()
    for cls in _named_classes():
        for name in (runner.experiment_name, runner.visualizer.instance_name):
            cls._instance_dict.pop(name, None)


@contextlib.contextmanager
def quiet_log() -> Iterator[None]:
    """Hold back what the toolbox logs below a warning, on standard output too."""
    from mmengine.logging import MMLogger

    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel('WARNING')
    try:
        yield
    finally:
        logger.setLevel(level)


def has_free_sizes() -> bool:
    """Whether :func:`free_sizes` works: torch ≥ 2.8."""
    from torch.fx.experimental import _config

    return hasattr(_config, 'backed_size_oblivious')


def free_sizes() -> contextlib.AbstractContextManager[Any]:
    """Trace without cases of their own for sizes 0 and 1; `torch.export` has no such argument.

    Without it a network that was traced with several patches refuses a single one.
    """
    from torch.fx.experimental import _config

    # `patch` is added to the module when it is imported, where no type checker sees it.
    return _config.patch(backed_size_oblivious=True)  # type: ignore[attr-defined]


def weights_only_reader(allowed: Mapping[str, Any]) -> Any:
    """Return torch's weights-only reader with types of our own, to pass as `pickle_module`.

    `torch.serialization.safe_globals` changes a list of the whole process: of two threads that
    load at a time, one takes the types of the other away.

    Args:
        allowed: Name in a pickle → what stands for it.
    """
    from torch import _weights_only_unpickler as module

    # The reader asks this function of its module for the types.
    own = {**vars(module), '_get_user_allowed_globals': lambda: allowed}
    load = types.FunctionType(module.Unpickler.load.__code__, own, 'load')
    reader = type('Unpickler', (module.Unpickler,), {'load': load})
    return types.SimpleNamespace(
        __name__=module.__name__,
        Unpickler=reader,
        load=lambda file, *, encoding='ASCII': reader(file, encoding=encoding).load(),
    )


def has_default_loader() -> bool:
    """Whether mmengine reads checkpoint files by its own loader, which unpickles anything."""
    from mmengine.runner.checkpoint import CheckpointLoader, load_from_local

    return CheckpointLoader._schemes[''] is load_from_local


def registered_scopes() -> set[str]:
    """Return the scopes of all registries that were imported so far."""
    from mmengine import registry

    roots = [r for r in vars(registry).values() if isinstance(r, registry.Registry)]
    return {scope for root in roots for scope in (root.scope, *root._children)}


@contextlib.contextmanager
def registered_names_only() -> Iterator[None]:
    """Let registries find parts by their registered names alone, in this thread, for a while.

    mmengine imports any other name: `Registry.get('os.system')` returns the function, and a scope
    that it does not know is imported as `SCOPE.registry`.
    """
    from mmengine.registry import registry

    if not hasattr(registry.get_object_from_string, 'registered_only'):
        find, load = registry.get_object_from_string, registry.import_module

        def get_object_from_string(name: str) -> Any:
            return None if _registered_only.get() else find(name)

        def import_module(name: str, package: str | None = None) -> Any:
            root = name.partition('.')[0]
            if _registered_only.get() and root not in {*TOOLBOXES, *registered_scopes()}:
                raise ImportError(f'{root} is no OpenMMLab package')
            return load(name, package)

        get_object_from_string.registered_only = True  # type: ignore[attr-defined]
        registry.get_object_from_string = get_object_from_string
        registry.import_module = import_module
    token = _registered_only.set(True)
    try:
        yield
    finally:
        _registered_only.reset(token)


def _named_classes() -> list[Any]:
    """The classes whose instances mmengine keeps by name; a subclass has a table of its own."""
    from mmengine.utils import ManagerMixin

    found: list[Any] = [ManagerMixin]
    for cls in found:
        found += cls.__subclasses__()
    return found


@contextlib.contextmanager
def toolbox_globals() -> Iterator[None]:
    """Keep mmengine's global objects of the host: what a run inside adds or changes is dropped.

    These are the named instances of `ManagerMixin` classes (loggers, message hubs, visualizers,
    default scopes) and the readers of checkpoints. Log files of the run are closed.
    """
    from mmengine.logging import MMLogger
    from mmengine.runner.checkpoint import CheckpointLoader

    before = {cls: cls._instance_dict.copy() for cls in _named_classes()}
    schemes = CheckpointLoader._schemes.copy()
    try:
        yield
    finally:
        for logger in MMLogger._instance_dict.values():
            if logger not in before.get(MMLogger, {}).values():
                for handler in logger.handlers:
                    handler.close()
        for cls in _named_classes():
            cls._instance_dict.clear()
            cls._instance_dict.update(before.get(cls, {}))
        CheckpointLoader._schemes.clear()
        CheckpointLoader._schemes.update(schemes)


def resume_request(runner: Runner) -> tuple[bool, str | None]:
    """Return whether a runner is to resume, and from which file; None: from its work dir."""
    return bool(runner._resume), runner._load_from


def set_resume_path(runner: Runner, path: str | None) -> None:
    """Make a runner that is to resume go on from a file; from the beginning for None.

    mmengine decides by its own reading of `last_checkpoint` otherwise, after `before_run`.
    """
    runner._load_from, runner._resume = path, path is not None


def running_loop(runner: Runner) -> str:
    """Return which loop a runner runs: 'train', 'test' or 'val'.

    A runner may have the configs of all three; it builds a loop when it is to run it.
    """
    if not isinstance(runner._train_loop, (dict, type(None))):
        return 'train'
    return 'test' if not isinstance(runner._test_loop, (dict, type(None))) else 'val'


def run_loss(model: Any, batch: Any) -> dict[str, Any]:
    """Return the losses of a batch without a step: `train_step` has no such part of its own."""
    import torch

    with torch.no_grad():
        return model._run_forward(model.data_preprocessor(batch, True), mode='loss')
