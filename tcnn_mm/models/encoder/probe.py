"""Find out whether windows of a network's map are features of patches: regular and local."""

import copy
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import nn

from tcnn_mm.models.encoder.dense import global_operations, map_geometry

# Widths of the probed image in patch sides: its ends, one side each, are beyond what a cell in the
# middle sees, unless an operation is global. Deep networks see up to 2000 pixels.
WIDTHS = (4, 11)
# Of the largest value; convolutions add in another order where a cell is elsewhere.
_TOLERANCE = 1e-4


class MapProbe(NamedTuple):
    """What is known of a map.

    Attributes:
        stride: Pixels per cell; None where the map cannot be used.
        reason: Why it cannot; '' where it can.
    """

    stride: int | None
    reason: str

    @property
    def dense(self) -> bool:
        """Whether dense mode can use the map."""
        return self.stride is not None


@torch.no_grad()
def probe_map(network: nn.Module, size: int) -> MapProbe:
    """Run a network on noise: does its map grow by one cell per stride, is each cell local and the
    same wherever its pixels are?

    Args:
        network: (B, 3, H, W) → (B, C, h, w), or a tuple that ends with it. Its weights do not
            matter; it is left as it is.
        size: Of a patch, pixels.
    """
    probed = without_constants(network)

    def convolve(images: torch.Tensor) -> torch.Tensor:
        out = probed(images)
        return out[-1] if isinstance(out, (tuple, list)) else out

    found = global_operations([probed])
    if found:
        return MapProbe(None, f'{", ".join(found)} of it depend on the whole image')
    try:
        stride, _ = map_geometry(convolve, size)
        local = any(is_local(convolve, size, stride, width) for width in WIDTHS)
    except (ValueError, AssertionError, RuntimeError) as error:  # e.g. of networks of one size
        return MapProbe(None, str(error).splitlines()[0] if str(error) else type(error).__name__)
    return MapProbe(stride, '') if local else MapProbe(None, 'its cells depend on the whole image')


def is_local(
    convolve: Callable[[torch.Tensor], torch.Tensor], size: int, stride: int, width: int
) -> bool:
    """Whether a cell in the middle moves with its pixels, whatever the ends of the image are.

    Args:
        convolve: (1, 3, H, W) → (1, C, h, w).
        size: Of a patch, pixels.
        stride: Of the map, pixels.
        width: W in units of `size`.
    """
    random = torch.Generator().manual_seed(0)
    rows = size - stride * (size // stride // 2)
    columns = size + stride * ((width - 1) * size // stride)
    image = torch.randn(1, 3, rows, columns + stride, generator=random)
    first, moved = image[..., :-stride], image[..., stride:].clone()
    for end in (moved[..., :size], moved[..., -size:]):
        end.normal_(0, 3, generator=random)
    before, after = convolve(first.contiguous()), convolve(moved)
    middle = before.shape[-1] // 2
    off = (before[..., middle] - after[..., middle - 1]).abs().max()
    return bool(off <= _TOLERANCE * before.abs().max())


def without_constants(network: nn.Module) -> nn.Module:
    """A copy in eval mode, whose parameters of one value are random.

    A new network hides parts of itself behind factors of 0 or 1e-6 (last norms of blocks, layer
    scale), and what they multiply would not be seen.
    """
    probed = copy.deepcopy(network).eval()
    random = torch.Generator().manual_seed(0)
    for parameter in probed.parameters():
        if parameter.numel() and parameter.min() == parameter.max():
            if parameter.dim() > 1:
                parameter.data.normal_(0, 0.05, generator=random)
            else:
                parameter.data.uniform_(0.5, 1.5, generator=random)
    return probed
