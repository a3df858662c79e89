"""Pictures in, plain dicts out: class scores, names, best patches and score maps."""

import logging

import numpy as np
import torch
from mmengine.logging import print_log
from mmpretrain.structures import DataSample

from tcnn_mm.datasets.image_io import apply_orientation
from tcnn_mm.engine.progress import progress_bar
from tcnn_mm.errors import UserError
from tcnn_mm.inference.inputs import list_pictures, orientation_of, read_rgb
from tcnn_mm.inference.trained_model import load_trained_model
from tcnn_mm.models.weak_patch_classifier import WeakPatchClassifier
from tcnn_mm.patches.geometry import mean_score_map
from tcnn_mm.patches.peaks import best_patches, map_shape


class TCNNInferencer:
    """Predicts on pictures with a trained model, in the style of mmpretrain's inferencers.

    Args:
        config (str | Config, optional): Only where the checkpoint holds no config, or another one
            is wanted: thresholds are then used only if scores are made in the same way.
        checkpoint (str): Of `tools/train.py` or `publish_model.py`. It is enough: neither
            data set nor pretrained weights are looked for.
        device (str, optional): Defaults to 'cuda' where there is a GPU, else 'cpu'.
        classes (sequence[str], optional): Names, for a checkpoint that holds none.
        trust (bool): Unpickle the checkpoint fully: only for files of your own.

    Attributes:
        classes (list[str]): K names.
        thresholds (dict | None): Class → image score from which on it is named, None for a class
            that had no positive to choose it by.
        label_rule (str): What `labels` means, in words.

    Example:
        >>> inferencer = TCNNInferencer(checkpoint='work_dirs/tcnn_minivoc/epoch_100.pth')
        >>> result = inferencer('photo.jpg', score_maps=True)[0]
        >>> result['labels'], result['scores']['fish'], result['maps']['fish'].shape
        (['fish'], 0.31, (375, 500))
    """

    def __init__(self, config=None, checkpoint=None, device=None, classes=None, trust=False):
        trained = load_trained_model(checkpoint, config, device, classes, trust)
        self.model, self.record = trained.model, trained.record
        self.classes, self.thresholds = trained.classes, trained.thresholds
        self.needs_boxes = not hasattr(self.model.sampler, 'grid')
        if self.thresholds:
            source = trained.chosen_on or 'a validation set'
            self.label_rule = f'scores at or above thresholds chosen on {source}'
        elif isinstance(self.model, WeakPatchClassifier):
            self.label_rule = 'no thresholds were chosen: probabilities at or above 0.5'
        else:
            self.label_rule = 'no thresholds were chosen: the class of the highest score alone'

    def __call__(self, images, score_maps=False, batch_size=4, **options):
        """Predict on pictures; :meth:`iter` gives the same one by one, for many.

        Args: those of :meth:`iter`.

        Returns:
            list[dict]: One a picture, in order.

        Raises:
            UserError: Also for a single picture that cannot be read.
        """
        return list(self.iter(images, score_maps, batch_size, **options))

    @torch.no_grad()
    def iter(
        self,
        images,
        score_maps=False,
        batch_size=4,
        boxes=None,
        classes=None,
        top_patches=5,
        long_side=500,
        damping=0,
        channel_order='rgb',
        upright=False,
        keep_image=False,
    ):
        """Predict on pictures one batch at a time.

        Args:
            images: Path of a picture or a folder (with its subfolders), uint8 array (H, W, 3) or
                (H, W), PIL image, or a list of them.
            score_maps (bool): Make maps too.
            batch_size (int): Pictures at a time; the model's `chunk_size` bounds the memory.
            boxes (sequence, optional): One xyxy box a picture, where the model scores one square
                around a box (actions: `ObjectSquareSampler`).
            classes (sequence[str], optional): Of which patches and maps are given. Defaults to
                all.
            top_patches (int): Best patches a class; those that overlap a better one are left out.
            long_side (int): Of the maps, pixels; of smaller pictures they have every pixel.
            damping (float): Of the maps (see :func:`mean_score_map`). Defaults to 0, the paper's.
            channel_order (str): Of arrays: 'rgb' (as PIL's), or 'bgr' (as cv2's and mmcv's).
            upright (bool): Turn pictures by their EXIF orientation, boxes and maps are then of the
                turned picture. Defaults to False: as stored, as in training; a warning counts
                those that a viewer would turn.
            keep_image (bool): Add the pixels.

        Yields:
            dict: `img_path` (None of an array), `scores` {class: float}, `labels` (classes named
            by :attr:`label_rule`, highest score first), `patches` {class: [{'box': [x1, y1, x2,
            y2], 'score': float}, …]}; with `score_maps` `maps` {class: float32 (h, w)}; with
            `keep_image` `image` (H, W, 3) uint8 RGB. Of several pictures, one that cannot be read
            gives {'img_path', 'error'} and a warning at the end.

        Raises:
            UserError: See above; boxes that lack or are not asked for; an unknown class.
        """
        if channel_order not in ('rgb', 'bgr'):
            raise ValueError(f"channel_order={channel_order!r}; choose 'rgb' or 'bgr'")
        pictures, others = list_pictures(images)
        boxes = self._checked_boxes(boxes, len(pictures))
        shown = self._checked_classes(classes)
        alone = len(pictures) == 1 and not isinstance(images, (list, tuple))
        bar = None if alone else progress_bar(len(pictures), 'image')
        count = dict(unread=0, lying=0)
        for first in range(0, len(pictures), batch_size):
            batch = pictures[first : first + batch_size]
            read = [self._read(picture, channel_order, upright, count) for picture in batch]
            if alone and count['unread']:
                raise read[0]
            good = [i for i, pixels in enumerate(read) if not isinstance(pixels, UserError)]
            samples = self._predict([read[i] for i in good], [boxes[first + i] for i in good])
            samples = dict(zip(good, samples, strict=True))
            for i, (picture, pixels) in enumerate(zip(batch, read, strict=True)):
                result = dict(img_path=picture if isinstance(picture, str) else None)
                if i in samples:
                    result.update(self._result(samples[i], shown, top_patches))
                    if score_maps:
                        size_hw = pixels.shape[:2]
                        result['maps'] = _maps(samples[i], shown, size_hw, long_side, damping)
                    if keep_image:
                        result['image'] = pixels
                else:
                    result['error'] = str(pixels)
                yield result
                if bar is not None:
                    bar.update()
        if bar is not None:
            bar.close()
        _tell(count, len(pictures), others)

    @staticmethod
    def _read(picture, channel_order, upright, count):
        """Pixels, or the error in their place; `count` is kept of what the user has to know."""
        try:
            pixels, orientation = read_rgb(picture, channel_order), orientation_of(picture)
        except UserError as error:
            count['unread'] += 1
            return error
        if upright:
            return apply_orientation(pixels, orientation)
        count['lying'] += orientation != 1
        return pixels

    def _checked_boxes(self, boxes, number):
        if boxes is None:
            if self.needs_boxes:
                raise UserError(
                    f'{type(self.model.sampler).__name__}: the model scores one square around a '
                    "person's box: give boxes=[…], one xyxy box a picture (a picture with several "
                    'persons several times)'
                )
            return [None] * number
        if not self.needs_boxes:
            raise UserError('boxes: this model looks at the whole picture; it takes none')
        boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
        if len(boxes) != number or not (boxes[:, 2:] > boxes[:, :2]).all():
            raise UserError(
                f'boxes: {number} pictures need as many boxes [x1, y1, x2, y2] with x2 > x1 and '
                f'y2 > y1, found {boxes.tolist()}'
            )
        return list(boxes)

    def _checked_classes(self, classes):
        """Names → (name, column) pairs."""
        names = [classes] if isinstance(classes, str) else list(classes or self.classes)
        unknown = [name for name in names if name not in self.classes]
        if unknown:
            raise UserError(
                f'no class {", ".join(unknown)}; the model has {", ".join(self.classes)}'
            )
        return [(name, self.classes.index(name)) for name in names]

    def _predict(self, images, boxes):
        samples = []
        for box in boxes:
            sample = DataSample()
            if box is not None:
                sample.set_field(torch.from_numpy(box), 'input_box')
            samples.append(sample)
        device = self.model.device
        # A copy: PIL's pixels cannot be written to, which torch warns of.
        inputs = [torch.from_numpy(image.transpose(2, 0, 1).copy()).to(device) for image in images]
        return self.model.predict(inputs, samples, return_patches=True) if inputs else []

    def _result(self, sample, shown, top_patches):
        scores = dict(zip(self.classes, sample.pred_score.tolist(), strict=True))
        return dict(
            scores=scores,
            labels=self._labels(scores),
            patches={
                name: _told(sample.patch_boxes, sample.patch_scores[:, k], top_patches)
                for name, k in shown
            },
        )

    def _labels(self, scores):
        """Names by :attr:`label_rule`, highest score first."""
        ranked = sorted(scores, key=scores.get, reverse=True)
        if self.thresholds:
            known = {name: t for name, t in self.thresholds.items() if t is not None}
            return [name for name in ranked if name in known and scores[name] >= known[name]]
        if isinstance(self.model, WeakPatchClassifier):
            return [name for name in ranked if scores[name] >= 0.5]
        return ranked[:1]


def _tell(count, pictures, others):
    """Warn of what was not read, or not as one would expect."""
    if count['unread']:
        _warn(
            f'{count["unread"]} of {pictures} pictures could not be read: their results hold an '
            '"error"'
        )
    if count['lying']:
        _warn(
            f'{count["lying"]} of {pictures} pictures are to be turned by their EXIF orientation '
            'and were read as stored, as in training; upright=True (--upright) turns them'
        )
    if others:
        _warn(f'{others} other files of the folders were not read: by extension no pictures')


def _warn(message):
    print_log(message, 'current', logging.WARNING)


def _told(boxes, scores, number):
    """Boxes (P, 4) and scores (P,) of a class → its best patches of different places, as data."""
    return [
        dict(box=boxes[p].tolist(), score=float(scores[p]))
        for p in best_patches(boxes, scores, number)
    ]


def _maps(sample, shown, size_hw, long_side, damping):
    """The paper's maps (sec. 7), {class: (h, w) float32}."""
    scores, map_hw = sample.patch_scores[:, [k for _, k in shown]], map_shape(size_hw, long_side)
    maps = mean_score_map(sample.patch_boxes, scores, size_hw, map_hw, damping)
    return {name: one for (name, _), one in zip(shown, maps.cpu().numpy(), strict=True)}
