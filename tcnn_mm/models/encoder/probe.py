"""Find out whether windows of a network's map are features of patches: regular and local."""

import copy
from typing import NamedTuple

import torch
from torch import nn

from tcnn_mm.models.encoder.locality import local_geometry


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
    probed = copy.deepcopy(network)
    probed.eval()  # a statement: mmpretrain's backbones return nothing from it

    def convolve(images: torch.Tensor) -> torch.Tensor:
        out = probed(images)
        return out[-1] if isinstance(out, (tuple, list)) else out

    try:
        stride, _ = local_geometry(convolve, probed, [probed], size)
    except (ValueError, AssertionError, RuntimeError) as error:  # e.g. of networks of one size
        return MapProbe(None, str(error).splitlines()[0] if str(error) else type(error).__name__)
    return MapProbe(stride, '')
