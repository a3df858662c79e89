"""Dense mode of networks with operations on the whole input (vision transformers): in tiles.

A resized image is divided into tiles, each of which passes the network as an image of its own, and
the maps of the tiles are put together. Attention stays within a tile, so that the cost grows with
the area. A tile of the patch size S keeps the position embeddings of the weights as they are: each
S × S window has every embedding once, at all scales and places, and one that is a tile has exactly
the features of a crop.

Letters: B images, (H, W) pixels, C channels, (h, w) cells, T side of a tile in pixels.
"""

from collections.abc import Callable

import torch

from tcnn_mm.errors import InvalidValueError

# More tokens than this beside those of the patches are not class and register tokens.
_MOST_EXTRA_TOKENS = 16


def token_map(tokens: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Tokens as a map, without class and register tokens: (B, k + h·w, C) → (B, C, h, w).

    Args:
        tokens (Tensor): Of images whose sides are multiples of the patch of a token.
        height (int): H of the input.
        width (int): W of the input.

    Raises:
        InvalidValueError: Their number fits no grid.
    """
    number = tokens.shape[1]
    for side in range(1, min(height, width) + 1):
        rows, columns = height // side, width // side
        if height % side or width % side or rows * columns > number:
            continue
        if number - rows * columns <= _MOST_EXTRA_TOKENS:
            own = tokens[:, number - rows * columns :]
            return own.transpose(1, 2).reshape(len(tokens), -1, rows, columns)
        break
    raise InvalidValueError(
        f'the backbone gives {number} tokens for {width}×{height} pixels, which are no grid of '
        'patches after a few class and register tokens'
    )


def tile_starts(length: int, tile: int) -> list[int]:
    """First pixels of the tiles along a side; the last tile ends with the image."""
    return [*range(0, length - tile, tile), max(0, length - tile)]


def tile_geometry(
    convolve: Callable[[torch.Tensor], torch.Tensor],
    size: int,
    tile: int,
    device: torch.device | str = 'cpu',
) -> tuple[int, int]:
    """Return stride of the map in pixels and cells per side of a patch.

    Args:
        convolve (callable): (B, 3, T, T) → (B, C, t, t).
        size (int): S.
        tile (int): T.

    Raises:
        InvalidValueError: The network gives no map of a tile, tiles and patches are no whole
            cells, or a tile is smaller than a patch.
    """
    if tile < size:
        raise InvalidValueError(f'dense_tile={tile} is smaller than a patch: {size} or more')
    shape = tuple(convolve(torch.zeros(1, 3, tile, tile, device=device)).shape)
    if len(shape) != 4:
        raise InvalidValueError(
            f"feature_mode='dense' needs a map (B, C, h, w) of a tile or its tokens (B, N, C), the "
            f"backbone gives {shape}; mmpretrain's VisionTransformer: out_type='featmap'"
        )
    stride = tile // shape[-1]
    if stride * shape[-1] != tile or size % stride:
        raise InvalidValueError(
            f'dense_tile={tile} gives {shape[-1]} cells per side; tile and patch ({size}) must be '
            'multiples of the pixels of a cell'
        )
    return stride, size // stride


def tiled_map(
    convolve: Callable[[torch.Tensor], torch.Tensor],
    images: torch.Tensor,
    tile: int,
    stride: int,
    together: int,
) -> torch.Tensor:
    """Put the map of images together from their tiles: (B, 3, H, W) → (B, C, h, w).

    Where the last tile of a side overlaps the one before, its cells count.

    Args:
        convolve (callable): (b, 3, T, T) → (b, C, t, t).
        images (Tensor): Sides are multiples of `stride`; shorter ones than T make shorter tiles.
        tile (int): T.
        stride (int): Pixels per cell.
        together (int): Tiles in one pass; bounds the memory.
    """
    height, width = images.shape[-2:]
    tall, wide = min(tile, height), min(tile, width)
    places = [
        (b, y, x)
        for b in range(len(images))
        for y in tile_starts(height, tall)
        for x in tile_starts(width, wide)
    ]
    out = None
    for first in range(0, len(places), max(1, together)):
        chosen = places[first : first + max(1, together)]
        maps = convolve(
            torch.stack([images[b, :, y : y + tall, x : x + wide] for b, y, x in chosen])
        )
        if out is None:
            out = maps.new_empty(len(images), maps.shape[1], height // stride, width // stride)
        rows, columns = maps.shape[-2:]
        for one, (b, y, x) in zip(maps, chosen, strict=True):
            row, column = y // stride, x // stride
            out[b, :, row : row + rows, column : column + columns] = one
    assert out is not None
    return out
