"""Features of patches below the first trainable layer, cropped or read off shared maps."""

from contextlib import nullcontext

import numpy as np
import torch

from tcnn_mm.models.dense import (
    dense_windows,
    map_geometry,
    pooled,
    refuse_global_operations,
    windows,
)
from tcnn_mm.patches.crop import iter_patches


def regroup(pieces, size):
    """Tensors of any lengths in, tensors of `size` rows out (the last may be shorter)."""
    waiting, rows = [], 0
    for piece in pieces:
        waiting.append(piece)
        rows += len(piece)
        while rows >= size:
            joined = torch.cat(waiting)
            yield joined[:size]
            waiting, rows = [joined[size:]], rows - size
    if rows:
        yield torch.cat(waiting)


class PatchFeatures:
    """The feature side of `PatchClassifier`: pixels in, what the head (or the bank) takes out.

    Expects on the class that mixes it in: backbone, neck, preprocessing, feature_mode,
    chunk_size, frozen_dtype, `_below` and `_above` (see `freezing.split_layers`), buffers `_mean`
    and `_std`.
    """

    def _prepare_dense(self):
        """(stride, side) of the map that dense mode reads; (1, None) in crop mode."""
        if self.feature_mode == 'crop':
            return 1, None
        if self.feature_mode != 'dense':
            raise ValueError(f"feature_mode={self.feature_mode!r}; choose 'crop' or 'dense'")
        name = type(self.backbone).__name__
        if hasattr(self.backbone, 'map_layers'):
            needed = self.backbone.map_layers
            modules = [m for layer in needed for _, m in self.backbone.layers()[layer]]
        else:
            needed, modules = ['backbone'], [self.backbone]
            if type(self.neck).__name__ != 'GlobalAveragePooling':
                raise ValueError(
                    f"feature_mode='dense': {name} gives a map; its windows are pooled by "
                    "neck=dict(type='mmpretrain.GlobalAveragePooling'), found "
                    f'{type(self.neck).__name__}'
                )
        refuse_global_operations(modules, name)
        if not set(needed) <= set(self._below):
            raise ValueError(f"feature_mode='dense' needs frozen {', '.join(needed)}")
        training = self.backbone.training
        self.backbone.eval()
        geometry = map_geometry(self._convolve, self.preprocessing['size'])
        self.backbone.train(training)
        return geometry

    def _convolve(self, pictures):
        """(b, 3, H, W) → the map that windows are read from."""
        if hasattr(self.backbone, 'map_layers'):
            return self.backbone.run_layers(pictures, self.backbone.map_layers)
        return self.backbone(pictures)[-1]

    def prepare_image(self, image):
        """uint8 (3, H, W) RGB → normalised float32 in the order that the weights expect."""
        if self.preprocessing['channel_order'] == 'bgr':
            image = image.flip(0)
        return (image.float() - self._mean) / self._std

    def _autocast(self, device):
        if self.frozen_dtype is None:
            return nullcontext()
        return torch.autocast(device.type, self.frozen_dtype)

    def _run_backbone(self, x, names):
        if names == ['backbone']:
            return self.backbone(x)[-1]
        return self.backbone.run_layers(x, names)

    def _pool(self, x):
        return self.neck((x,))[-1] if self.with_neck else x

    def frozen_features(self, patches):
        """What lies below the first trainable layer, without a graph; (P, 3, S, S) in."""
        with torch.no_grad(), self._autocast(patches.device):
            x = self._run_backbone(patches, self._below) if self._below else patches
            # Pooling here keeps only what the head needs of each chunk.
            x = x if self._above else self._pool(x)
        return x.float()

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
        make = self._dense_pieces if self.feature_mode == 'dense' else self._crop_pieces
        flips = flips or [np.zeros(len(mine), bool) for mine in boxes]
        waiting = []

        def pieces():
            for b, index, piece in make(images, boxes, flips):
                waiting.append(np.stack([np.full(len(index), b), index]))
                yield piece

        # A picture may give few patches: chunks are filled from many.
        for chunk in regroup(pieces(), self.chunk_size):
            names = np.concatenate(waiting, axis=1)
            waiting[:] = [names[:, len(chunk) :]]
            if self.feature_mode == 'dense':
                features = self._after_map(chunk)
            else:
                features = self.frozen_features(chunk)
            yield names[0, : len(chunk)], names[1, : len(chunk)], features

    def _crop_pieces(self, images, boxes, flips):
        for b, image in enumerate(images):
            for index, patches in iter_patches(
                self.prepare_image(image), boxes[b], self.preprocessing['size'], self.chunk_size
            ):
                turned = np.flatnonzero(flips[b][index])
                if len(turned):
                    patches[turned] = patches[turned].flip(-1)
                yield b, index, patches

    def _dense_pieces(self, images, boxes, flips):
        size = self.preprocessing['size']
        pictures, placed = [], []
        for image, mine, flip in zip(images, boxes, flips, strict=True):
            picture = self.prepare_image(image)
            if len(flip) and flip[0]:
                picture = picture.flip(-1)
                width = picture.shape[-1]
                mine = np.stack([width - mine[:, 2], mine[:, 1], width - mine[:, 0], mine[:, 3]], 1)
            pictures.append(picture)
            placed.append(mine)
        cut = windows if hasattr(self.backbone, 'map_layers') else pooled

        # The contexts end inside: around a `yield` they would reach into the consumer's code.
        def convolve(batch):
            with torch.no_grad(), self._autocast(batch.device):
                return self._convolve(batch)

        yield from dense_windows(
            pictures,
            placed,
            convolve,
            lambda maps, cells: cut(maps, cells, self.map_side),
            size,
            self.map_stride,
            self.chunk_size * size * size,
        )

    def _after_map(self, pieces):
        """Frozen layers above the map (FC6, FC7), on windows of it."""
        rest = self._below[len(getattr(self.backbone, 'map_layers', ())) :]
        if rest and hasattr(self.backbone, 'map_layers'):
            with torch.no_grad(), self._autocast(pieces.device):
                pieces = self.backbone.run_layers(pieces, rest)
        return pieces.float()

    def describe_patches(self, image, boxes):
        """Features below the first trainable layer: (3, H, W) uint8, (P, 4) → (P, …) float32."""
        features = None
        for _, index, part in self.iter_features([image], [boxes]):
            if features is None:
                features = part.new_empty(len(boxes), *part.shape[1:])
            features[index] = part
        return features
