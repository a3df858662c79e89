"""Draw score maps while a test runs."""

import os.path as osp

import mmengine
import numpy as np
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from PIL import Image

from tcnn_mm.patches.geometry import mean_score_map
from tcnn_mm.registry import HOOKS
from tcnn_mm.visualization.score_map import ScoreMapVisualizer


@HOOKS.register_module()
class ScoreMapHook(Hook):
    """Writes one PNG a picture: its objects, and maps of its best-scored classes.

    Args:
        out_dir (str): Folder, below the work dir if relative. Defaults to 'score_maps'.
        max_images (int): Stop after so many (of each process). Defaults to 20.
        interval (int): Every n-th picture of the test. Defaults to 1.
        top (int): Classes a picture, by image score. Defaults to 3.
        long_side (int): Of the maps, pixels. Defaults to 500.
    """

    def __init__(self, out_dir='score_maps', max_images=20, interval=1, top=3, long_side=500):
        self.out_dir, self.max_images, self.interval = out_dir, max_images, interval
        self.top, self.long_side = top, long_side

    @staticmethod
    def _model(runner):
        return runner.model.module if is_model_wrapper(runner.model) else runner.model

    def before_test_epoch(self, runner):
        self._model(runner).keep_patch_scores = True
        self._seen = self._drawn = 0

    def after_test_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        for image, sample in zip(data_batch['inputs'], outputs, strict=True):
            wanted = self._seen % self.interval == 0 and self._drawn < self.max_images
            self._seen += 1
            if wanted:
                self._drawn += 1
                self._draw(runner, image, sample)
            # Patch scores are large; nobody needs them after this hook.
            sample.pop('patch_scores', None)
            sample.pop('patch_boxes', None)
        if self._drawn >= self.max_images:
            self._model(runner).keep_patch_scores = False

    def after_test_epoch(self, runner, metrics=None):
        self._model(runner).keep_patch_scores = False

    def _draw(self, runner, image, sample):
        classes = runner.test_dataloader.dataset.metainfo['classes']
        size_hw = tuple(image.shape[-2:])
        best = sample.pred_score.argsort(descending=True)[: self.top].cpu()
        shrink = min(1.0, self.long_side / max(size_hw))
        map_hw = tuple(max(1, round(side * shrink)) for side in size_hw)
        maps = mean_score_map(sample.patch_boxes, sample.patch_scores[:, best], size_hw, map_hw)
        visualizer = runner.visualizer
        if not hasattr(visualizer, 'draw_score_maps'):
            visualizer = ScoreMapVisualizer()
        present = set(sample.gt_label.tolist()) if 'gt_label' in sample else set()
        titles = [
            f'{classes[k]}: {float(sample.pred_score[k]):.3f}' + (' (present)' * (k in present))
            for k in best.tolist()
        ]
        boxes = sample.get('gt_bboxes', np.zeros((0, 4)))
        names = [classes[k] for k in sample.get('gt_bboxes_labels', [])]
        drawn = visualizer.draw_score_maps(
            image.permute(1, 2, 0).cpu().numpy(), maps.cpu().numpy(), titles, boxes, names
        )
        name = str(sample.get('img_id', self._drawn))
        if 'object_index' in sample:  # one of a picture's persons
            name += f'_{sample.object_index}'
        path = osp.join(runner.work_dir, self.out_dir, f'{name}.png')
        mmengine.mkdir_or_exist(osp.dirname(path))
        Image.fromarray(drawn).save(path)
        visualizer.add_image(f'score_maps/{name}', drawn, step=runner.iter)
