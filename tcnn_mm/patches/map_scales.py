"""λ of the maps that patches of several scales share in dense mode."""

import math
from collections.abc import Sequence

from tcnn_mm.errors import InvalidValueError


def map_scales(scales: Sequence[float], ratio: float) -> tuple[float, ...]:
    """Choose the cheapest maps such that each patch has one of its own λ or a little smaller one.

    The largest λ is the costliest: its map is as coarse as `ratio` allows, and serves all λ down to
    its own; then the largest λ that is left, and so on.

    Args:
        scales: λ of the patches, each ≥ 1.
        ratio: Largest quotient of λ of a patch and λ of its map, ≥ 1.

    Returns:
        λ in rising order, whole hundredths; the smallest is that of `scales`.

    Examples:
        >>> map_scales((1.0, 1.3, 1.6, 2.0, 2.4, 2.8, 3.2, 3.6, 4.0), 1.25)
        (1.0, 1.04, 1.6, 2.24, 3.2)
    """
    if not ratio >= 1:
        raise InvalidValueError(f'map_scales: ratio={ratio}; give a number ≥ 1')
    chosen: list[float] = []
    least = min(scales)
    for scale in sorted(scales, reverse=True):
        if not chosen or scale < chosen[-1]:
            # Rounded upwards: a map is never coarser than asked for.
            chosen.append(max(least, min(scale, math.ceil(100 * scale / ratio - 1e-6) / 100)))
    return tuple(chosen[::-1])
