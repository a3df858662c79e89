"""Frozen layers in bfloat16 on a processor: activations fused, weights in oneDNN's order.

Layer by layer, torch writes the output of a convolution and reads it again to clamp it (by way of
float32), and brings the weights of 1 × 1 convolutions and linear layers into oneDNN's order at
each call. Here the activation is part of the convolution, and those weights are ordered once. The
operators are those that torch.compile generates; they take images of any size, without compiling.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from tcnn_mm.models.encoder.execution_order import find_readers, inputs_of, replace_modules

# Names of activations and their numbers, as oneDNN takes them.
NO_ACTIVATION: tuple[str, list[float]] = ('none', [])
ACTIVATIONS: dict[type[nn.Module], tuple[str, list[float]]] = {
    nn.ReLU: ('relu', []),
    nn.ReLU6: ('hardtanh', [0.0, 6.0]),
}


def can_fuse() -> bool:
    """Whether this build of torch has the operators, and oneDNN bfloat16 on this processor."""
    operators = torch.ops.mkldnn
    names = (
        '_convolution_pointwise',
        '_linear_pointwise',
        '_reorder_linear_weight',
        '_is_mkldnn_bf16_supported',
    )
    has_operators = all(hasattr(operators, name) for name in names)
    return torch.backends.mkldnn.is_available() and (
        has_operators and operators._is_mkldnn_bf16_supported()
    )


class FusedConv2d(nn.Module):
    """A convolution and the activation after it, without a graph.

    Args:
        conv (nn.Conv2d): With zero padding.
        activation (tuple[str, list[float]]): Name and numbers, as in :data:`ACTIVATIONS`.
    """

    def __init__(
        self, conv: nn.Conv2d, activation: tuple[str, list[float]] = NO_ACTIVATION
    ) -> None:
        super().__init__()
        self.weight, self.bias = conv.weight, conv.bias
        self.geometry = conv.padding, conv.stride, conv.dilation, conv.groups
        self.activation = activation

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) → (B, O, h, w)."""
        return torch.ops.mkldnn._convolution_pointwise(
            x, self.weight, self.bias, *self.geometry, *self.activation, ''
        )


class PackedLinear(nn.Module):
    """A linear layer whose weights are ordered once, without a graph.

    Args:
        weight (Tensor): (O, C).
        bias (Tensor, optional): (O,).
        activation (tuple[str, list[float]]): Name and numbers, as in :data:`ACTIVATIONS`.
    """

    def __init__(
        self,
        weight: torch.Tensor,
        bias: torch.Tensor | None = None,
        activation: tuple[str, list[float]] = NO_ACTIVATION,
    ) -> None:
        super().__init__()
        self.weight = torch.ops.mkldnn._reorder_linear_weight(weight.detach().contiguous())
        self.bias, self.activation = bias, activation

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(…, C) → (…, O)."""
        return torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, *self.activation, '')


class PointConv2d(PackedLinear):
    """A 1 × 1 convolution as the matrix product that it is, and the activation after it.

    Args:
        conv (nn.Conv2d): 1 × 1, stride 1, one group.
        activation (tuple[str, list[float]]): Name and numbers, as in :data:`ACTIVATIONS`.
    """

    def __init__(
        self, conv: nn.Conv2d, activation: tuple[str, list[float]] = NO_ACTIVATION
    ) -> None:
        super().__init__(conv.weight.flatten(1), conv.bias, activation)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) → (B, O, H, W), channels last in memory."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def is_point(conv: nn.Conv2d) -> bool:
    """Whether each output of a convolution reads one place of the map of the same size."""
    return (
        conv.kernel_size == (1, 1)
        and conv.stride == (1, 1)
        and conv.padding == (0, 0)
        and conv.groups == 1
    )


def is_plain(module: nn.Module) -> bool:
    """Whether a module is a convolution with zero padding or a linear layer, and no more."""
    if type(module) is nn.Conv2d:
        return module.padding_mode == 'zeros' and not isinstance(module.padding, str)
    return type(module) is nn.Linear


@torch.no_grad()
def fuse_layers(net: nn.Module, parts: Iterable[nn.Module], run: Callable[[], Any]) -> int:
    """Replace convolutions, the activations after them and linear layers, in place.

    A layer that `run` does not call is left: something else may use its weights.

    Args:
        net (nn.Module): The whole network, in eval mode, whose modules are replaced.
        parts (iterable[nn.Module]): Its modules to replace within.
        run (callable): One pass through `parts`.

    Returns:
        int: How many convolutions and linear layers were replaced.
    """
    modules = list(dict.fromkeys(module for part in parts for module in part.modules()))
    plain = [module for module in modules if is_plain(module)]
    activations = [module for module in modules if type(module) in ACTIVATIONS]
    with inputs_of(plain) as seen:
        followers = _followers(plain, activations, run)
    replaced: dict[nn.Module, nn.Module] = {
        follower: nn.Identity() for follower in followers.values()
    }
    for module in plain:
        if seen[module]:
            replaced[module] = _faster(module, followers.get(module))
    replace_modules(net, replaced)
    return len(replaced) - len(followers)


def _faster(module: nn.Module, follower: nn.Module | None) -> nn.Module:
    """The module that takes the place of a plain one and of the activation after it."""
    if isinstance(module, nn.Linear):
        return PackedLinear(module.weight, module.bias)
    assert isinstance(module, nn.Conv2d)
    activation = NO_ACTIVATION if follower is None else ACTIVATIONS[type(follower)]
    return (PointConv2d if is_point(module) else FusedConv2d)(module, activation)


def _followers(
    plain: list[nn.Module], activations: list[Any], run: Callable[[], Any]
) -> dict[nn.Module, nn.Module]:
    """Convolutions and the activation that alone reads their output."""
    # One that works in place gives the tensor that it was given, which others then read.
    inplace = [activation.inplace for activation in activations]
    for activation in activations:
        activation.inplace = False
    found = find_readers([m for m in plain if isinstance(m, nn.Conv2d)], activations, run)
    for activation, value in zip(activations, inplace, strict=True):
        activation.inplace = value
    return dict(found)
