"""Make feature banks: resumable, by any number of processes, complete or absent."""

import copy
import json
import os.path as osp
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.config import Config, ConfigDict
from mmengine.dataset import BaseDataset
from mmengine.dist import barrier, get_rank, get_world_size, is_main_process
from mmengine.logging import print_log
from torch.utils.data import DataLoader, Subset

from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.datasets.clip_boxes import clip_boxes
from tcnn_mm.datasets.feature_bank import FILES, is_feature_bank, recipe_differences
from tcnn_mm.datasets.image_io import image_size
from tcnn_mm.engine.bank_files import BankDraft, finish_draft, open_draft
from tcnn_mm.engine.bank_recipe import bank_recipe
from tcnn_mm.engine.progress import progress_bar
from tcnn_mm.errors import UserError
from tcnn_mm.models.patch_model import PatchModel
from tcnn_mm.patches.coverage import measure_coverage
from tcnn_mm.patches.sampler import RandomKey
from tcnn_mm.patches.windows import Boxes
from tcnn_mm.registry import DATASETS, MODELS

Rows = dict[str, np.ndarray]


def image_record(
    info: Mapping[str, Any], size_hw: tuple[int, int], objects: np.ndarray
) -> dict[str, Any]:
    """Return what a manifest keeps of an image: id, path, labels, size and objects (N, 4)."""
    record = {k: info[k] for k in ('img_id', 'img_path', 'gt_label', 'gt_label_difficult')}
    return dict(
        record,
        size_hw=list(size_hw),
        gt_bboxes=objects.tolist(),
        gt_bboxes_labels=info['gt_bboxes_labels'].tolist(),
        gt_bboxes_difficult=info['gt_bboxes_difficult'].tolist(),
    )


def _unlimited(sampler: Any) -> Any:
    """The sampler that draws the whole fixed set; `num_patches` is for online training."""
    sampler = copy.copy(sampler)
    if getattr(sampler, 'num_patches', None):
        sampler.num_patches = None
    return sampler


def plan_rows(
    model: PatchModel, dataset: BaseDataset, bank: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], Rows, list[Boxes]]:
    """Decide which patches of which images become rows; only headers of images are read.

    Returns:
        A record per image; the arrays boxes (N, 4), labels (N,), first and sizes (images,); and
        per image the patches as the encoder takes them.
    """
    records, drawn = [], []
    test_mode, seed = bool(bank.get('test_mode', False)), bank.get('seed', 0)
    sampler = _unlimited(model.sampler)
    for i in range(len(dataset)):
        info = dataset.get_data_info(i)
        size_hw = image_size(info['img_path'])
        objects, _ = clip_boxes(info['gt_bboxes'], *size_hw, info['img_path'])
        patches = sampler(
            size_hw,
            objects,
            info['gt_bboxes_labels'],
            dict(difficult=info['gt_bboxes_difficult']),
            training=not test_mode,
            key=RandomKey(seed, 0, info['img_id']),
        )
        drawn.append(patches)
        records.append(image_record(info, size_hw, objects))
    sizes = np.array([len(patches.xyxy) for patches in drawn], np.int64)
    rows = dict(
        boxes=np.concatenate([patches.xyxy for patches in drawn]),
        labels=np.concatenate([patches.label for patches in drawn]),
        first=np.concatenate([[0], sizes.cumsum()[:-1]]),
        sizes=sizes,
    )
    return records, rows, [patches.boxes for patches in drawn]


def _float16(features: torch.Tensor) -> np.ndarray:
    """Convert to float16; values out of its range become the largest."""
    return features.clamp(-65504, 65504).half().cpu().numpy()


@torch.no_grad()
def fill(
    model: PatchModel,
    dataset: BaseDataset,
    first: np.ndarray,
    boxes: Sequence[Boxes],
    draft: BankDraft,
    batch_size: int = 4,
    num_workers: int = 1,
) -> None:
    """Compute the share of this process: every `world size`-th image that is not done.

    Args:
        first: (images,) first row of each image.
        boxes: Patches of each image.
    """
    mine = [i for i in range(get_rank(), len(dataset), get_world_size()) if not draft.done[i]]
    loader: DataLoader = DataLoader(
        Subset(dataset, mine), batch_size=batch_size, num_workers=num_workers, collate_fn=list
    )
    bar = progress_bar(len(mine), 'image')
    at = 0
    for items in loader:
        which = mine[at : at + len(items)]
        at += len(items)
        images = [item['inputs'].to(model.device) for item in items]
        patches, starts = [boxes[i] for i in which], first[np.array(which)]
        for turn in range(draft.features.shape[0]):
            flips = [np.full(len(each), bool(turn)) for each in patches]
            for b, index, part in model.encoder.iter_features(images, patches, flips):
                draft.features[turn, starts[b] + index] = _float16(part)
        draft.features.flush()
        if draft.whole is not None:
            draft.whole[which] = _float16(model.whole_features(images))
            draft.whole.flush()
        draft.done[which] = 1
        bar.update(len(which))
    bar.close()


def _check_stored(folder: str, recipe: dict[str, Any], dataset: BaseDataset) -> None:
    """Check that the bank in a folder is of this recipe, and complete its records."""
    manifest = osp.join(folder, FILES['manifest'])
    with open(manifest, encoding='utf-8') as file:
        stored = json.load(file)
    differences = recipe_differences(stored['recipe'], recipe)
    if differences:
        raise UserError(
            f'{folder}: this bank was made by another recipe: {"; ".join(differences)}; '
            'remove it, or give another `bank`'
        )
    if 'gt_bboxes' not in stored['pictures'][0]:
        _add_objects(manifest, stored, dataset)


def _add_objects(manifest: str, stored: dict[str, Any], dataset: BaseDataset) -> None:
    """Add the objects of the source to a bank of a version whose manifests had none."""
    if is_main_process():
        for i, record in enumerate(stored['pictures']):
            info = dataset.get_data_info(i)
            height, width = record['size_hw']
            objects, _ = clip_boxes(info['gt_bboxes'], height, width, info['img_path'])
            record.update(image_record(info, (height, width), objects))
        with atomic_write(manifest) as file:
            json.dump(stored, file)
        print_log(f'{manifest}: added the objects of its images', 'current')
    barrier()


def build_bank(cfg: Config, bank: Mapping[str, Any]) -> str:
    """Make the bank of a config unless it exists, and check that it fits.

    Args:
        cfg: The experiment; its model names network, sampler and mode.
        bank: Config of the `FeatureBank`, with `bank` and `source`.

    Returns:
        The folder of the bank.

    Raises:
        UserError: A bank of another recipe has this name; every difference is listed.
    """
    model = MODELS.build(cfg.model)
    model.init_weights()
    model.eval()
    if torch.cuda.is_available():
        model.cuda()
    dataset = DATASETS.build(bank['source'])
    folder = osp.abspath(bank['bank'])
    recipe = bank_recipe(model, dataset, bank, ConfigDict(cfg.model).to_dict())
    if osp.isfile(osp.join(folder, FILES['manifest'])):
        _check_stored(folder, recipe, dataset)
        return folder
    if not bank.get('test_mode', False):
        items = (dataset.get_data_info(i) for i in range(len(dataset)))
        grid, labeler = model.sampler.grid, model.sampler.labeler
        report = measure_coverage(items, dataset.metainfo['classes'], grid, labeler)
        print_log('\n'.join(report.table()), 'current')
    records, rows, boxes = plan_rows(model, dataset, bank)
    image = dataset[0]['inputs'].to(model.device)
    windows = model.sampler.grid(tuple(image.shape[-2:]))
    with torch.no_grad():
        probe = model.encoder.describe_patches(image, windows[:1])
    draft = open_draft(folder, recipe, records, rows, tuple(probe.shape[1:]))
    fill(model, dataset, rows['first'], boxes, draft)
    finish_draft(draft, folder)
    return folder


def build_banks(cfg: Config, splits: Sequence[str] = ('train', 'val', 'test')) -> None:
    """Make every bank that the data loaders of a config name."""
    for split in splits:
        loader = cfg.get(f'{split}_dataloader')
        if loader and is_feature_bank(loader.dataset):
            build_bank(cfg, loader.dataset)
