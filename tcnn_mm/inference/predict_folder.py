"""Predict on files and write the results as they come: JSON, and one overlay per image."""

import contextlib
import json
import logging
import os
import os.path as osp
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from mmengine.logging import print_log
from PIL import Image

import tcnn_mm
from tcnn_mm.checkpoints.atomic_write import atomic_path, atomic_write, remove_stale_drafts
from tcnn_mm.checkpoints.weight_paths import file_sha256
from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.engine.progress import progress_bar
from tcnn_mm.errors import UserError
from tcnn_mm.inference.inferencer import TCNNInferencer
from tcnn_mm.inference.inputs import ReadLog, list_images
from tcnn_mm.inference.overlay import draw_overlay, unique_png_name
from tcnn_mm.inference.predictions import Predictions
from tcnn_mm.inference.results import ImageResult
from tcnn_mm.inference.results_file import ResultsFile, to_json

UserPaths: TypeAlias = 'str | os.PathLike[str] | Sequence[str | os.PathLike[str]]'

# More maps in one overlay would be too small to see.
MAPS = 3


def predict_to_folder(
    images: UserPaths,
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
    stretch_maps: bool = False,
) -> Predictions:
    """Predict on images and folders; write `OUT/predictions.json` and `OUT/overlays/*.png`.

    The results of each batch are appended to `OUT/predictions.jsonl` when it is done, after its
    overlays: whatever ends the process loses one batch at most, and the same call continues.
    Images whose files have changed since, or had an error, are predicted again. Nothing is written
    outside OUT, and what lies in OUT is not taken for an image of a folder around it.

    Args:
        images: Paths of images or of folders (with their subfolders); one that is given several
            times is predicted once.
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
        stretch_maps: The hottest colour of an overlay is the largest value of its maps.

    Returns:
        The results; :meth:`Predictions.raise_for_errors` makes unreadable images an error.

    Raises:
        UserError: No checkpoint or image of that name, a wrong class, a model of persons, or an
            OUT with results of another checkpoint or of other options.
        OSError: OUT cannot be written.
    """
    if batch_size < 1:
        raise UserError(f'--batch-size {batch_size}: it must be at least 1')
    inferencer = TCNNInferencer(config, checkpoint, device, trust=trust_checkpoint)
    if inferencer.needs_boxes:
        raise UserError(
            f'{checkpoint}: scores persons whose boxes are known; use tcnn_mm.TCNNInferencer with '
            'boxes=[…]'
        )
    options = inferencer.result_options(classes, damping, score_maps=overlays, keep_image=overlays)
    if not classes:
        options = replace(options, shown=None)
    listed, others = find_inputs(images, out)
    drawings = osp.join(out, 'overlays')
    os.makedirs(drawings if overlays else out, exist_ok=True)
    for folder in {out, drawings}:
        remove_stale_drafts(folder)
    head = dict(
        checkpoint=osp.abspath(checkpoint),
        classes=inferencer.classes,
        labels_are=inferencer.label_rule,
        thresholds=inferencer.thresholds,
        damping=options.damping,
    )
    more = dict(
        version=tcnn_mm.__version__,
        checkpoint_sha256=file_sha256(checkpoint) if osp.isfile(checkpoint) else None,
        config_sha256=file_sha256(config) if config else None,
        model=inferencer.record,
        shown=list(classes) if classes else None,
        overlays=overlays,
        upright=inferencer.upright if upright is None else upright,
        **(dict(stretch_maps=True) if stretch_maps and overlays else {}),
    )
    log = ReadLog(other_files=others)
    path = osp.join(out, 'predictions.json')
    with ResultsFile(path + 'l', {**head, **more}) as file:
        taken = {
            osp.basename(entry['overlay']) for entry in file.results.values() if 'overlay' in entry
        }
        for batch in unfinished_batches(listed, batch_size, file):
            found = inferencer.predict_batch(batch, options, log, upright)
            if overlays:
                for result in found:
                    draw(result, out, file, taken, classes, options.damping, stretch_maps)
            file.append([without_arrays(result) for result in found])
        results = [file.result(image) for image in listed]
    for line in log.warnings(len(listed)):
        print_log(line, 'current', logging.WARNING)
    write_predictions(path, head, results)
    kept = inferencer.training_images
    reference = None if kept is None else len(kept.distances)
    return Predictions(path, results, inferencer.label_rule, reference)


def find_inputs(images: UserPaths, out: str) -> tuple[list[str], int]:
    """List the images once each, without those in OUT that are outputs.

    Args:
        images: Files and folders.
        out: Folder of the results. Below a folder of images it is not looked into; if it is, or
            holds, the folder of images, its `overlays` are not.

    Returns:
        Paths, and the number of files of folders that are not images.

    Raises:
        UserError: An image, or a folder of them, is where overlays are written.
    """
    given = [images] if isinstance(images, (str, os.PathLike)) else list(images)
    listed, others = [], 0
    overlays = osp.realpath(osp.join(out, 'overlays'))
    for path in given:
        path = os.fspath(path)
        if f'{osp.realpath(path)}{os.sep}'.startswith(overlays + os.sep):
            raise UserError(
                f'{printable(path)}: overlays are written there; give another --out than '
                f'{printable(out)}'
            )
        found, more = list_images(path, skip=(osp.realpath(out), overlays))
        listed += [image for image in found if isinstance(image, str)]
        others += more
    return list(dict.fromkeys(listed)), others


def unfinished_batches(
    images: Sequence[str], batch_size: int, file: ResultsFile
) -> Iterator[list[str]]:
    """Batches to predict, with a progress bar.

    The images pass the network in the same batches whether or not the prediction was interrupted,
    so that the scores are the same bits: a batch with an image that has no result is predicted as
    a whole. Images with an error alone are tried again without the others of their batch.
    """
    batches = [images[i : i + batch_size] for i in range(0, len(images), batch_size)]
    todo = []
    for batch in batches:
        missing = [image for image in batch if not file.is_done(image)]
        if missing:
            retried = all('error' in file.results.get(image, ()) for image in missing)
            todo.append(missing if retried else list(batch))
    number = sum(map(len, todo))
    if number < len(images):
        done = len(images) - number
        print_log(f'{printable(file.path)}: {done} of {len(images)} images are done', 'current')
    with contextlib.closing(progress_bar(number, 'image')) as bar:
        for batch in todo:
            yield batch
            bar.update(len(batch))


def draw(
    result: ImageResult,
    out: str,
    file: ResultsFile,
    taken: set[str],
    wanted: Sequence[str] | None,
    damping: float,
    stretch: bool = False,
) -> None:
    """Write the overlay of a result below OUT, and its path into the result.

    Args:
        result: With `maps` and `image`; one with an error is left as it is.
        out: Folder of the results.
        file: An image that is predicted again keeps the name of its overlay.
        taken: Names of overlays so far; the new one is added.
        wanted: Classes to draw. Defaults to the labels, else the best class.
        damping: Of the maps.
        stretch: See :func:`draw_overlay`.
    """
    if 'error' in result:
        return
    image = str(result['img_path'])
    drawn = draw_overlay(result, list(wanted or result['maps'])[:MAPS], damping, stretch)
    name = file.results.get(image, {}).get('overlay') or osp.join(
        'overlays', unique_png_name(image, taken)
    )
    with atomic_path(osp.join(out, name)) as draft:
        Image.fromarray(drawn).save(draft, 'PNG')
    result['overlay'] = name


def without_arrays(result: ImageResult) -> ImageResult:
    """A result as JSON takes it: no maps or pixels."""
    kept = result.copy()
    kept.pop('maps', None)
    kept.pop('image', None)
    return kept


def write_predictions(path: str, head: dict[str, Any], results: Iterable[ImageResult]) -> None:
    """Write the JSON with one line per image, so that it can be read and searched by line.

    Paths that are not UTF-8 have JSON's escapes (byte E9 is `\\udce9`): `os.fsencode` of the path
    that is read back gives the bytes.
    """
    with atomic_write(path, errors='backslashreplace') as file:
        file.write(
            json.dumps(head, indent=1, ensure_ascii=False, allow_nan=False)[:-2]
            + ',\n "images": [\n'
        )
        file.write(',\n'.join(map(to_json, results)))
        file.write('\n]}\n')
