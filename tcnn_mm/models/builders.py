"""Build the components of a `PatchClassifier` whose sizes follow from its other components."""

import inspect
from collections.abc import Sequence
from typing import Any

from torch import nn

from tcnn_mm.errors import InvalidValueError
from tcnn_mm.models.heads.adaptation_head import AdaptationHead
from tcnn_mm.registry import MODELS, TASK_UTILS, build_patch_part, config_class


def _fill(cfg: dict, key: str, kind: str, **values: Any) -> dict:
    """Set the entries that `cfg[key]` leaves open."""
    part = cfg.get(key) or dict(type=kind)
    return dict(cfg, **{key: {**values, **part}}) if isinstance(part, dict) else cfg


# Of the layers below the first trainable one.
FROZEN_DTYPES = ('float32', 'bfloat16', 'float16')


def check_options(
    name: str,
    frozen: Sequence[str],
    chunk_size: int,
    flip_prob: float,
    frozen_dtype: str | None,
) -> None:
    """Check the plain arguments of a `PatchModel`.

    Raises:
        InvalidValueError: Names the argument, its value, and what it may be.
    """
    if isinstance(frozen, str):
        raise InvalidValueError(f'{name}: frozen={frozen!r} is no list; write frozen=[{frozen!r}]')
    if isinstance(chunk_size, bool) or not isinstance(chunk_size, int) or chunk_size < 1:
        raise InvalidValueError(
            f'{name}: chunk_size={chunk_size!r}; it is a number of patches, 1 or more'
        )
    if not 0 <= flip_prob <= 1:
        raise InvalidValueError(f'{name}: flip_prob={flip_prob!r} is not in [0, 1]')
    if frozen_dtype and frozen_dtype not in FROZEN_DTYPES:
        raise InvalidValueError(
            f'{name}: frozen_dtype={frozen_dtype!r}; choose one of {", ".join(FROZEN_DTYPES)}'
        )


def expected_pixels(
    backbone: nn.Module, preprocessing: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the preprocessing of a backbone, with some entries replaced.

    Args:
        backbone (nn.Module): With or without `preprocessing`.
        preprocessing (dict, optional): Entries that replace it.

    Returns:
        dict: `size` (S), `mean`, `std` (grey levels 0–255), `channel_order`.

    Raises:
        ValueError: One of the four entries is in neither.
    """
    pixels = {**getattr(backbone, 'preprocessing', {}), **(preprocessing or {})}
    lacking = [key for key in ('size', 'mean', 'std', 'channel_order') if key not in pixels]
    if lacking:
        raise InvalidValueError(
            f'PatchClassifier: {type(backbone).__name__} has no preprocessing '
            f'for its weights; give preprocessing=dict({"=…, ".join(lacking)}=…)'
        )
    return pixels


def build_sampler(cfg: Any, size: int, num_classes: int, snap: int = 1, dense: bool = False) -> Any:
    """Build the sampler, with the patch size of the backbone and the classes of the head.

    Args:
        cfg (dict | object): A sampler's config, or one that is built.
        size (int): Pixels of a patch's side.
        num_classes (int): K.
        snap (int): The network's stride in dense mode. Defaults to 1.
        dense (bool): Patches are windows of a grid. Defaults to False.

    Raises:
        ValueError: No grid in dense mode; a size or a number of classes set to something else.
    """
    if isinstance(cfg, dict):
        kind = config_class(cfg, TASK_UTILS)
        takes = inspect.signature(kind).parameters if kind else {}
        if 'grid' in takes:
            cfg = _fill(cfg, 'grid', 'PatchGrid', size=size, snap=snap)
        if 'labeler' in takes:
            cfg = _fill(cfg, 'labeler', 'PatchLabeler', num_classes=num_classes)
        cfg = build_patch_part(cfg)
    if dense and not hasattr(cfg, 'grid'):
        raise InvalidValueError(
            "feature_mode='dense' reads windows of a grid, and "
            f"{type(cfg).__name__} has none: use feature_mode='crop'"
        )
    for part, name, expected in (('grid', 'size', size), ('labeler', 'num_classes', num_classes)):
        found = getattr(getattr(cfg, part, None), name, expected)
        if found != expected:
            raise InvalidValueError(
                f'PatchClassifier: sampler.{part}.{name}={found}, but the '
                f'{"backbone" if part == "grid" else "head"} has {expected}'
            )
    return cfg


def check_head(head: Any, name: str) -> None:
    """Refuse a head that does not score patches, as mmpretrain's do.

    Raises:
        InvalidValueError: Names what it lacks.
    """
    lacking = [each for each in ('num_classes', 'in_channels', 'scores') if not hasattr(head, each)]
    if lacking:
        raise InvalidValueError(
            f'{name}: model.head is a {type(head).__name__}, which has no {", ".join(lacking)}: '
            'patches vote by `scores`; take tcnn_mm.AdaptationHead, or a class derived from it'
        )


def has_own_loss(head: Any) -> bool:
    """Whether a head defines a loss other than `AdaptationHead`'s."""
    return getattr(type(head), 'loss', AdaptationHead.loss) is not AdaptationHead.loss


def build_context(cfg: Any, head: Any, trained: list[str]) -> Any:
    """Build the head of the context; classes, width and feature scale follow the patches' head.

    Args:
        cfg (dict | nn.Module | None): Of a `ContextHead`; None for none.
        head (AdaptationHead): Of the patches.
        trained (list[str]): Layers of the backbone that train.

    Raises:
        ValueError: Part of the backbone trains: the context would be of other features.
    """
    if not cfg:
        return None
    if trained:
        raise InvalidValueError(
            f'PatchClassifier: context needs a frozen backbone, {trained[0]} trains'
        )
    if isinstance(cfg, dict):
        names = ('num_classes', 'in_channels', 'feature_scale')
        cfg = {**{name: getattr(head, name) for name in names}, **cfg}
    context = MODELS.build(cfg)
    if context.in_channels != head.in_channels:
        raise InvalidValueError(
            f'PatchClassifier: model.context.in_channels={context.in_channels}, but '
            f'model.head.in_channels={head.in_channels}; leave that of the context out'
        )
    return context
