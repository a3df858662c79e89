"""Drawings of the patches that a model draws in training, one image each.

Green: names an object. Red: background. Grey: deleted (two objects, or only a difficult one).
White: the annotated objects.
"""

import os
import os.path as osp
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from PIL import Image, ImageDraw

from tcnn_mm.datasets.image_ids import png_path
from tcnn_mm.datasets.source_images import image_config
from tcnn_mm.errors import UserError
from tcnn_mm.models.patch_classifier import PatchClassifier
from tcnn_mm.models.samples import sample_name
from tcnn_mm.patches.coverage import measure_coverage
from tcnn_mm.patches.sampler import Patches
from tcnn_mm.registry import DATASETS, MODELS

OBJECT, BACKGROUND, DELETED, ANNOTATED = (
    (40, 200, 60), (230, 50, 40), (150, 150, 150), (255, 255, 255),
)  # fmt: skip
# Deleted patches that are drawn: a few of hundreds.
SHOWN_DELETED = 10


def build_parts(cfg: Config, split: str) -> tuple[BaseDataset, PatchClassifier]:
    """The images of a data loader, and the model without its weights.

    Args:
        cfg: Its `model.pretrained` is removed.
        split: 'train' or 'test'. Of a feature bank: the images that it is made from.
    """
    dataset = DATASETS.build(image_config(cfg[f'{split}_dataloader'].dataset))
    cfg.model.pretrained = None
    return dataset, MODELS.build(cfg.model)


def coverage_report(dataset: BaseDataset, model: PatchClassifier) -> list[str]:
    """Which objects no patch can name, per class, and the scales that would.

    Raises:
        UserError: The sampler has no grid (actions).
    """
    sampler = model.sampler
    if not hasattr(sampler, 'labeler'):
        raise UserError(f'--coverage is of a grid; {type(sampler).__name__} has none')
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    classes = dataset.metainfo['classes']
    return measure_coverage(infos, classes, sampler.grid, sampler.labeler).table()


def browse_patches(
    dataset: BaseDataset,
    model: PatchClassifier,
    out: str,
    *,
    ids: Sequence[str] | None = None,
    limit: int = 8,
    seed: int = 0,
) -> Iterator[str]:
    """Draw images with the patches of one epoch, one PNG each.

    Args:
        out: Folder of the PNGs; made if absent.
        ids: Only these images.
        limit: Images to draw.
        seed: Of the patches that are drawn, as in a training.

    Yields:
        A line per image: its file and the counts of its patches.
    """
    infos = (dataset.get_data_info(i) for i in range(len(dataset)))
    chosen = [i for i, info in enumerate(infos) if not ids or info['img_id'] in ids]
    os.makedirs(out, exist_ok=True)
    model.set_epoch(seed, 0)
    random = np.random.default_rng(0)
    for i in chosen[:limit]:
        yield _browse_one(dataset[i], dataset.metainfo['classes'], model, out, random)


def _browse_one(
    item: dict[str, Any],
    classes: Sequence[str],
    model: PatchClassifier,
    out: str,
    random: np.random.Generator,
) -> str:
    """Draw one image."""
    sample, image = item['data_samples'], item['inputs'].permute(1, 2, 0).numpy()
    patches = model.sample_patches(item['inputs'], sample, training=True)
    boxes, labels = sample.gt_bboxes.numpy(), sample.gt_bboxes_labels.numpy()
    xyxy, label, where = patches.xyxy, patches.label, 'around a person'
    if hasattr(model.sampler, 'grid'):
        xyxy, where = model.sampler.grid(image.shape[:2]).xyxy, 'in the grid'
        difficult = sample.gt_bboxes_difficult.numpy()
        label, _ = model.sampler.labeler(xyxy, boxes, labels, difficult)
    deleted = xyxy[label < 0]
    shown = deleted[random.permutation(len(deleted))[:SHOWN_DELETED]]
    background = model.head.num_classes
    names = [classes[k] for k in labels]
    path = osp.join(out, png_path(sample_name(sample).replace('/', '_')))
    draw_patches(image, boxes, names, patches, shown, classes, background).save(path)
    negative = int((patches.label == background).sum())
    positive = int((patches.label >= 0).sum()) - negative
    return (
        f'{path}: {len(xyxy)} patches {where}, drawn {positive} object + {negative} background, '
        f'{len(deleted)} deleted'
    )


def draw_patches(
    image: np.ndarray,
    boxes: np.ndarray,
    names: Sequence[str],
    patches: Patches,
    deleted: np.ndarray,
    classes: Sequence[str],
    background: int,
) -> Image.Image:
    """Draw boxes and patches over an image, enlarged to about 500 pixels.

    Args:
        image: (H, W, 3) uint8 RGB.
        boxes: (N, 4) xyxy pixels of the objects, with their N names.
        patches: The sampled ones.
        deleted: (D, 4) xyxy pixels.
        classes: K names.
        background: Label of background patches.
    """
    canvas = Image.fromarray(image).convert('RGB')
    zoom = max(1, round(500 / max(canvas.size)))
    canvas = canvas.resize((canvas.width * zoom, canvas.height * zoom))
    pen = ImageDraw.Draw(canvas)

    def frame(box: np.ndarray, color: tuple[int, int, int], text: str = '', width: int = 1) -> None:
        x1, y1, x2, y2 = (float(v) * zoom for v in box)
        pen.rectangle((x1, y1, x2 - 1, y2 - 1), outline=color, width=width)
        if text:
            pen.text((x1 + 3, y1 + 2), text, fill=color)

    for box in deleted:
        frame(box, DELETED)
    for box in patches.xyxy[patches.label == background]:
        frame(box, BACKGROUND)
    for box, label in zip(patches.xyxy, patches.label, strict=True):
        if 0 <= label != background:
            frame(box, OBJECT, classes[label], 2)
    for box, name in zip(boxes, names, strict=True):
        frame(box, ANNOTATED, name, 2)
    return canvas
