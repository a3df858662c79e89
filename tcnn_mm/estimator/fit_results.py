"""Thresholds, test and table of results of a fit that has val and test parts."""

import json
import os.path as osp
from collections.abc import Mapping, Sequence

import numpy as np
from mmengine.config import Config

from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.checkpoints.metadata import store_thresholds
from tcnn_mm.checkpoints.weight_paths import file_digest
from tcnn_mm.datasets.image_labels import image_labels
from tcnn_mm.engine.open_runner import open_runner
from tcnn_mm.estimator.result_table import result_table
from tcnn_mm.estimator.training import read_config, tell, unique_name
from tcnn_mm.evaluation.calibration import calibrate_classes
from tcnn_mm.evaluation.thresholds import best_thresholds
from tcnn_mm.patches.geometry import DAMPING
from tcnn_mm.registry import DATASETS
from tcnn_mm.reports.run_artifacts import read_scores

# In the work dir: digest of the checkpoint that was tested.
TESTED = 'tested.txt'


def bank_labels(bank: str) -> tuple[list[str], np.ndarray]:
    """Ids and labels (N, K) of {1, 0, -1} of a bank's images."""
    with open(osp.join(bank, 'manifest.json'), encoding='utf-8') as file:
        manifest = json.load(file)
    images, num = manifest['pictures'], len(manifest['classes'])
    rows = [image_labels(p['gt_label'], p['gt_label_difficult'], num) for p in images]
    return [p['img_id'] for p in images], np.stack(rows)


def choose_thresholds(out: str, checkpoint: str, classes: Sequence[str]) -> dict[str, float]:
    """Choose thresholds of best F1 and calibrate on val; store both unless they are there.

    Returns:
        Class → threshold; nan for a class without positives.
    """
    scores, labels = val_scores(out)
    return store_choice(checkpoint, classes, scores, labels, f'{len(scores)} images of val')


def val_scores(out: str) -> tuple[np.ndarray, np.ndarray]:
    """Scores and labels (M, K) of the images of val, in the order of their bank."""
    ids, labels = bank_labels(osp.join(out, 'banks', 'val'))
    path = osp.join(out, 'run', 'image_scores_val.csv')
    scores = read_scores(path)
    if scores is None:
        raise FileNotFoundError(path)
    row = {image_id: at for at, image_id in enumerate(scores.ids)}
    return scores.values[[row[i] for i in ids]], labels


def store_choice(
    checkpoint: str, classes: Sequence[str], scores: np.ndarray, labels: np.ndarray, chosen_on: str
) -> dict[str, float]:
    """Choose thresholds of best F1 and calibrate; store both unless they are there.

    Args:
        checkpoint: The file; it is replaced.
        classes: K names.
        scores: (N, K) of images that were not trained on.
        labels: (N, K) of {1, 0, -1}.
        chosen_on: The images in words.

    Returns:
        Class → threshold; nan for a class without positives.
    """
    values, _ = best_thresholds(scores, labels)
    thresholds = dict(zip(classes, values.tolist(), strict=True))
    calibration = dict(zip(classes, calibrate_classes(scores, labels), strict=True))
    meta = load_safely(checkpoint)['meta'].get('tcnn_mm', {})
    known = {k: None if np.isnan(v) else v for k, v in thresholds.items()}
    if meta.get('thresholds') == known and 'calibration' in meta:
        tell(f'{checkpoint} has them')
    else:
        store_thresholds(checkpoint, thresholds, chosen_on, calibration)
        tell(f'stored in {checkpoint}')
    return thresholds


def is_tested(out: str, checkpoint: str, tested: bool = True) -> bool:
    """Whether the results of a fit are those of this checkpoint.

    Args:
        out: Folder of the fit.
        checkpoint: The file.
        tested: The fit has images for test alone.
    """
    path = osp.join(out, 'run', TESTED)
    needed = ['results.txt', *(['run/voc_ap.json', 'run/image_scores.csv'] if tested else [])]
    if not all(osp.isfile(osp.join(out, name)) for name in (f'run/{TESTED}', *needed)):
        return False
    with open(path, encoding='utf-8') as file:
        return file.read() == file_digest(checkpoint)


def mark_tested(out: str, checkpoint: str) -> None:
    """Record that the results of a fit are complete, and of this checkpoint."""
    with atomic_write(osp.join(out, 'run', TESTED)) as file:
        file.write(file_digest(checkpoint))


def keep_test_only(cfg: Config) -> None:
    """Leave the training and the validation out of a config, in place."""
    cfg.train_dataloader = cfg.train_cfg = cfg.optim_wrapper = cfg.param_scheduler = None
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None


def add_overlays(cfg: Config, number: int, images: int) -> None:
    """Let a test draw the maps of some of its images, evenly spread; in place."""
    # Undamped, the border wins: few patches cover it.
    hook = dict(
        type='tcnn_mm.ScoreMapHook',
        max_images=number,
        interval=max(1, images // number),
        damping=DAMPING,
    )
    cfg.custom_hooks = [*cfg.custom_hooks, hook]


def test(path: str, checkpoint: str, overlays: int = 20) -> None:
    """Test on the windows of the test images and draw overlays of some of them."""
    cfg = read_config(path)
    cfg.load_from = checkpoint
    cfg.experiment_name = unique_name('fit_test')
    keep_test_only(cfg)
    add_overlays(cfg, overlays, len(DATASETS.build(cfg.test_dataloader.dataset)))
    with open_runner(cfg) as runner:
        runner.test()


def result_lines(out: str, thresholds: Mapping[str, float]) -> list[str]:
    """The tables of OUT/run/voc_ap.json, see :func:`result_table`."""
    with open(osp.join(out, 'run', 'voc_ap.json'), encoding='utf-8') as file:
        reports = json.load(file)
    _, labels = bank_labels(osp.join(out, 'banks', 'test'))
    return result_table(reports, labels, thresholds)
