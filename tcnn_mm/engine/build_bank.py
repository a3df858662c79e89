"""Make feature banks: resumable, by any number of processes, complete or absent."""

import copy
import functools
import os.path as osp
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.config import Config, ConfigDict
from mmengine.dataset import BaseDataset
from mmengine.dist import barrier, get_rank, get_world_size, is_main_process
from mmengine.logging import print_log
from torch.utils.data import DataLoader, Subset

from tcnn_mm.datasets.bank_reading import FILES, missing_target, read_rows
from tcnn_mm.datasets.clip_boxes import clip_boxes
from tcnn_mm.datasets.feature_bank import named_banks
from tcnn_mm.datasets.item_sizes import with_sizes
from tcnn_mm.engine.bank_check import check_bank
from tcnn_mm.engine.bank_checksums import row_checksum
from tcnn_mm.engine.bank_contents import Record, image_record, refuse_unknown_items, some_ids
from tcnn_mm.engine.bank_files import (
    BankDraft,
    finish_draft,
    open_draft,
    refuse_other_folder,
    remove_lock,
    sole_builder,
)
from tcnn_mm.engine.bank_recipe import bank_recipe, holds_grid, holds_labels
from tcnn_mm.engine.distributed import on_main_process
from tcnn_mm.engine.earlier_bank import (
    EarlierBank,
    copy_rows,
    digests_of,
    open_earlier,
    size_of,
)
from tcnn_mm.engine.image_digests import replaced_images
from tcnn_mm.engine.progress import progress_bar
from tcnn_mm.errors import UserError
from tcnn_mm.models.patch_model import PatchModel
from tcnn_mm.patches.coverage import measure_coverage
from tcnn_mm.patches.sampler import Patches, RandomKey
from tcnn_mm.patches.windows import Boxes
from tcnn_mm.registry import DATASETS, MODELS

Rows = dict[str, np.ndarray]


def _unlimited(sampler: Any) -> Any:
    """The sampler that draws the whole fixed set; `num_patches` is for online training."""
    sampler = copy.copy(sampler)
    if getattr(sampler, 'num_patches', None):
        sampler.num_patches = None
    return sampler


def _grid_with_labels(sampler: Any) -> Callable[..., Patches]:
    """Its function of the whole grid with the labels of the sampled patches.

    Raises:
        UserError: A sampler without one.
    """
    if not hasattr(sampler, 'label_grid'):
        raise UserError(
            f'FeatureBank: windows=True needs a PatchSampler; found {type(sampler).__name__}'
        )
    return sampler.label_grid


def plan_rows(
    model: PatchModel, dataset: BaseDataset, bank: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], Rows, list[Boxes]]:
    """Decide which patches of which images become rows; only headers of images are read.

    Returns:
        A record per image; the arrays boxes (N, 4), labels (N,), first and sizes (images,); and
        per image the patches as the encoder takes them.
    """
    records, drawn = [], []
    labelled, seed = holds_labels(bank), bank.get('seed', 0)
    sampler = _unlimited(model.sampler)
    draw: Callable[..., Patches] = functools.partial(sampler, training=labelled)
    if labelled and holds_grid(bank):
        draw = _grid_with_labels(sampler)
    for i in range(len(dataset)):
        info = dataset.get_data_info(i)
        size_hw = size_of(info)
        objects, _ = clip_boxes(info['gt_bboxes'], *size_hw, info['img_path'])
        patches = draw(
            size_hw,
            objects,
            info['gt_bboxes_labels'],
            dict(difficult=info['gt_bboxes_difficult']),
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


def _not_finite(features: torch.Tensor) -> np.ndarray:
    """Which rows (p, …) hold NaN or infinity: (p,) bool."""
    return (~features.isfinite().flatten(1).all(1)).cpu().numpy()


@torch.no_grad()
def fill(
    model: PatchModel,
    dataset: BaseDataset,
    rows: Rows,
    boxes: Sequence[Boxes],
    draft: BankDraft,
    batch_size: int = 4,
    num_workers: int = 1,
) -> None:
    """Compute the share of this process: every `world size`-th image that is not done.

    Args:
        rows: Of :func:`plan_rows`, as the draft holds them.
        boxes: Patches of each image.

    Raises:
        UserError: Features with NaN or infinity, with the ids of their images.
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
        patches, starts = [boxes[i] for i in which], rows['first'][np.array(which)]
        bad: set[int] = set()
        for turn in range(draft.features.shape[0]):
            flips = [np.full(len(each), bool(turn)) for each in patches]
            for b, index, part in model.encoder.iter_features(images, patches, flips):
                draft.features[turn, starts[b] + index] = _float16(part)
                bad.update(b[_not_finite(part)].tolist())
        draft.features.flush()
        if draft.whole is not None:
            features = model.whole_features(images)
            bad.update(_not_finite(features).nonzero()[0].tolist())
            draft.whole[which] = _float16(features)
            draft.whole.flush()
        if bad:
            ids = [str(dataset.get_data_info(which[b])['img_id']) for b in sorted(bad)]
            raise UserError(
                f'{draft.folder}: the network gives NaN or infinity for {some_ids(ids)}; they are '
                'not stored. Check model.pretrained, model.frozen_dtype and these images'
            )
        for image in which:
            draft.checksums[image] = row_checksum(draft.features, draft.whole, rows, image)
        draft.checksums.flush()
        draft.done[which] = 1
        bar.update(len(which))
    bar.close()


def bank_model(cfg: Config) -> PatchModel:
    """The model of a config, as it makes banks: with its weights, in eval mode, on a GPU."""
    model = MODELS.build(cfg.model)
    model.init_weights()
    model.eval()
    return model.cuda() if torch.cuda.is_available() else model


def build_bank(
    cfg: Config,
    bank: Mapping[str, Any],
    advice: str | None = None,
    model: PatchModel | None = None,
    earlier: str | None = None,
) -> str:
    """Make the bank of a config unless it exists, and check that it fits.

    Args:
        cfg: The experiment; its model names network, sampler and mode.
        bank: Config of the `FeatureBank`, with `bank` and `source`.
        advice: What to do about a bank of other data; default: how to remove it.
        model: That of :func:`bank_model`, which several banks share. Defaults to a new one.
        earlier: Folder of a bank of the same recipe: the features of images that it has are
            copied, and their files may be gone.

    Returns:
        The folder of the bank.

    Raises:
        UserError: What :func:`check_bank`, :func:`fill` and :func:`sole_builder` refuse; the
            folder is no bank.
    """
    model = model or bank_model(cfg)
    dataset = DATASETS.build(bank['source'])
    refuse_unknown_items(dataset)
    folder = osp.abspath(bank['bank'])
    recipe = bank_recipe(model, dataset, bank, ConfigDict(cfg.model).to_dict())

    def check() -> bool:
        """Whether the bank exists."""
        path = osp.join(folder, FILES['manifest'])
        if not osp.isfile(path) and not missing_target(path):
            return False
        on_main_process(
            lambda: check_bank(
                folder, recipe, dataset, lambda: plan_rows(model, dataset, bank)[1], advice
            )
        )
        return True

    # Without the lock first: a finished bank may be in a folder that cannot be written.
    if check():
        on_main_process(lambda: remove_lock(folder))
        return folder
    refuse_other_folder(folder)
    with sole_builder(folder):
        if not check():
            _make_bank(model, dataset, bank, recipe, folder, open_earlier(earlier, recipe))
    return folder


def _make_bank(
    model: PatchModel,
    dataset: BaseDataset,
    bank: Mapping[str, Any],
    recipe: dict[str, Any],
    folder: str,
    earlier: EarlierBank | None = None,
) -> None:
    """Compute a bank that does not exist."""
    if holds_labels(bank):
        items = with_sizes(dataset.get_data_info(i) for i in range(len(dataset)))
        grid, labeler = model.sampler.grid, model.sampler.labeler
        report = measure_coverage(items, dataset.metainfo['classes'], grid, labeler)
        print_log('\n'.join(report.table()), 'current')
    if is_main_process():  # before anything is read of the images
        digests = digests_of(dataset, earlier)
    records, rows, boxes = plan_rows(model, dataset, bank)
    if is_main_process():
        for record, digest in zip(records, digests, strict=True):
            record['digest'] = digest
    shape = earlier.feature_shape if earlier else _feature_shape(model, dataset)
    draft = open_draft(folder, recipe, records, rows, shape)
    # The rows of a continued draft are those that its file holds.
    stored = read_rows(osp.join(draft.folder, FILES['rows']))
    if earlier:
        on_main_process(lambda: copy_rows(earlier, draft, stored, records))
    fill(model, dataset, stored, boxes, draft)
    barrier()
    on_main_process(lambda: _check_unchanged(folder, dataset, records, earlier))
    finish_draft(draft, folder)


def _feature_shape(model: PatchModel, dataset: BaseDataset) -> tuple[int, ...]:
    """Shape of the features of one patch, by the first image; a head that does not fit them is
    told here, before hours of work.
    """
    image = dataset[0]['inputs'].to(model.device)
    windows = model.sampler.grid(tuple(image.shape[-2:]))
    with torch.no_grad():
        probe = model.encoder.describe_patches(image, windows[:1])
        model.voter.logits(probe.float())
    return tuple(probe.shape[1:])


def _check_unchanged(
    folder: str, dataset: BaseDataset, records: list[Record], earlier: EarlierBank | None
) -> None:
    """Check that no image was replaced while the features were computed."""
    replaced = replaced_images(records, digests_of(dataset, earlier))
    if replaced:
        raise UserError(
            f'{folder}: the files of {some_ids(replaced)} were replaced while the bank was made; '
            'give the command again: only these are computed again'
        )


def build_banks(cfg: Config, splits: Sequence[str] = ('train', 'val', 'test')) -> None:
    """Make every bank that the data loaders of a config name, inside other data sets too."""
    banks = [bank for split in splits for bank in named_banks(cfg, split)]
    model = bank_model(cfg) if banks else None
    for bank in banks:
        build_bank(cfg, bank, model=model)
