"""Export a checkpoint to one ONNX file from image to scores and maps, and check the file."""

import json
import math
import os
import shlex
from typing import Any

import numpy as np
import torch
from mmpretrain.structures import DataSample

import tcnn_mm
from tcnn_mm.checkpoints.atomic_write import atomic_path
from tcnn_mm.errors import UserError
from tcnn_mm.export.export_checkpoint import Exported
from tcnn_mm.export.export_model import TOLERANCE
from tcnn_mm.export.file_formats import FACTS, require_packages
from tcnn_mm.export.whole_image import ImageSize, whole_image_graph
from tcnn_mm.export.whole_image_networks import run_in_float32
from tcnn_mm.inference.label_rule import LabelRule
from tcnn_mm.inference.predict_dataset import predict_batch
from tcnn_mm.inference.results import localization_maps
from tcnn_mm.inference.trained_model import TrainedModel, load_trained_model
from tcnn_mm.patches.grid import PatchGrid

LONG_SIDE = 500  # of maps, as the inferencer's


def export_whole_image(
    checkpoint: str | os.PathLike[str],
    out: str,
    *,
    config: str | None = None,
    image_size: ImageSize | None = None,
    damping: float | None = None,
    trust: bool = False,
) -> Exported:
    """Write grid, network, votes and maps of a checkpoint as one ONNX file, and check the file.

    Args:
        checkpoint: Of a trained model that scores a grid of patches, in dense or crop mode.
        out: The file; it appears when the check has passed, and only then.
        config: For a checkpoint that holds none.
        image_size: Height and width of all images, pixels; None for any.
        damping: Of the maps. Defaults to the checkpoint's record.
        trust: Unpickle the checkpoint fully.

    Raises:
        UserError: A package is missing; the model scores a box, not the image; the grid of this
            image size has too many patches.
        RuntimeError: The file gives other scores or maps than the model.
    """
    require_packages('onnx')
    trained = load_trained_model(checkpoint, config, device='cpu', trust=trust)
    model = trained.model
    grid = getattr(model.sampler, 'grid', None)
    if type(grid) is not PatchGrid:
        kind = type(model.sampler if grid is None else grid).__name__
        raise UserError(
            f'{checkpoint}: its patches are of {kind}, and only those of a PatchGrid can be in the '
            f'file; export the network alone: tcnn export {shlex.quote(str(checkpoint))} '
            f'--part patch --out {shlex.quote(out)}'
        )
    if image_size is not None:
        grid(image_size)  # refuses what has too many patches
    if damping is None:
        damping = trained.damping
    notes = []
    if model.encoder.dtype != torch.float32:
        kind = str(model.encoder.dtype).removeprefix('torch.')
        notes.append(
            f'the file computes in float32; on a processor with {kind}, `tcnn predict` does not, '
            'and its scores differ slightly'
        )
    run_in_float32(model)
    facts = describe_whole_image(trained, image_size, damping)
    metadata = {FACTS: json.dumps(facts, ensure_ascii=False)}
    graph = whole_image_graph(model, image_size, damping, LONG_SIDE, metadata)
    with atomic_path(out) as draft:
        with open(draft, 'wb') as file:
            file.write(graph.SerializeToString())
        rows = compare(trained, draft, image_size, damping)
        worst = max(difference for _, difference in rows)
        if not worst <= TOLERANCE or math.isnan(worst):
            raise RuntimeError(
                f'{out}: scores or maps differ by {worst:.2g} from the model: not kept'
            )
    return Exported(facts, rows, notes)


def describe_whole_image(
    trained: TrainedModel, image_size: ImageSize | None, damping: float
) -> dict[str, Any]:
    """The facts that the file's user needs, in JSON's types; they are stored in the file.

    Args:
        trained: The model.
        image_size: Height and width, None for any.
        damping: Of the maps.
    """
    independent = trained.model.voter.independent
    return dict(
        part='image',
        version=tcnn_mm.__version__,
        input='image: uint8 RGB (height, width, 3), as it is stored; resized and normalised inside',
        image_size=image_size and list(image_size),
        upright=trained.upright,
        outputs=list(trained.classes),
        scores='independent probabilities' if independent else 'votes of patches',
        thresholds=trained.thresholds,
        calibration=trained.calibration,  # slope and offset of the log-odds
        label_rule=str(LabelRule(independent, trained.thresholds, trained.chosen_on)),
        maps=dict(long_side=LONG_SIDE, damping=damping),
        preprocessing=trained.record['preprocessing'],
        size=trained.record['preprocessing']['size'],
        trained_in=trained.record['feature_mode'] + ' mode',
        grid=trained.record['grid'],
        aggregator=trained.record['aggregator'],
        context=trained.model.context is not None,
    )


def sample_images(size: int, image_size: ImageSize | None) -> list[np.ndarray]:
    """Images to check a file with: noise around a flat rectangle, of several sizes.

    Args:
        size: S.
        image_size: Height and width, None for any.

    Returns:
        (H, W, 3) uint8 each.
    """
    shapes = [(size + 7, size * 4 // 3), (size * 3 // 2, size // 2), (size // 3, size // 3)]
    random = np.random.default_rng(0)
    images = []
    for height, width in [image_size] * 2 if image_size else shapes:
        pixels = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
        pixels[height // 4 : height // 2, width // 4 : width // 2] = random.integers(0, 256, 3)
        images.append(pixels)
    return images


def compare(
    trained: TrainedModel, path: str, image_size: ImageSize | None, damping: float
) -> list[tuple[tuple[int, ...], float]]:
    """Run a written file and the model on images.

    Args:
        trained: The model, in float32.
        path: The file.
        image_size: Height and width, None for any.
        damping: Of the maps.

    Returns:
        Shape of each image, and the largest difference of a score or of a cell of a map.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    rows = []
    for pixels in sample_images(trained.model.encoder.size, image_size):
        scores, maps = session.run(None, dict(image=pixels))
        inputs = torch.from_numpy(pixels.transpose(2, 0, 1).copy())
        item = dict(inputs=inputs, data_samples=DataSample(metainfo=dict(img_id='noise')))
        (sample,) = predict_batch(trained.model, [item], True)
        expected = localization_maps(
            sample.patch_boxes, sample.patch_scores, pixels.shape[:2], damping, LONG_SIDE
        )
        if maps.shape != expected.shape:
            raise RuntimeError(f'{path}: maps {maps.shape}, the model gives {expected.shape}')
        off = max(np.abs(scores - sample.pred_score.numpy()).max(), np.abs(maps - expected).max())
        rows.append((pixels.shape, float(off)))
    return rows
