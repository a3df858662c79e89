"""BatchNorm in eval mode folded into the convolution before it, paired by what runs after what.

A norm may be more than a norm: timm's `BatchNormAct2d` holds the activation that follows.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from tcnn_mm.models.encoder.execution_order import find_readers, replace_modules

_PLAIN_FORWARDS = (_BatchNorm.forward, nn.SyncBatchNorm.forward)


def after_norm(norm: nn.Module) -> nn.Module | None:
    """What a norm's forward runs after normalising; None where that is unknown."""
    if type(norm).forward in _PLAIN_FORWARDS:
        return nn.Identity()
    parts = dict(norm.named_children())
    if parts and parts.keys() <= {'drop', 'act'}:  # timm: BatchNormAct2d, SyncBatchNormAct
        kept = [parts[n] for n in ('drop', 'act') if not isinstance(parts.get(n), nn.Identity)]
        kept = [part for part in kept if part is not None]
        return kept[0] if len(kept) == 1 else nn.Sequential(*kept)
    return None


@torch.no_grad()
def find_pairs(
    parts: Iterable[nn.Module], run: Callable[[], Any]
) -> list[tuple[nn.Conv2d, _BatchNorm]]:
    """Find the convolutions whose output is read once, by a BatchNorm that runs once.

    Args:
        parts (iterable[nn.Module]): Modules to look in, in eval mode.
        run (callable): One pass through them.
    """
    modules = list(dict.fromkeys(module for part in parts for module in part.modules()))
    norms = [
        m
        for m in modules
        if isinstance(m, _BatchNorm) and m.running_var is not None and not m.training
    ]
    pairs = find_readers([m for m in modules if isinstance(m, nn.Conv2d)], norms, run)
    return [
        (conv, norm)
        for conv, norm in pairs
        if isinstance(norm, _BatchNorm) and after_norm(norm) is not None
    ]


def _fold(conv: nn.Conv2d, norm: _BatchNorm) -> None:
    """Fold a norm into a convolution, in place.

    In the order of mmcv's `fuse_conv_bn`, so that checkpoints keep their scores to the bit.
    torch's `fuse_conv_bn_weights` takes a reciprocal root, which rounds otherwise.
    """
    assert norm.running_mean is not None and norm.running_var is not None
    scale = 1 if norm.weight is None else norm.weight
    factor = scale / torch.sqrt(norm.running_var + norm.eps)
    bias = -norm.running_mean if conv.bias is None else conv.bias - norm.running_mean
    bias = bias * factor if norm.bias is None else bias * factor + norm.bias
    conv.weight = nn.Parameter(conv.weight * factor.reshape(-1, 1, 1, 1))
    conv.bias = nn.Parameter(bias)


@torch.no_grad()
def fold_norms(net: nn.Module, parts: Iterable[nn.Module], run: Callable[[], Any]) -> int:
    """Fold BatchNorm into convolutions, in place; returns how many were folded.

    Args:
        net (nn.Module): The whole network, whose modules are replaced.
        parts (iterable[nn.Module]): Its modules to fold within.
        run (callable): One pass through `parts`.
    """
    pairs = find_pairs(parts, run)
    replaced: dict[nn.Module, nn.Module] = {}
    for conv, norm in pairs:
        _fold(conv, norm)
        replaced[norm] = after_norm(norm) or nn.Identity()
    replace_modules(net, replaced)
    return len(pairs)
