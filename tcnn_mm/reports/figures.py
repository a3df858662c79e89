"""Best and worst pictures of a test, class by class, with their score maps and best patches.

Letters: N pictures, K classes, P patches of a picture.
"""

from typing import NamedTuple

import numpy as np
import torch

from tcnn_mm.analysis.prediction_cache import picture_config
from tcnn_mm.datasets.image_labels import image_labels
from tcnn_mm.engine.progress import progress_bar
from tcnn_mm.errors import UserError
from tcnn_mm.models.samples import sample_name
from tcnn_mm.patches.geometry import mean_score_map
from tcnn_mm.patches.peaks import best_patches, map_peaks, map_shape, peaks_to_points
from tcnn_mm.registry import DATASETS
from tcnn_mm.visualization.contact_sheet import contact_sheet, cut
from tcnn_mm.visualization.score_map import ScoreMapVisualizer

GROUPS = ('found', 'false alarms', 'missed')
PATCHES = 16  # on a class's contact sheet
FRAMES = {1: '#2e8b57', 0: '#999999', -1: '#c0392b'}


class Shown(NamedTuple):
    """One picture under one class: row of image_scores.csv, rank from 1, score, label, drawing."""

    row: int
    rank: int
    score: float
    label: int
    drawing: np.ndarray


def pictures_and_labels(config, scores):
    """The test set's pictures, and their labels in the order of image_scores.csv.

    Args:
        config (Config): Of the test.
        scores (Scores): Its image scores.

    Returns:
        tuple: data set, (N,) numbers in it, (N, K) labels of {1, 0, -1}.

    Raises:
        UserError: The data set is gone, secret, or another one.
    """
    dataset = DATASETS.build(picture_config(config.test_dataloader.dataset))
    if not dataset.metainfo.get('annotated', True):
        raise UserError('the annotations of this split are secret')
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    known = {sample_name(info): i for i, info in enumerate(infos)}
    strange = [name for name in scores.ids if name not in known]
    if strange:
        raise UserError(
            f'image_scores.csv has {strange[0]}, which is not in the data set of the config '
            f'({len(strange)} such ids)'
        )
    numbers = np.array([known[name] for name in scores.ids])
    labels = [
        image_labels(i['gt_label'], i.get('gt_label_difficult', ()), len(scores.classes))
        for i in (infos[n] for n in numbers)
    ]
    return dataset, numbers, np.array(labels).reshape(len(numbers), len(scores.classes))


def choose(scores, labels, count):
    """Which pictures tell most about a class: {group: rows, most telling first}.

    Args:
        scores (ndarray): (N,) of the class.
        labels (ndarray): (N,) of {1, 0, -1}.
        count (int): Pictures in all: half of them positives of the highest scores ('found'), a
            quarter negatives of the highest ('false alarms'), a quarter positives of the lowest
            that are not among the first ('missed').
    """
    order = np.argsort(-scores, kind='stable')
    positives, negatives = order[labels[order] == 1], order[labels[order] == -1]
    found = positives[: -(-count // 2)]
    quarter = count // 4
    missed = positives[len(found) :][::-1][:quarter]
    return dict(zip(GROUPS, (found, negatives[:quarter], missed), strict=True))


class Gallery:
    """Opens pictures of a data set once each and draws them under any class.

    Args:
        model (PatchClassifier): With its weights, in eval mode.
        dataset (Dataset): Pictures, as :func:`pictures_and_labels` gives them.
        classes (sequence[str]): K names.
        damping (float): Of the maps. Defaults to 0, the paper's mean.
    """

    def __init__(self, model, dataset, classes, damping=0):
        if not hasattr(model, 'voter'):
            raise UserError(f'{type(model).__name__} has no patches, so it has no score maps')
        self.model, self.dataset, self.classes = model, dataset, list(classes)
        self.damping = damping
        self.visualizer = ScoreMapVisualizer()

    @torch.no_grad()
    def _patches(self, index):
        """Pixels (H, W, 3) and the sample of one picture, with its patches' boxes and scores."""
        item = self.dataset[index]
        image = item['inputs'].to(self.model.device)
        sample = self.model.predict([image], [item['data_samples']], return_patches=True)[0]
        return np.ascontiguousarray(item['inputs'].permute(1, 2, 0).numpy()), sample.cpu()

    def draw(self, chosen, numbers, scores, labels):
        """All chosen pictures of all classes.

        Args:
            chosen (dict): Class number → :func:`choose`'s groups.
            numbers, scores, labels: (N,), (N, K), (N, K) of the test.

        Returns:
            tuple[dict, dict]: class number → {group: [Shown]}; class number → contact sheet of
            its best patches in the pictures of 'found' and 'false alarms'.
        """
        ranks = {k: np.argsort(np.argsort(-scores[:, k], kind='stable')) + 1 for k in chosen}
        wanted = {}
        for k, groups in chosen.items():
            for group, rows in groups.items():
                for row in rows.tolist():
                    wanted.setdefault(row, []).append((k, group))
        shown, speaking = {}, {k: [] for k in chosen}
        bar = progress_bar(len(wanted), 'image')
        for row in sorted(wanted):
            pixels, sample = self._patches(int(numbers[row]))
            boxes, votes = sample.patch_boxes, sample.patch_scores.float()
            for k, group in wanted[row]:
                drawing = self._overlay(pixels, sample, k, scores[row, k])
                shown[row, k] = Shown(
                    row, int(ranks[k][row]), float(scores[row, k]),
                    int(labels[row, k]), drawing,
                )  # fmt: skip
                if group != 'missed':
                    speaking[k] += [
                        (float(votes[p, k]), int(labels[row, k]), cut(pixels, boxes[p]))
                        for p in best_patches(boxes, votes[:, k], PATCHES // 2)
                    ]
            bar.update()
        bar.close()
        pictures = {
            k: {group: [shown[row, k] for row in rows.tolist()] for group, rows in groups.items()}
            for k, groups in chosen.items()
        }
        return pictures, {k: self._sheet(patches) for k, patches in speaking.items() if patches}

    def _overlay(self, pixels, sample, k, score):
        size_hw = pixels.shape[:2]
        map_hw = map_shape(size_hw)
        votes = sample.patch_scores[:, k : k + 1].float()
        maps = mean_score_map(sample.patch_boxes, votes, size_hw, map_hw, self.damping)
        points = peaks_to_points(map_peaks(maps), map_hw, size_hw)
        objects = sample.gt_bboxes[sample.gt_bboxes_labels == k].numpy()
        name = self.classes[k]
        return self.visualizer.draw_score_maps(
            pixels,
            maps.numpy(),
            [f'{name}, image score {score:.2g}'],
            boxes=objects,
            box_names=[name] * len(objects),
            map_names=[name],
            points=points.numpy(),
            with_picture=False,
            damping=self.damping,
        )

    @staticmethod
    def _sheet(patches):
        best = sorted(patches, key=lambda each: -each[0])[:PATCHES]
        return contact_sheet(
            [pixels for _, _, pixels in best],
            [f'{score:.2f}' for score, _, _ in best],
            colors=[FRAMES[label] for _, label, _ in best],
        )
