"""Predictions of many images as files: one JSON, and one overlay per image.

`predictions.json` is an object with `checkpoint`, `classes`, `labels_are`, `thresholds` and
`pictures`, a list with one line per image: `img_path`, `scores`, `labels`, `patches`, `overlay`
(a path below the folder), or `img_path` and `error`.
"""

import json
import os.path as osp
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import mmengine
from PIL import Image

from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.errors import UserError
from tcnn_mm.inference.inferencer import TCNNInferencer
from tcnn_mm.inference.overlay import draw_overlay, unused_name
from tcnn_mm.patches.geometry import DAMPING

# Overlays of more classes would be too small to see.
OVERLAY_CLASSES = 3


def predict_files(
    inferencer: TCNNInferencer,
    checkpoint: str,
    images: Sequence[str],
    out: str,
    *,
    classes: Sequence[str] | None = None,
    overlays: bool = True,
    damping: float = DAMPING,
    upright: bool = False,
    batch_size: int = 4,
) -> list[dict[str, Any]]:
    """Classify images and write OUT/predictions.json and OUT/overlays/.

    What was predicted is written even if the rest is interrupted.

    Args:
        checkpoint: The file that the inferencer was made of; for the JSON.
        images: Files, or folders read with their subfolders.
        out: A folder; made if absent.
        classes: Patches and overlays of these. Defaults to the labels of each image, or its best
            class where it has none.
        overlays: Whether to draw them.
        damping: Of the localization maps.
        upright: Apply the EXIF orientation.

    Returns:
        The results as they are in the JSON; those of unreadable images have `error`.
    """
    mmengine.mkdir_or_exist(osp.join(out, 'overlays') if overlays else out)
    results: list[dict[str, Any]] = []
    taken: set[str] = set()
    found = inferencer.iter(
        images,
        score_maps=overlays,
        batch_size=batch_size,
        classes=classes,
        damping=damping,
        upright=upright,
        keep_image=overlays,
    )
    try:
        for result in found:
            results.append(_finish(result, out, classes, damping, taken))
    finally:
        head = dict(
            checkpoint=osp.abspath(checkpoint),
            classes=inferencer.classes,
            labels_are=inferencer.label_rule,
            thresholds=inferencer.thresholds,
        )
        _write(osp.join(out, 'predictions.json'), head, results)
    return results


def _finish(
    result: dict[str, Any],
    out: str,
    classes: Sequence[str] | None,
    damping: float,
    taken: set[str],
) -> dict[str, Any]:
    """Draw the overlay of a result; keep what the JSON holds."""
    if 'error' in result:
        return result
    best = max(result['scores'], key=result['scores'].get)
    shown = list(classes or result['labels'] or [best])
    maps, image = result.pop('maps', None), result.pop('image', None)
    if maps is not None:
        name = unused_name(result['img_path'], taken)
        result['overlay'] = osp.join('overlays', name)
        drawn = draw_overlay(
            image, maps, shown[:OVERLAY_CLASSES], result['scores'], result['labels'], damping
        )
        Image.fromarray(drawn).save(osp.join(out, 'overlays', name))
    result['patches'] = {name: result['patches'][name] for name in shown}
    return result


def _write(path: str, head: dict[str, Any], results: Iterable[dict[str, Any]]) -> None:
    """Write the JSON with one line per image, for reading and for searching by line."""
    with atomic_write(path) as file:
        file.write(json.dumps(head, indent=1, ensure_ascii=False)[:-2] + ',\n "pictures": [\n')
        file.write(',\n'.join(json.dumps(result, ensure_ascii=False) for result in results))
        file.write('\n]}\n')


def summary(results: Sequence[dict[str, Any]]) -> str:
    """The labels of each image, of up to ten; else the number of images per label."""
    good = [result for result in results if 'error' not in result]
    if len(good) > 10:
        counts = Counter(name for result in good for name in result['labels'] or ['no class'])
        return ', '.join(f'{name}: {count} images' for name, count in counts.most_common())
    lines = []
    for result in good:
        named = ', '.join(f'{n} ({result["scores"][n]:.2g})' for n in result['labels'])
        lines.append(f'{result["img_path"]}: {named or "no class"}')
    return '\n'.join(lines)


def raise_for_errors(results: Sequence[dict[str, Any]]) -> None:
    """Name the images that could not be read.

    Raises:
        UserError: There are some.
    """
    errors = [result['error'] for result in results if 'error' in result]
    if errors:
        listed = '\n'.join(errors)
        raise UserError(f'{len(errors)} of {len(results)} images could not be read:\n{listed}')
