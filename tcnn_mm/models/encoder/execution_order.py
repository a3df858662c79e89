"""Which module reads the output of which convolution, recorded in one pass on noise.

The order in which modules are registered says nothing about the order in which they run.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode


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
def inputs_of(modules: Iterable[nn.Module]) -> Iterator[dict[nn.Module, list[Any]]]:
    """Record what each module is called with."""
    seen: dict[nn.Module, list[Any]] = {module: [] for module in modules}

    def remember(module: nn.Module, args: tuple[Any, ...]) -> None:
        seen[module].append(args[0] if args else None)

    handles = [module.register_forward_pre_hook(remember) for module in seen]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


@torch.no_grad()
def find_readers(
    convolutions: Iterable[nn.Conv2d], readers: Iterable[nn.Module], run: Callable[[], Any]
) -> list[tuple[nn.Conv2d, nn.Module]]:
    """Find the convolutions whose output is read once, by one of some modules that runs once.

    Args:
        convolutions (iterable[nn.Conv2d]): To look at.
        readers (iterable[nn.Module]): Modules that do not change their input in place.
        run (callable): One pass through them.
    """
    record = _Record({id(conv.weight): conv for conv in convolutions})
    with inputs_of(readers) as inputs, record:
        run()
    read_once = {
        id(calls[0].output): conv
        for conv, calls in record.calls.items()
        if len(calls) == 1 and calls[0].readers == 1
    }
    return [
        (read_once[id(given[0])], reader)
        for reader, given in inputs.items()
        if len(given) == 1 and id(given[0]) in read_once
    ]


def replace_modules(net: nn.Module, replaced: dict[nn.Module, nn.Module]) -> None:
    """Put other modules in the place of some, wherever a network holds them, in place."""
    for parent in net.modules():
        for name, child in list(parent._modules.items()):  # a child may be there under two names
            if child in replaced:
                setattr(parent, name, replaced[child])
