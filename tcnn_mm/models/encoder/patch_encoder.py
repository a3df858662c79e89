"""Features of patches below the first trainable layer, cropped or read off shared maps."""

import numpy as np
import torch

from tcnn_mm.models.encoder.dense import (
    dense_windows,
    map_geometry,
    pooled,
    refuse_global_operations,
    windows,
)
from tcnn_mm.models.encoder.frozen import layer_modules, run_layers
from tcnn_mm.patches.crop import iter_patches
from tcnn_mm.patches.geometry import largest


def regroup(pieces, elements):
    """Tensors of any lengths in, tensors of at most `elements` numbers out, at least one row.

    All but the last have the same number of rows; a piece of just that size is not copied.
    """
    waiting, rows, size = [], 0, None
    for piece in pieces:
        if not len(piece):
            continue
        size = size or max(1, elements // piece[0].numel())
        waiting.append(piece)
        rows += len(piece)
        while rows >= size:
            joined = waiting[0] if len(waiting) == 1 else torch.cat(waiting)
            yield joined[:size]
            rows -= size
            waiting = [joined[size:]] if rows else []
    if rows:
        yield waiting[0] if len(waiting) == 1 else torch.cat(waiting)


class PatchFeatures:
    """The feature side of `PatchClassifier`: pixels in, what the head (or the bank) takes out.

    Expects on the class that mixes it in: backbone, neck, preprocessing, feature_mode,
    chunk_size, `_below` and `_above` (see `freezing.split_layers`), `_frozen_copy`, buffers
    `_mean` and `_std`.
    """

    def _prepare_dense(self):
        """(stride, side) of the map that dense mode reads; (1, None) in crop mode."""
        if self.feature_mode == 'crop':
            return 1, None
        if self.feature_mode != 'dense':
            raise ValueError(f"feature_mode={self.feature_mode!r}; choose 'crop' or 'dense'")
        name, needed = type(self.backbone).__name__, self._map_layers
        refuse_global_operations(layer_modules(self.backbone, needed), name)
        if needed == ['backbone'] and type(self.neck).__name__ != 'GlobalAveragePooling':
            raise ValueError(
                f"feature_mode='dense': {name} gives a map; its windows are pooled by "
                "neck=dict(type='mmpretrain.GlobalAveragePooling'), found "
                f'{type(self.neck).__name__}'
            )
        if not set(needed) <= set(self._below):
            raise ValueError(f"feature_mode='dense' needs frozen {', '.join(needed)}")
        training = self.backbone.training
        self.backbone.eval()
        geometry = map_geometry(
            lambda x: run_layers(self.backbone, x, needed), self.preprocessing['size']
        )
        self.backbone.train(training)
        return geometry

    @property
    def _map_layers(self):
        """Layers that dense mode runs on whole pictures."""
        return list(getattr(self.backbone, 'map_layers', ['backbone']))

    def prepare_image(self, image):
        """uint8 (3, H, W) RGB → normalised float32 in the order that the weights expect."""
        if self.preprocessing['channel_order'] == 'bgr':
            image = image.flip(0)
        return (image - self._mean).div_(self._std)

    def _pool(self, x):
        return self.neck((x,))[-1] if self.with_neck else x

    def frozen_features(self, patches):
        """What lies below the first trainable layer, without a graph; (P, 3, S, S) in."""
        with torch.no_grad():
            x = self._frozen_copy(patches, self._below).float()
            # Pooling here keeps only what the head needs of each chunk.
            return x if self._above else self._pool(x)

    def iter_features(self, images, boxes, flips=None):
        """Features below the first trainable layer, of many pictures' boxes, chunk by chunk.

        Args:
            images (list[Tensor]): B pictures, uint8 (3, H, W).
            boxes (list[ndarray]): B × (P, 4).
            flips (list[ndarray], optional): B × (P,) bool. In dense mode a picture is mirrored
                as a whole, when its first patch is.

        Yields:
            tuple[ndarray, ndarray, Tensor]: picture (p,), box (p,) and features (p, …) float32.
        """
        dense = self.feature_mode == 'dense'
        make = self._dense_pieces if dense else self._crop_pieces
        flips = flips or [np.zeros(len(mine), bool) for mine in boxes]
        waiting, planned = [], sum(len(mine) for mine in boxes)

        def pieces():
            for b, index, piece in make(images, boxes, flips):
                waiting.append(np.stack([np.full(len(index), b), index]))
                yield piece

        # A picture may give few patches: chunks are filled from many.
        for chunk in regroup(pieces(), self.chunk_size * 3 * self.preprocessing['size'] ** 2):
            names = np.concatenate(waiting, axis=1)
            waiting[:] = [names[:, len(chunk) :]]
            features = self._after_map(chunk) if dense else self.frozen_features(chunk)
            if self.on_patches:
                self.on_patches(len(chunk), planned)
            yield names[0, : len(chunk)], names[1, : len(chunk)], features

    def _crop_pieces(self, images, boxes, flips):
        done = 0
        for b, image in enumerate(images):
            # The first chunk takes what the last picture's left of room: none is put together
            # from two by copying, but the one at the seam.
            for index, patches in iter_patches(
                self.prepare_image(image),
                boxes[b],
                self.preprocessing['size'],
                self.chunk_size,
                self._frozen_copy.dtype_on(image.device.type),
                first=self.chunk_size - done % self.chunk_size,
            ):
                turned = np.flatnonzero(flips[b][index])
                if len(turned):
                    patches[turned] = patches[turned].flip(-1)
                yield b, index, patches
            done += len(boxes[b])

    def _dense_pieces(self, images, boxes, flips):
        size = self.preprocessing['size']
        turned, placed = [], []
        for image, mine, flip in zip(images, boxes, flips, strict=True):
            if len(flip) and flip[0]:
                image, width = image.flip(-1), image.shape[-1]
                mine = np.stack([width - mine[:, 2], mine[:, 1], width - mine[:, 0], mine[:, 3]], 1)
            turned.append(image)
            placed.append(mine)
        whole = self._map_layers == ['backbone']
        yield from dense_windows(
            turned,
            placed,
            self.prepare_image,
            lambda pictures: self._frozen_copy(pictures, self._map_layers),
            lambda maps, cells: (pooled if whole else windows)(maps, cells, self.map_side),
            size,
            self.map_stride,
            self.chunk_size * size * size,
        )

    def _after_map(self, pieces):
        """Frozen layers above the map (FC6, FC7), on windows of it."""
        rest = self._below[len(self._map_layers) :]
        return (self._frozen_copy(pieces, rest) if rest else pieces).float()

    def whole_features(self, images):
        """Mean feature of each picture's largest patches: B × (3, H, W) uint8 → (B, D)."""
        grids = [self.sampler.grid(tuple(image.shape[-2:])) for image in images]
        boxes = [grid[largest(grid)] for grid in grids]
        sums = [0.0] * len(images)
        for b, _, part in self.iter_features(images, boxes):
            for i in np.unique(b):
                sums[i] = sums[i] + part[b == i].sum(0)
        return torch.stack([total / len(mine) for total, mine in zip(sums, boxes, strict=True)])

    def describe_patches(self, image, boxes):
        """Features below the first trainable layer: (3, H, W) uint8, (P, 4) → (P, …) float32."""
        features = None
        for _, index, part in self.iter_features([image], [boxes]):
            if features is None:
                features = part.new_empty(len(boxes), *part.shape[1:])
            features[index] = part
        return features
