"""Images and patches in, frozen features of them out: cropped, or windows of shared maps.

Letters: B images, P patches, S patch side, C and D channels, (H, W) pixels of an image.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from torch import nn

from tcnn_mm.errors import InvalidValueError
from tcnn_mm.models.encoder.chunks import regroup
from tcnn_mm.models.encoder.dense import (
    MapPart,
    dense_windows,
    map_windows,
    pooled,
    snapped_windows,
)
from tcnn_mm.models.encoder.frozen import FrozenCopy
from tcnn_mm.models.encoder.map_geometry import find_geometry
from tcnn_mm.models.encoder.shared_maps import SharedWindows, check_scales, read_parts, share_maps
from tcnn_mm.models.encoder.tiles import tiled_map
from tcnn_mm.models.freezing import split_layers
from tcnn_mm.models.shape_errors import shape_errors
from tcnn_mm.patches.crop import iter_patches
from tcnn_mm.patches.windows import Boxes, GridWindows

FEATURE_MODES = ('crop', 'dense')
# (indices of images, indices of their boxes, features)
Chunk = tuple[np.ndarray, np.ndarray, torch.Tensor]
# Called for each chunk with its number of patches and the number in the whole call.
OnPatches = Callable[[int, int], None]


class PatchEncoder:
    """Runs the layers below the first trainable one on patches, without a graph.

    A plain object: the modules belong to the model, whose state-dict keys stay those of
    mmpretrain. Build it after freezing.

    Args:
        backbone (nn.Module): With its frozen parameters marked.
        neck (nn.Module, optional): Between the backbone and the head.
        preprocessing (dict): `size` (S), `mean`, `std` (grey levels 0–255), `channel_order`.
        feature_mode (str): 'crop' or 'dense'. Defaults to 'crop'.
        chunk_size (int): Patches in one pass; in dense mode as many windows or images as need
            the same memory. Defaults to 64.
        dtype (torch.dtype, optional): Of the frozen layers. Defaults to float32.
        compiled (bool): Run them through `torch.compile`. Defaults to False.
        dense_tile (int, optional): In dense mode, side in pixels of the tiles in which images
            pass the network, see `tiles`; crop mode has none. Defaults to None: whole images.
        dense_scales (sequence[float], optional): In dense mode, λ of the maps that patches are
            read from, see `shared_maps`; crop mode has none. Defaults to None: a map of each λ.

    Attributes:
        layers_below, layers_above (list[str]): Layers below the first trainable one, and from it
            on.
        map_layers (list[str]): Layers that dense mode runs on whole images.
        map_stride (int), map_side (int | None): Of the dense map; 1 and None in crop mode.
        frozen (FrozenCopy): The layers below as they run.

    Raises:
        InvalidValueError: An unknown mode; a network that dense mode cannot run.
    """

    def __init__(
        self,
        backbone: nn.Module,
        neck: nn.Module | None,
        preprocessing: dict[str, Any],
        feature_mode: str = 'crop',
        chunk_size: int = 64,
        dtype: torch.dtype | None = None,
        compiled: bool = False,
        dense_tile: int | None = None,
        dense_scales: Sequence[float] | None = None,
    ) -> None:
        if feature_mode not in FEATURE_MODES:
            raise InvalidValueError(f"feature_mode={feature_mode!r}; choose 'crop' or 'dense'")
        self.backbone, self.neck, self.preprocessing = backbone, neck, preprocessing
        self.feature_mode, self.chunk_size = feature_mode, chunk_size
        self.size = int(preprocessing['size'])
        self.dense_tile = dense_tile if feature_mode == 'dense' else None
        self.dense_scales = check_scales(dense_scales if feature_mode == 'dense' else None)
        self.layers_below, self.layers_above = split_layers(backbone)
        self.map_layers = list(getattr(backbone, 'map_layers', ['backbone']))
        self.map_stride, self.map_side = 1, None
        if feature_mode == 'dense':
            self.map_stride, self.map_side = self.map_geometry()
        self.frozen = FrozenCopy(backbone, self.layers_below, dtype, compiled, self.size)
        self.mean, self.std = (
            torch.tensor(preprocessing[name], dtype=torch.float32).view(3, 1, 1)
            for name in ('mean', 'std')
        )

    @property
    def dtype(self) -> torch.dtype:
        """The dtype that was asked for; `frozen.dtype_on(device)` is the one that runs."""
        return self.frozen.dtype

    def map_geometry(self) -> tuple[int, int]:
        """Stride (pixels) and side (cells of one patch) of the map; see :func:`find_geometry`."""
        with self._shape_errors():
            return find_geometry(
                self.backbone,
                self.neck,
                self.map_layers,
                self.layers_below,
                self.size,
                self.dense_tile,
            )

    def prepare_image(self, image: torch.Tensor) -> torch.Tensor:
        """Normalise uint8 RGB (3, H, W) to float32 in the channel order of the weights."""
        if self.mean.device != image.device:
            self.mean, self.std = self.mean.to(image.device), self.std.to(image.device)
        if self.preprocessing['channel_order'] == 'bgr':
            image = image.flip(0)
        return (image - self.mean).div_(self.std)

    def pool(self, features: torch.Tensor) -> torch.Tensor:
        """Pass a feature through the neck, where there is one."""
        return self.neck((features,))[-1] if self.neck is not None else features

    def encode_patches(self, patches: torch.Tensor) -> torch.Tensor:
        """Features of ready, normalised patches: (P, 3, S, S) → (P, …) float32."""
        with torch.no_grad(), self._shape_errors():
            x = self.frozen(patches, self.layers_below).float()
            # Pooling here keeps only what the head needs of each chunk.
            return x if self.layers_above else self.pool(x)

    def _shape_errors(self) -> AbstractContextManager[None]:
        """Sizes of layers that do not fit the patches are one line."""
        return shape_errors(
            f'{type(self.backbone).__name__} takes no patches of {self.size} × {self.size} pixels',
            'set model.preprocessing.size, or the sizes of model.backbone and model.neck',
        )

    def run_map(self, images: torch.Tensor) -> torch.Tensor:
        """The map of dense mode of normalised images: (B, 3, H, W) → (B, C, h, w)."""
        if self.dense_tile is None:
            return self.frozen(images, self.map_layers)
        return tiled_map(
            lambda tiles: self.frozen(tiles, self.map_layers),
            images,
            self.dense_tile,
            self.map_stride,
            self.chunk_size * self.size**2 // self.dense_tile**2,
        )

    def iter_features(
        self,
        images: Sequence[torch.Tensor],
        boxes: Sequence[Boxes],
        flips: Sequence[np.ndarray] | None = None,
        on_patches: OnPatches | None = None,
    ) -> Iterator[Chunk]:
        """Yield features of the boxes of many images, chunk by chunk.

        Args:
            images: B × (3, H, W) uint8 RGB.
            boxes: B × P windows of a grid, or in crop mode xyxy (P, 4) in pixels.
            flips: B × (P,) bool. In dense mode an image is mirrored as a whole, when its first
                patch is.
            on_patches: Called after each chunk with its patches and those of the whole call.

        Yields:
            Image indices (p,), box indices (p,) and features (p, …) float32.

        Raises:
            InvalidValueError: In dense mode, boxes that are no windows of the map.
        """
        dense = self.feature_mode == 'dense'
        make = self._dense_pieces if dense else self._crop_pieces
        flips = flips or [np.zeros(len(mine), bool) for mine in boxes]
        waiting: list[np.ndarray] = []
        planned = sum(len(mine) for mine in boxes)

        def pieces() -> Iterator[torch.Tensor]:
            for b, index, piece in make(images, boxes, flips):
                waiting.append(np.stack([np.full(len(index), b), index]))
                yield piece

        # An image may give few patches: chunks are filled from many.
        for chunk in regroup(pieces(), self.chunk_size * 3 * self.size**2):
            names = np.concatenate(waiting, axis=1)
            waiting[:] = [names[:, len(chunk) :]]
            features = self._above_map(chunk) if dense else self.encode_patches(chunk)
            if on_patches:
                on_patches(len(chunk), planned)
            yield names[0, : len(chunk)], names[1, : len(chunk)], features

    def _crop_pieces(
        self,
        images: Sequence[torch.Tensor],
        boxes: Sequence[Boxes],
        flips: Sequence[np.ndarray],
    ) -> Iterator[tuple[int, np.ndarray, torch.Tensor]]:
        done = 0
        for b, image in enumerate(images):
            # The first chunk fills up the last image's: only the one at the seam is joined from
            # two by copying.
            for index, patches in iter_patches(
                self.prepare_image(image),
                boxes[b],
                self.size,
                self.chunk_size,
                self.frozen.dtype_on(image.device.type),
                first=self.chunk_size - done % self.chunk_size,
            ):
                mirrored = np.flatnonzero(flips[b][index])
                if len(mirrored):
                    patches[mirrored] = patches[mirrored].flip(-1)
                yield b, index, patches
            done += len(boxes[b])

    def _dense_pieces(
        self,
        images: Sequence[torch.Tensor],
        boxes: Sequence[Boxes],
        flips: Sequence[np.ndarray],
    ) -> Iterator[tuple[int, np.ndarray, torch.Tensor]]:
        turned: list[torch.Tensor] = []
        placed: list[GridWindows | SharedWindows] = []
        for image, mine, flip in zip(images, boxes, flips, strict=True):
            windows = snapped_windows(mine, self.map_stride)
            if len(flip) and flip[0]:
                image, windows = image.flip(-1), windows.mirrored(image.shape[-1])
            turned.append(image)
            placed.append(self._on_maps(windows, image))
        yield from dense_windows(
            turned,
            placed,
            self.prepare_image,
            self.run_map,
            self._read,
            self.map_stride,
            self.chunk_size * self.size * self.size,
        )

    def _on_maps(self, windows: GridWindows, image: torch.Tensor) -> GridWindows | SharedWindows:
        """Windows of an image (3, H, W) on the maps of `dense_scales`."""
        if self.dense_scales is None:
            return windows
        height, width = image.shape[-2:]
        return share_maps(windows, (height, width), self.dense_scales, self.map_stride)

    def _read(self, maps: torch.Tensor, part: MapPart) -> torch.Tensor:
        """What the layers above the map get of p windows: (C, h, w) → (p, C) or (p, C, s, s)."""
        means, side = self.map_layers == ['backbone'], self.map_side or 0
        if part.sides is None:
            return (pooled if means else map_windows)(maps, part.cells, side)
        # A window of S pixels covers `side` cells, which may reach beyond it on both ends.
        count = side - (self.size - part.sides) / self.map_stride
        read = read_parts(maps, part.cells, count, 1 if means else side)
        return read.flatten(1) if means else read

    def _above_map(self, pieces: torch.Tensor) -> torch.Tensor:
        """Frozen layers above the map (FC6, FC7), on windows of it."""
        rest = self.layers_below[len(self.map_layers) :]
        with self._shape_errors():
            return (self.frozen(pieces, rest) if rest else pieces).float()

    def whole_features(
        self, images: Sequence[torch.Tensor], boxes: Sequence[Boxes]
    ) -> torch.Tensor:
        """Mean feature of some boxes per image: B × (3, H, W), B × p → (B, D) float32."""
        sums: list[Any] = [0.0] * len(images)
        for b, _, part in self.iter_features(images, boxes):
            for i in np.unique(b):
                sums[i] = sums[i] + part[b == i].sum(0)
        return torch.stack([total / len(mine) for total, mine in zip(sums, boxes, strict=True)])

    def describe_patches(self, image: torch.Tensor, boxes: Boxes) -> torch.Tensor:
        """Features of the boxes of one image: (3, H, W) uint8, P → (P, …) float32.

        Raises:
            InvalidValueError: No boxes.
        """
        features = None
        for _, index, part in self.iter_features([image], [boxes]):
            if features is None:
                features = part.new_empty(len(boxes), *part.shape[1:])
            features[index] = part
        if features is None:
            raise InvalidValueError('describe_patches: no boxes were given')
        return features
