"""Draw score maps while a test runs."""

import os.path as osp
from collections.abc import Mapping, Sequence
from typing import Any

import mmengine
import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.visualization import LocalVisBackend, MLflowVisBackend
from mmpretrain.structures import DataSample
from PIL import Image

from tcnn_mm.checkpoints.atomic_write import atomic_path
from tcnn_mm.checkpoints.metadata import model_record
from tcnn_mm.checkpoints.strict import record_differences
from tcnn_mm.compat import visualizer_backends
from tcnn_mm.datasets.image_ids import png_path
from tcnn_mm.datasets.image_io import load_rgb
from tcnn_mm.datasets.remote_files import is_gone
from tcnn_mm.engine.patch_scores import return_patch_scores
from tcnn_mm.engine.unwrap_model import unwrap_model
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.calibration import (
    Calibration,
    probability_or_none,
    recorded_calibration,
)
from tcnn_mm.patches.bank_batch import BankWindows
from tcnn_mm.patches.geometry import mean_score_map
from tcnn_mm.patches.peaks import map_peaks, map_shape, peaks_to_points
from tcnn_mm.registry import HOOKS
from tcnn_mm.visualization.map_values import class_title
from tcnn_mm.visualization.score_map import ScoreMapVisualizer


@HOOKS.register_module()
class ScoreMapHook(Hook):
    """Draws images of a test: the objects, and maps of the given or best-scored classes.

    Writes one PNG per image, each process for its own images. The main process also passes them
    to the other backends of the visualizer (TensorBoard …). Works with a feature bank too.

    Args:
        out_dir (str): Folder, below the work dir if relative. Defaults to 'score_maps'.
        max_images (int): Stop after so many (of each process). Defaults to 20.
        interval (int): Every n-th image of the test. Defaults to 1.
        classes (sequence[str], optional): Names of the classes to draw. Defaults to those with
            the highest image scores.
        top (int): How many of these. Defaults to 3.
        long_side (int): Longer side of the maps, cells. Defaults to 500.
        damping (float): Damping of the maps (see :func:`mean_score_map`). Defaults to 0, the
            paper's mean.
        stretch (bool): Where the visualizer of the run draws no maps: the hottest colour is the
            largest value of the maps of an image (see :func:`map_values`). Defaults to False.

    Raises:
        UserError: Before the first image, if the data set has no such class.
    """

    def __init__(
        self,
        out_dir: str = 'score_maps',
        max_images: int = 20,
        interval: int = 1,
        classes: str | Sequence[str] | None = None,
        top: int = 3,
        long_side: int = 500,
        damping: float = 0,
        stretch: bool = False,
    ) -> None:
        self.out_dir, self.max_images, self.interval = out_dir, max_images, interval
        self.classes = [classes] if isinstance(classes, str) else classes
        self.top, self.long_side, self.damping = top, long_side, damping
        self.stretch = stretch
        self._calibration: Mapping[str, Calibration | None] = {}

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Read the calibration, if it is of the scores that this model gives."""
        stored = (checkpoint.get('meta') or {}).get('tcnn_mm') or {}
        found = recorded_calibration(stored, str(runner.cfg.get('load_from') or 'the checkpoint'))
        changed = record_differences(stored, model_record(unwrap_model(runner)) or {})
        self._calibration = {} if changed or found is None else found

    def before_test_epoch(self, runner: Runner) -> None:
        """Check the class names; ask the model for patch scores."""
        names = runner.test_dataloader.dataset.metainfo['classes']
        unknown = [name for name in self.classes or () if name not in names]
        if unknown:
            raise UserError(
                f'ScoreMapHook: no class {", ".join(unknown)}; the data set has {", ".join(names)}'
            )
        return_patch_scores(runner, True)
        self._seen = self._drawn = self._gone = 0
        self._taken: set[str] = set()

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Draw the images of a batch that are due."""
        inputs = data_batch['inputs']
        images = [None] * len(outputs) if isinstance(inputs, BankWindows) else inputs
        for image, sample in zip(images, outputs, strict=True):
            if image is None and is_gone(sample.img_path):  # a bank has no pixels
                self._gone += 1
                continue
            if self._seen % self.interval == 0 and self._drawn < self.max_images:
                self._drawn += 1
                self._draw(runner, image, sample)
            self._seen += 1

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Ask the model for no more patch scores."""
        return_patch_scores(runner, False)
        if self._gone:
            runner.logger.info(f'{self._gone} images are not drawn: their files are gone')

    def _draw(self, runner: Runner, image: torch.Tensor | None, sample: DataSample) -> None:
        """Draw one image (3, H, W) uint8 RGB; None reads it from the file of the sample."""
        names = runner.test_dataloader.dataset.metainfo['classes']
        if image is not None:
            pixels = image.permute(1, 2, 0).cpu().numpy()
        else:  # a bank has no pixels
            pixels = load_rgb(sample.img_path)
        if self.classes is None:
            chosen = sample.pred_score.argsort(descending=True)[: self.top].tolist()
        else:
            chosen = [names.index(name) for name in self.classes]
        size_hw = int(pixels.shape[0]), int(pixels.shape[1])
        map_hw = map_shape(size_hw, self.long_side)
        maps = mean_score_map(
            sample.patch_boxes, sample.patch_scores[:, chosen], size_hw, map_hw, self.damping
        )
        points = peaks_to_points(map_peaks(maps), map_hw, size_hw)
        labels = sample.gt_bboxes_labels.tolist() if 'gt_bboxes_labels' in sample else []
        visualizer = runner.visualizer
        if not hasattr(visualizer, 'draw_score_maps'):
            visualizer = ScoreMapVisualizer(stretch=self.stretch)
        scores = {names[k]: float(sample.pred_score[k]) for k in chosen}
        found = {
            name: probability_or_none(score, self._calibration.get(name))
            for name, score in scores.items()
        }
        drawn = visualizer.draw_score_maps(
            pixels,
            maps.cpu().numpy(),
            [class_title(name, score, found[name]) for name, score in scores.items()],
            boxes=sample.gt_bboxes.cpu().numpy() if labels else (),
            box_names=[names[k] for k in labels],
            map_names=[names[k] for k in chosen],
            points=points.cpu().numpy(),
            damping=self.damping,
            probabilities=list(found.values()),
        )
        name = str(sample.get('img_id', self._drawn))
        if 'object_index' in sample:  # one of the persons of an image
            name += f'_{sample.object_index}'
        name = png_path(name, self._taken)
        path = osp.join(runner.work_dir, self.out_dir, name)
        mmengine.mkdir_or_exist(osp.dirname(path))
        with atomic_path(path) as draft:
            Image.fromarray(drawn).save(draft, 'PNG')
        if is_main_process():
            for backend in visualizer_backends(runner.visualizer):
                # The local backend would write the same PNG again.
                if not isinstance(backend, LocalVisBackend):
                    shown = f'score_maps/{osp.splitext(name)[0]}'
                    if isinstance(backend, MLflowVisBackend):
                        shown += '.png'  # MLflow's artifacts are files: the suffix is the format
                    backend.add_image(shown, drawn, step=runner.iter)
