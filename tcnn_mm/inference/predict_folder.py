"""Predict on files and write the results: one JSON, and one overlay per image."""

import json
import os
import os.path as osp
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.errors import UserError
from tcnn_mm.inference.inferencer import TCNNInferencer
from tcnn_mm.inference.inputs import UserImages
from tcnn_mm.inference.overlay import draw_overlay, unique_png_name
from tcnn_mm.inference.results import ImageResult

# More maps in one overlay would be too small to see.
MAPS = 3


@dataclass(frozen=True)
class Predictions:
    """What a prediction wrote.

    Attributes:
        path (str): The JSON.
        results (list[dict]): One per image, as in the JSON; unreadable ones have an `error`.
        label_rule (str): How the labels were chosen, in words.
    """

    path: str
    results: list[ImageResult]
    label_rule: str

    def summary(self) -> str:
        """Labels of up to ten images, else the number of images per label; then the path."""
        good = [result for result in self.results if 'error' not in result]
        lines = []
        if len(good) <= 10:
            for result in good:
                labels = ', '.join(f'{n} ({result["scores"][n]:.2g})' for n in result['labels'])
                lines.append(f'{printable(str(result["img_path"]))}: {labels or "no class"}')
        else:
            counts = Counter(name for result in good for name in result['labels'] or ['no class'])
            lines.append(', '.join(f'{name}: {n} images' for name, n in counts.most_common()))
        where = f'{len(good)} images: {printable(self.path)}'
        return '\n'.join([*lines, f'labels: {self.label_rule}', where])

    def raise_for_errors(self) -> None:
        """Raise one UserError that lists the images that could not be read, if there are any."""
        errors = [result['error'] for result in self.results if 'error' in result]
        if errors:
            listed = '\n'.join(errors)
            raise UserError(
                f'{len(errors)} of {len(self.results)} images could not be read:\n{listed}'
            )


def predict_to_folder(
    images: UserImages,
    checkpoint: str | os.PathLike[str],
    out: str = 'predictions',
    *,
    config: str | None = None,
    classes: Sequence[str] | None = None,
    overlays: bool = True,
    damping: float | None = None,
    upright: bool | None = None,
    batch_size: int = 4,
    device: str | None = None,
    trust_checkpoint: bool = False,
) -> Predictions:
    """Predict on images and folders; write `OUT/predictions.json` and `OUT/overlays/*.png`.

    Results so far are written also when the prediction is interrupted.

    Args:
        images: Paths of images or of folders (with their subfolders).
        checkpoint: Of a trained model.
        out: Folder of the results.
        config: For a checkpoint that holds none.
        classes: Classes of the patches and overlays. Defaults to the labels of each image, else
            its best class.
        overlays: Draw the maps of up to three classes per image.
        damping: Of the maps. Defaults to the checkpoint's record.
        upright: Apply the EXIF rotation. Defaults to what training did.
        batch_size: Images at a time.
        device: Defaults to 'cuda' where there is a GPU, else 'cpu'.
        trust_checkpoint: Unpickle the checkpoint fully.

    Returns:
        The results; :meth:`Predictions.raise_for_errors` makes unreadable images an error.

    Raises:
        UserError: No checkpoint or image of that name, a wrong class, or a model of persons.
    """
    if batch_size < 1:
        raise UserError(f'--batch-size {batch_size}: it must be at least 1')
    inferencer = TCNNInferencer(config, checkpoint, device, trust=trust_checkpoint)
    if inferencer.needs_boxes:
        raise UserError(
            f'{checkpoint}: scores persons whose boxes are known; use tcnn_mm.TCNNInferencer with '
            'boxes=[…]'
        )
    damping = inferencer.damping if damping is None else damping
    os.makedirs(osp.join(out, 'overlays') if overlays else out, exist_ok=True)
    path = osp.join(out, 'predictions.json')
    results: list[ImageResult] = []
    taken: set[str] = set()
    found = inferencer.iter(
        images if isinstance(images, (list, tuple)) else [images],
        score_maps=overlays,
        batch_size=batch_size,
        classes=classes,
        damping=damping,
        upright=upright,
        keep_image=overlays,
    )
    try:
        for result in found:
            if 'error' not in result:
                shown = shown_classes(result, classes)
                if overlays:
                    name = unique_png_name(str(result['img_path']), taken)
                    drawn = draw_overlay(result, shown[:MAPS], damping)
                    Image.fromarray(drawn).save(osp.join(out, 'overlays', name))
                    result['overlay'] = osp.join('overlays', name)
                result = without_arrays(result, shown)
            results.append(result)
    finally:  # finished results are kept when the rest fails or is interrupted
        head = dict(
            checkpoint=osp.abspath(checkpoint),
            classes=inferencer.classes,
            labels_are=inferencer.label_rule,
            thresholds=inferencer.thresholds,
            damping=damping,
        )
        write_predictions(path, head, results)
    return Predictions(path, results, inferencer.label_rule)


def shown_classes(result: ImageResult, wanted: Sequence[str] | None) -> list[str]:
    """The classes asked for, else the labels, else the class of the highest score."""
    scores = result['scores']
    return list(wanted or result['labels'] or [max(scores, key=lambda name: scores[name])])


def without_arrays(result: ImageResult, shown: Sequence[str]) -> ImageResult:
    """A result as JSON takes it: no maps or pixels, patches of the shown classes."""
    kept = ImageResult(img_path=result['img_path'], scores=result['scores'])
    kept['labels'] = result['labels']
    kept['patches'] = {name: result['patches'][name] for name in shown}
    if 'overlay' in result:
        kept['overlay'] = result['overlay']
    return kept


def write_predictions(path: str, head: dict[str, Any], results: Iterable[ImageResult]) -> None:
    """Write the JSON with one line per image, so that it can be read and searched by line.

    Paths that are not UTF-8 have JSON's escapes (byte E9 is `\\udce9`): `os.fsencode` of the path
    that is read back gives the bytes.
    """
    with atomic_write(path, errors='backslashreplace') as file:
        file.write(json.dumps(head, indent=1, ensure_ascii=False)[:-2] + ',\n "images": [\n')
        file.write(',\n'.join(json.dumps(result, ensure_ascii=False) for result in results))
        file.write('\n]}\n')
