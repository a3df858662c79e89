"""BatchNorm in eval mode folded into the convolution before it, paired by what runs after what.

The order in which modules are registered says nothing about the order in which they run, and a
norm may be more than a norm: timm's `BatchNormAct2d` holds the activation that follows. One pass
on noise records which tensor each convolution gives and who reads it.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils._python_dispatch import TorchDispatchMode

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


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _tensors(part)


@dataclass
class _Call:
    """One run of a convolution: its output (kept, so that its id stays unique) and readers."""

    output: torch.Tensor
    readers: int = 0


@dataclass
class _Record(TorchDispatchMode):
    """Records the calls of convolutions with known weights, and how often outputs are read."""

    weights: dict[int, nn.Conv2d]
    calls: dict[nn.Conv2d, list[_Call]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self._by_output: dict[int, _Call] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        given = list(_tensors([*args, *kwargs.values()]))
        for tensor in given:
            if id(tensor) in self._by_output:
                self._by_output[id(tensor)].readers += 1
        out = func(*args, **kwargs)
        # By the tensor itself: a standardised or reparametrised weight is another one.
        convolutions = [self.weights[id(t)] for t in given if id(t) in self.weights]
        if func is torch.ops.aten.convolution.default and convolutions:
            call = _Call(out)
            self._by_output[id(out)] = call
            self.calls.setdefault(convolutions[0], []).append(call)
        return out


@contextmanager
def _inputs_of(norms: Iterable[_BatchNorm]) -> Iterator[dict[_BatchNorm, list[Any]]]:
    """Record what each norm is called with."""
    seen: dict[_BatchNorm, list[Any]] = {norm: [] for norm in norms}

    def remember(module: _BatchNorm, args: tuple[Any, ...]) -> None:
        seen[module].append(args[0] if args else None)

    handles = [norm.register_forward_pre_hook(remember) for norm in seen]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


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
    convolutions = {id(m.weight): m for m in modules if isinstance(m, nn.Conv2d)}
    norms = [
        m
        for m in modules
        if isinstance(m, _BatchNorm) and m.running_var is not None and not m.training
    ]
    record = _Record(convolutions)
    with _inputs_of(norms) as inputs, record:
        run()
    read_once = {
        id(calls[0].output): conv
        for conv, calls in record.calls.items()
        if len(calls) == 1 and calls[0].readers == 1
    }
    return [
        (read_once[id(given[0])], norm)
        for norm, given in inputs.items()
        if len(given) == 1 and id(given[0]) in read_once and after_norm(norm) is not None
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
    replaced = {}
    for conv, norm in pairs:
        _fold(conv, norm)
        replaced[norm] = after_norm(norm)
    for parent in net.modules():
        for name, child in list(parent.named_children()):
            if child in replaced:
                setattr(parent, name, replaced[child])
    return len(pairs)
