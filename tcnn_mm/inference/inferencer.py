"""Predict on images with a checkpoint alone: images in, plain dicts out."""

import logging
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmpretrain.structures import DataSample

from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.engine.progress import progress_bar
from tcnn_mm.errors import InvalidValueError, NotFiniteError, UserError, errors_of
from tcnn_mm.evaluation.unfamiliar import unfamiliar
from tcnn_mm.inference.inputs import (
    OneImage,
    ReadLog,
    UserImages,
    check_boxes,
    list_images,
    read_image,
)
from tcnn_mm.inference.label_rule import LabelRule
from tcnn_mm.inference.predict_dataset import predict_batch
from tcnn_mm.inference.results import ImageResult, ResultOptions, image_result
from tcnn_mm.inference.trained_model import load_trained_model


class TCNNInferencer:
    """Predicts on images with a trained model, in the style of mmpretrain's inferencers.

    Args:
        config (str | Config, optional): Only where the checkpoint holds no config, or another one
            is wanted: thresholds are then used only if scores are made in the same way.
        checkpoint (str): Of `tcnn train`, `tcnn fit` or `tcnn export`. It is enough: neither data
            set nor pretrained weights are looked for.
        device (str, optional): Defaults to 'cuda' where there is a GPU, else 'cpu'.
        classes (sequence[str], optional): Names, for a checkpoint that holds none.
        trust (bool): Unpickle the checkpoint fully: only for files of your own.

    Attributes:
        classes (list[str]): K names.
        thresholds (dict | None): Class → image score from which on it is a label, None for a
            class that had no positive to choose it by.
        label_rule (str): What `labels` means, in words.
        damping (float): Of maps where `damping` is not given: the checkpoint's record.
        training_images (TrainingImages | None): What `unfamiliar` compares with.
        upright (bool): Whether images are read upright where `upright` is not given: as in
            training, by the checkpoint's record.

    Examples:
        >>> inferencer = TCNNInferencer(checkpoint='work_dirs/tcnn_minivoc/epoch_100.pth')
        >>> result = inferencer('photo.jpg', score_maps=True)[0]
        >>> result['labels'], result['scores']['fish'], result['maps']['fish'].shape
        (['fish'], 0.31, (375, 500))
    """

    def __init__(
        self,
        config: str | os.PathLike[str] | Config | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        device: str | None = None,
        classes: Sequence[str] | None = None,
        trust: bool = False,
    ) -> None:
        trained = load_trained_model(checkpoint, config, device, classes, trust)
        self.model, self.record, self.damping = trained.model, trained.record, trained.damping
        self.upright, self.training_images = trained.upright, trained.training_images
        self.classes, self.thresholds = trained.classes, trained.thresholds
        self.needs_boxes = not hasattr(self.model.sampler, 'grid')
        self.rule = LabelRule(
            self.model.voter.independent, trained.thresholds, trained.chosen_on, trained.calibration
        )
        self.label_rule = str(self.rule)

    def __call__(
        self, images: UserImages, score_maps: bool = False, batch_size: int = 4, **options: Any
    ) -> list[ImageResult]:
        """Predict on images; :meth:`iter` gives the same one by one, for many.

        Args: those of :meth:`iter`.

        Returns:
            list[dict]: One per image, in order.

        Raises:
            UserError: Also for a single image that cannot be read.
        """
        return list(self.iter(images, score_maps, batch_size, **options))

    def iter(
        self,
        images: UserImages,
        score_maps: bool = False,
        batch_size: int = 4,
        boxes: Sequence[Sequence[float]] | np.ndarray | None = None,
        classes: Sequence[str] | str | None = None,
        top_patches: int = 5,
        long_side: int = 500,
        damping: float | None = None,
        channel_order: str = 'rgb',
        upright: bool | None = None,
        keep_image: bool = False,
    ) -> Iterator[ImageResult]:
        """Predict on images one batch at a time.

        Args:
            images: Path of an image or a folder (with its subfolders), uint8 array (H, W, 3) or
                (H, W), PIL image, or a list of them.
            score_maps (bool): Make localization maps too.
            batch_size (int): Images at a time; the model's `chunk_size` bounds the memory.
            boxes (sequence, optional): One xyxy box per image, where the model scores one square
                around a box (actions: `ObjectSquareSampler`).
            classes (sequence[str], optional): The classes whose patches and maps are given.
                Defaults to all.
            top_patches (int): Best patches per class; those that overlap a better one are left
                out.
            long_side (int): Of the maps, pixels; of smaller images they have every pixel.
            damping (float, optional): Of the maps (see :func:`mean_score_map`); 0 is the paper's.
                Defaults to the checkpoint's record, as `tcnn predict` and the report do.
            channel_order (str): Of arrays: 'rgb' (as PIL's), or 'bgr' (as cv2's and mmcv's).
            upright (bool, optional): Apply the EXIF rotation; boxes and maps are then of the
                rotated image. Defaults to what training did; a warning counts the images whose
                rotation was ignored.
            keep_image (bool): Add the pixels.

        Yields:
            dict: `img_path` (None of an array), `scores` {class: float}, `labels` (classes by
            :attr:`label_rule`, highest score first), `probabilities` {class: float or None} of a
            calibrated checkpoint, `unfamiliar` float of one that keeps its training images (see
            :mod:`~tcnn_mm.evaluation.unfamiliar`), `patches` {class: [{'box': [x1, y1, x2,
            y2], 'score': float}, …]}; with `score_maps` `maps` {class: float32 (h, w)}; with
            `keep_image` `image` (H, W, 3) uint8 RGB. Of several images, one that cannot be read
            or has scores that are NaN or infinite (of a model that diverged) gives {'img_path',
            'error'} and a warning at the end.

        Raises:
            UserError: See above; boxes that are missing or not asked for; an unknown class.
        """
        if channel_order not in ('rgb', 'bgr'):
            raise InvalidValueError(f"channel_order={channel_order!r}; choose 'rgb' or 'bgr'")
        if batch_size < 1:
            raise InvalidValueError(f'batch_size={batch_size}: it must be at least 1')
        listed, others = list_images(images)
        person_boxes = check_boxes(boxes, len(listed), self.needs_boxes)
        options = self.result_options(
            classes=classes,
            top_patches=top_patches,
            score_maps=score_maps,
            long_side=long_side,
            damping=damping,
            keep_image=keep_image,
        )
        alone = len(listed) == 1 and not isinstance(images, (list, tuple))
        bar = None if alone else progress_bar(len(listed), 'image')
        log = ReadLog(other_files=others)
        for first in range(0, len(listed), batch_size):
            batch = slice(first, first + batch_size)
            found = self.predict_batch(
                listed[batch], options, log, upright, channel_order, person_boxes[batch]
            )
            for result in found:
                if alone and 'error' in result:
                    raise UserError(result['error'])
                yield result
                if bar is not None:
                    bar.update()
        if bar is not None:
            bar.close()
        for line in log.warnings(len(listed)):
            print_log(line, 'current', logging.WARNING)

    def result_options(
        self,
        classes: Sequence[str] | str | None = None,
        damping: float | None = None,
        **options: Any,
    ) -> ResultOptions:
        """Check what results are to hold; the arguments are those of :class:`ResultOptions`.

        Args:
            classes: Their patches and maps are given. Defaults to all.
            damping: Defaults to the checkpoint's record.
            **options: The others.

        Raises:
            UserError: An unknown class.
        """
        return ResultOptions(
            shown=self._checked_classes(classes),
            damping=self.damping if damping is None else damping,
            **options,
        )

    def predict_batch(
        self,
        images: Sequence[OneImage],
        options: ResultOptions,
        log: ReadLog,
        upright: bool | None = None,
        channel_order: str = 'rgb',
        boxes: Sequence[np.ndarray | None] | None = None,
    ) -> list[ImageResult]:
        """Predict on images that pass the network together.

        Args:
            images: Single images.
            options: What the results hold, of :meth:`result_options`.
            log: Its counts are increased.
            upright: As for :meth:`iter`.
            channel_order: As for :meth:`iter`.
            boxes: One (4,) xyxy per image for a model that scores persons.

        Returns:
            list[dict]: One per image, as :meth:`iter` gives them; an `error` in place of results
            that are missing or not finite.
        """
        upright = self.upright if upright is None else upright
        read = [
            self._checked_size(read_image(image, channel_order, upright, log), image, log)
            for image in images
        ]
        names = [printable(image) if isinstance(image, str) else 'image' for image in images]
        samples = self._predict(read, boxes or [None] * len(images), names)
        results = []
        for image, pixels, sample in zip(images, read, samples, strict=True):
            result = ImageResult(img_path=image if isinstance(image, str) else None)
            if isinstance(pixels, UserError):
                result['error'] = str(pixels)
            elif isinstance(sample, UserError):
                log.not_finite += 1
                result['error'] = str(sample)
            else:
                result.update(image_result(sample, pixels, self.classes, self.rule, options))
                if self.training_images is not None:
                    found = sample.whole_feature.numpy(), sample.pred_score.numpy()
                    one = unfamiliar(found[0][None], found[1][None], self.training_images)
                    result['unfamiliar'] = float(one[0])
            results.append(result)
        return results

    def _checked_size(
        self, pixels: np.ndarray | UserError, image: OneImage, log: ReadLog
    ) -> np.ndarray | UserError:
        """Pixels (H, W, 3), or the error of an image that is too long for the grid."""
        if not isinstance(pixels, UserError) and not self.needs_boxes:
            name = image if isinstance(image, str) else 'image'
            try:
                with errors_of(printable(name)):
                    self.model.sampler.grid(pixels.shape[:2])
            except InvalidValueError as error:
                log.unreadable += 1
                return error
        return pixels

    def _predict(
        self,
        images: Sequence[np.ndarray | UserError],
        boxes: Sequence[np.ndarray | None],
        names: Sequence[str],
    ) -> list[DataSample | UserError]:
        """Score images (H, W, 3) uint8 RGB with their persons' boxes; errors stay errors."""
        found: list[DataSample | UserError] = []
        items = []
        for image, box, name in zip(images, boxes, names, strict=True):
            sample = DataSample(metainfo=dict(img_id=name))
            if box is not None:
                sample.set_field(torch.from_numpy(box), 'input_box')
            if isinstance(image, np.ndarray):
                # A copy: PIL's pixels are read-only, which torch warns of.
                pixels = torch.from_numpy(image.transpose(2, 0, 1).copy())
                items.append(dict(inputs=pixels, data_samples=sample))
        scored = iter(self._scored(items))
        for image in images:
            found.append(next(scored) if isinstance(image, np.ndarray) else image)
        return found

    def _scored(self, items: Sequence[dict[str, Any]]) -> list[DataSample | UserError]:
        """Score images together; where one has scores that are not finite, each alone."""
        try:
            return predict_batch(self.model, items, True, self.training_images is not None)
        except NotFiniteError as error:
            if len(items) == 1:
                return [error]
            return [found for item in items for found in self._scored([item])]

    def _checked_classes(self, classes: Sequence[str] | str | None) -> list[str]:
        """Names of the classes to show; all where none are given."""
        names = [classes] if isinstance(classes, str) else list(classes or self.classes)
        unknown = [name for name in names if name not in self.classes]
        if unknown:
            raise UserError(
                f'no class {", ".join(unknown)}; the model has {", ".join(self.classes)}'
            )
        return names
