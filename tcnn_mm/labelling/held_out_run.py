"""Read a cross-validated fit: its labels, and scores and votes by heads that did not see the image.

Letters: N images, K classes, R repeats (divisions into folds).
"""

import os.path as osp
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch.utils.data import Subset

from tcnn_mm.datasets.feature_bank import FILES, FeatureBank
from tcnn_mm.datasets.source_images import SizedDataset, image_config
from tcnn_mm.engine.fold_heads import FoldHeads
from tcnn_mm.engine.progress import progress_bar
from tcnn_mm.errors import UserError
from tcnn_mm.estimator.cross_validation import RESULTS, read_held_out, repeat_folder
from tcnn_mm.estimator.fold_training import fold_checkpoint, fold_tasks
from tcnn_mm.estimator.training import read_config
from tcnn_mm.inference.predict_dataset import ImagePrediction, predict_dataset
from tcnn_mm.inference.trained_model import load_trained_model
from tcnn_mm.labelling.label_errors import LabelledImage
from tcnn_mm.labelling.patch_evidence import patch_evidence
from tcnn_mm.models.samples import sample_name
from tcnn_mm.registry import DATASETS
from tcnn_mm.reports.run_artifacts import read_fold_of


class HeldOutRun(NamedTuple):
    """What an audit reads of a fit.

    Attributes:
        config (Config): Of the fit.
        classes (list[str]): K names.
        images (list[LabelledImage]): N.
        paths (list[str]): N, of the images.
        sizes (list): N, (height, width) pixels.
        scores (ndarray): (R, N, K).
        labels (ndarray): (N, K) of {1, 0, -1}.
        folds (ndarray): (R, N) the fold of each image.
    """

    config: Config
    classes: list[str]
    images: list[LabelledImage]
    paths: list[str]
    sizes: list[tuple[int, int]]
    scores: np.ndarray
    labels: np.ndarray
    folds: np.ndarray


def image_data(run: HeldOutRun) -> SizedDataset:
    """The images of a fit, in the order of the run: items as the fit read them."""
    dataset = DATASETS.build(image_config(run.config.train_dataloader.dataset))
    at = {sample_name(dataset.get_data_info(i)): i for i in range(len(dataset))}
    return Subset(dataset, [at[image.image_id] for image in run.images])


def find_config(run: str) -> str:
    """The config of a fit, from its folder or one inside it (OUT/run, OUT/folds).

    Raises:
        UserError: No fit; one without folds, or whose folds are not finished.
    """
    folder = osp.abspath(run)
    path = osp.join(folder, 'config.py')
    inner = osp.join(osp.dirname(folder), 'config.py')
    if osp.basename(folder) in ('run', 'folds') and osp.isfile(inner):
        path = inner
    if not osp.isfile(path):
        raise UserError(
            f'{run}: no config.py of a fit in this folder; give the folder of a cross-validated '
            'fit: tcnn fit DATA --folds 5 --out RUN'
        )
    return path


def read_fit(run: str) -> tuple[str, Config]:
    """Path and content of the config of a fit whose folds are scored.

    Raises:
        UserError: What :func:`find_config` refuses.
    """
    init_default_scope('mmpretrain')
    path = find_config(run)
    cfg = read_config(path)
    folds = cfg.get('cross_validation')
    if not folds:
        raise UserError(
            f'{path}: this fit has no folds, so no head scored images that it had not seen; make '
            'one that has: tcnn fit DATA --folds 5 --out ANOTHER'
        )
    files = [
        osp.join(repeat_folder(folds.work_dir, repeat), name)
        for repeat in range(1, folds.repeats + 1)
        for name in RESULTS
    ]
    heads = [fold_checkpoint(cfg, task) for task in fold_tasks(cfg)]
    bank = osp.join(cfg.train_dataloader.dataset.bank, FILES['manifest'])
    missing = [file for file in (bank, *heads, *files) if not osp.isfile(file)]
    if missing:
        out = osp.dirname(path)
        raise UserError(
            f'{missing[0]}: is missing; the fit in this folder was interrupted, or moved: give its '
            f'command again: tcnn fit DATA --out {shlex.quote(out)}'
        )
    return path, cfg


def read_held_out_run(run: str, trust: bool = False) -> HeldOutRun:
    """Read labels and scores; vote on all patches of each image by the head of its fold.

    Votes are those of the first division into folds.

    Args:
        run: Folder of the fit.
        trust: See :func:`load_safely`.

    Raises:
        UserError: What :func:`read_fit` refuses.
    """
    path, cfg = read_fit(run)
    held_out = read_held_out(path)
    return vote(cfg, held_out.ids, trust)._replace(scores=held_out.scores)


def vote(cfg: Config, ids: Sequence[str] | None = None, trust: bool = False) -> HeldOutRun:
    """Score images, and all of their patches, by the heads of the first division into folds.

    Args:
        cfg: Of a fit whose heads are trained; its bank has all windows.
        ids: Of the images, in the order of the answer. Defaults to those of the folds, in the
            order of the bank.
        trust: See :func:`load_safely`.
    """
    folds = cfg.cross_validation
    fold_of = [
        read_fold_of(folds.lists, folds.folds, repeat) for repeat in range(1, folds.repeats + 1)
    ]
    bank: FeatureBank = DATASETS.build(dict(cfg.train_dataloader.dataset, test_mode=True))
    record_of = {
        record['img_id']: (at, record)
        for at, record in enumerate(bank.manifest['pictures'][i] for i in bank.images)
    }
    chosen = [i for i in record_of if i in fold_of[0]] if ids is None else list(ids)
    heads = [fold_checkpoint(cfg, task) for task in fold_tasks(cfg) if task.repeat == 1]
    model = load_trained_model(heads[0], cfg, classes=list(cfg.classes), trust=trust).model
    using, found = FoldHeads(heads, fold_of[0]), {}
    bar = progress_bar(len(chosen), 'image')
    # One head after the other: each is put into the model once.
    for image_id in sorted(chosen, key=lambda each: (fold_of[0][each], record_of[each][0])):
        using.use(model, image_id)
        at, record = record_of[image_id]
        (found[image_id],) = (
            (labelled_image(record, prediction), prediction.scores, prediction.labels)
            for prediction in predict_dataset(
                model, bank, return_patches=True, indices=[at], progress=False
            )
        )
        bar.update()
    bar.close()
    images, scores, labels = zip(*(found[image_id] for image_id in chosen), strict=True)
    records = [record_of[image_id][1] for image_id in chosen]
    return HeldOutRun(
        cfg,
        list(cfg.classes),
        list(images),
        [record['img_path'] for record in records],
        [tuple(record['size_hw']) for record in records],
        np.stack(scores)[None],
        np.stack(labels),
        np.array([[mine[image_id] for image_id in chosen] for mine in fold_of]),
    )


def labelled_image(record: Mapping[str, Any], prediction: ImagePrediction) -> LabelledImage:
    """An image of a bank with its boxes, and what its patches vote.

    Args:
        record: Of the bank's manifest.
        prediction: With patches.
    """
    assert prediction.patch_boxes is not None and prediction.patch_scores is not None
    boxes = np.array(record['gt_bboxes'], np.float64).reshape(-1, 4)
    labels = np.array(record['gt_bboxes_labels'], np.int64)
    return LabelledImage(
        record['img_id'],
        boxes,
        labels,
        np.array(record['gt_bboxes_difficult'], bool),
        patch_evidence(prediction.patch_boxes, prediction.patch_scores, boxes, labels),
    )
