"""What a network does to an image, found by running it: strides, padding, how far a cell sees.

Names of modules do not tell: squeeze-and-excitation may be `x.mean((2, 3))` in a forward, and an
`Attention` may be one of a few neighbours. Each property is a comparison of two passes.

Letters: S patch side, C channels, (h, w) cells of a map.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from tcnn_mm.errors import InvalidValueError

# (B, 3, H, W) → (B, C, h, w)
Convolve = Callable[[torch.Tensor], torch.Tensor]

# Usual modules that mix the whole image into every cell; for messages alone.
GLOBAL_OPERATIONS = (
    'AdaptiveAvgPool2d', 'AdaptiveMaxPool2d', 'SqueezeExcite', 'SqueezeExcitation', 'SELayer',
    'SEModule', 'EffectiveSELayer', 'EffectiveSEModule', 'GRN', 'GlobalResponseNorm', 'GroupNorm',
    'InstanceNorm2d', 'MultiheadAttention', 'WindowMSA', 'ShiftWindowMSA', 'WindowAttention',
    'LeAttention', 'Attention', 'ContextBlock', 'NonLocal2d',
)  # fmt: skip
_LARGEST_STRIDE = 64
_INSTEAD = "set dense_tile to the patch size, to run it in tiles, or feature_mode='crop'"
# Lengths of the strips in pixels: short ones suffice for most networks of local operations.
_STRIPS = (512, 2048, 6144)
# Of the largest value: float32 sums in another order; what a border at 500 pixels may change.
_SAME, _BORDERS = 1e-4, 1e-2


@dataclass(frozen=True)
class MapFacts:
    """Properties of the map of a network.

    Attributes:
        stride (int): Input pixels per cell.
        side (int): g: the map of an S × S patch has g × g cells.
        width (int): C.
        reach (int | None): No cell sees further than this many pixels (an upper bound); None for
            a network with a global operation.
        regular (bool): Cells that see no border do not depend on their position: True for
            convolutions, False for attention in windows. Unknown, False, with a global operation.
        padding (str): 'none', 'fixed', or 'by size' (TensorFlow's "SAME"; with it, the cells of
            sizes that are no multiple of the stride are others). 'unknown' with a global operation.
    """

    stride: int
    side: int
    width: int
    reach: int | None
    regular: bool
    padding: str


@contextmanager
def distinct_values(net: nn.Module) -> Iterator[None]:
    """Give parameters that are constant random values for a while.

    A norm whose weight is 0, or a layer scale of 1e-6, hides what is behind it until training.
    """
    generator = torch.Generator().manual_seed(0)
    constant = [p for p in net.parameters() if p.numel() and bool((p == p.flatten()[0]).all())]
    kept = [p.data for p in constant]
    for parameter in constant:
        values = torch.rand(parameter.shape, generator=generator) + 0.5
        if parameter.dim() > 1:
            values = 0.1 * (values - 1.0)
        parameter.data = values.to(parameter)
    try:
        yield
    finally:
        for parameter, data in zip(constant, kept, strict=True):
            parameter.data = data


def global_names(modules: Iterable[nn.Module]) -> list[str]:
    """Classes of modules that are known for mixing the whole image, sorted."""
    types = {type(part).__name__ for module in modules for part in module.modules()}
    return sorted(types & set(GLOBAL_OPERATIONS))


def _checked(out: torch.Tensor) -> torch.Tensor:
    if out.dim() != 4:
        raise InvalidValueError(
            "feature_mode='dense' needs a map (B, C, h, w), the backbone gives "
            f'{tuple(out.shape)}; mmpretrain: gap_before_final_norm=False, out_type etc.'
        )
    return out


def _map(convolve: Convolve, images: torch.Tensor) -> torch.Tensor:
    """Run the network on images of another size than a patch's.

    Raises:
        InvalidValueError: It takes none, or gives no map.
    """
    height, width = images.shape[-2:]
    try:
        out = convolve(images)
    except (RuntimeError, AssertionError, ValueError) as error:  # timm asserts its one size
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InvalidValueError(
            "feature_mode='dense' needs a network that takes images of any size; at "
            f'{width}×{height} pixels this one fails: {first}; {_INSTEAD}'
        ) from error
    return _checked(out)


@torch.no_grad()
def map_geometry(
    convolve: Convolve, size: int, device: torch.device | str = 'cpu'
) -> tuple[int, int]:
    """Stride of the map in input pixels and its side for one patch.

    Args:
        convolve (callable): (B, 3, H, W) → (B, C, h, w).
        size (int): S.

    Returns:
        tuple[int, int]: stride, and side g of the S × S patch's map: a patch that starts at
        pixel stride × i is the window of cells i … i + g - 1.

    Raises:
        InvalidValueError: The map does not grow by one cell per stride for any stride.
    """

    def side(pixels: int) -> int:
        return _map(convolve, torch.zeros(1, 3, pixels, pixels, device=device)).shape[-1]

    cells = _checked(convolve(torch.zeros(1, 3, size, size, device=device))).shape[-1]
    more = side(size + _LARGEST_STRIDE) - cells
    stride = _LARGEST_STRIDE // more if more > 0 else 0
    if stride and all(side(size + n * stride) == cells + n for n in (1, 3)):
        return stride, cells
    raise InvalidValueError(f"feature_mode='dense': no regular stride found at patch size {size}")


def _noise(height: int, width: int, device: torch.device | str) -> torch.Tensor:
    """(1, 3, height, width) of a generator of its own."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(1, 3, height, width, generator=generator).to(device)


def _height(size: int, stride: int, side: int) -> int:
    """Return a height of strips that gives whole cells: two of them, and 64 pixels or more."""
    return size - stride * max(0, min(side - 2, (size - 64) // stride))


def _differ(a: torch.Tensor, b: torch.Tensor) -> float:
    """The largest difference, of the largest value."""
    return float((a - b).abs().max() / a.abs().max().clamp(min=1e-12))


def _sees_the_end(convolve: Convolve, strip: torch.Tensor) -> bool:
    """Whether the first cells of a strip change with the last quarter of its pixels."""
    other = strip.clone()
    other[..., 3 * strip.shape[-1] // 4 :] *= -3.0
    first, changed = (_map(convolve, x)[..., :1] for x in (strip, other))
    change = _differ(first, changed)
    if change == 0.0 or change > _SAME:
        return change > 0.0
    # The last digits: of a small part in the sums, or of kernels that add in any order.
    return change > 2 * _differ(first, _map(convolve, strip)[..., :1])


@torch.no_grad()
def reach_of(
    convolve: Convolve, size: int, stride: int, side: int, device: torch.device | str = 'cpu'
) -> int | None:
    """Return a bound of how far a cell sees, in pixels; None: further than 4,600.

    Args:
        convolve (callable): (B, 3, H, W) → (B, C, h, w).
        size (int): S.
        stride (int): Of the map, see :func:`map_geometry`.
        side (int): g.
    """
    height = _height(size, stride, side)
    for length in _STRIPS:
        if not _sees_the_end(convolve, _noise(height, length + size % stride, device)):
            return 3 * length // 4
    return None


@torch.no_grad()
def is_regular(
    convolve: Convolve, size: int, stride: int, side: int, device: torch.device | str = 'cpu'
) -> bool:
    """Whether cells far from the borders move with the image, stride by stride.

    Args: see :func:`reach_of`.
    """
    strip = _noise(_height(size, stride, side), 1024 + size % stride, device)
    middle = 512 // stride
    here = _map(convolve, strip)[..., middle : middle + 4]
    moved = _map(convolve, strip[..., stride:])[..., middle - 1 : middle + 3]
    return _differ(here, moved) < _BORDERS


@torch.no_grad()
def padding_of(
    convolve: Convolve, size: int, stride: int, side: int, device: torch.device | str = 'cpu'
) -> str:
    """'none', 'fixed' or 'by size', see :class:`MapFacts`.

    Args: see :func:`reach_of`.
    """
    larger = _noise(size + 2 * stride, size + 2 * stride, device)
    window = _map(convolve, larger)[..., 1 : side + 1, 1 : side + 1]
    inner = larger[..., stride : stride + size, stride : stride + size]
    if _differ(window, _map(convolve, inner)) < _SAME:
        return 'none'
    # One more column at the far end: padding that depends on the size moves all cells.
    strip = _noise(_height(size, stride, side), 1024 + size % stride + 1, device)
    first, other = (_map(convolve, x)[..., :1] for x in (strip[..., :-1], strip))
    return 'fixed' if _differ(first, other) < _BORDERS else 'by size'


def map_facts(convolve: Convolve, size: int, device: torch.device | str = 'cpu') -> MapFacts:
    """Find the properties of a network's map.

    The network has to be in eval mode, within :func:`distinct_values`.

    Args:
        convolve (callable): (B, 3, H, W) → (B, C, h, w).
        size (int): S.

    Raises:
        InvalidValueError: It takes no images of other sizes, gives no map, or one that does not
            grow by one cell per stride.
    """
    stride, side = map_geometry(convolve, size, device)
    with torch.no_grad():
        width = _map(convolve, _noise(size, size, device)).shape[1]
    given = convolve, size, stride, side, device
    reach = reach_of(*given)
    if reach is None:
        return MapFacts(stride, side, width, None, False, 'unknown')
    return MapFacts(stride, side, width, reach, is_regular(*given), padding_of(*given))


def local_geometry(
    convolve: Convolve,
    net: nn.Module,
    modules: Iterable[nn.Module],
    size: int,
    device: torch.device | str = 'cpu',
) -> tuple[int, int]:
    """Return stride and side as :func:`map_geometry` does, of a network of local operations.

    Args:
        convolve (callable): (B, 3, H, W) → (B, C, h, w).
        net (nn.Module): That it runs, in eval mode.
        modules (iterable[nn.Module]): Parts of it that run, searched for what to name.
        size (int): S.

    Raises:
        InvalidValueError: A window of the map is no patch: a cell reads the whole image, or
            depends on the place in it; or see :func:`map_geometry`.
    """
    with distinct_values(net):
        stride, side = map_geometry(convolve, size, device)
        reach = reach_of(convolve, size, stride, side, device)
        if reach is not None and is_regular(convolve, size, stride, side, device):
            return stride, side
    suspects = global_names(modules)
    why = 'reads the whole image' if reach is None else 'depends on the place in the image'
    named = f' ({", ".join(suspects)})' if suspects else ''
    raise InvalidValueError(
        f"feature_mode='dense' needs a network of local operations; every cell of "
        f'{type(net).__name__} {why}{named}: {_INSTEAD}'
    )
