"""Make a feature bank: resumable, by any number of processes, complete or absent."""

import hashlib
import json
import os
import os.path as osp
import shutil

import numpy as np
import torch
from mmengine.config import ConfigDict
from mmengine.dist import barrier, get_rank, get_world_size, is_main_process
from mmengine.logging import print_log
from torch.utils.data import DataLoader

from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.checkpoints.loading import file_digest
from tcnn_mm.datasets.feature_bank import FILES, recipe_differences
from tcnn_mm.datasets.formats.voc_xml import clip_boxes
from tcnn_mm.datasets.image_io import image_size
from tcnn_mm.engine.progress import progress_bar
from tcnn_mm.errors import UserError
from tcnn_mm.patches.coverage import measure_coverage
from tcnn_mm.patches.sampler import RandomKey
from tcnn_mm.registry import DATASETS, MODELS


def public(part):
    """Plain settings of a grid, labeler or sampler."""
    kept = (str, int, float, bool, tuple, list, type(None))
    return {k: v for k, v in vars(part).items() if k[0] != '_' and isinstance(v, kept)}


def bank_recipe(model, dataset, bank, parts):
    """Everything that a bank's numbers depend on.

    Args:
        model (PatchClassifier): Built from the config.
        dataset (VOCObjects): The source, built.
        bank (dict): The config of the `FeatureBank`.
        parts (dict): The config of the model: two layers of one network have the same weights.
    """
    if not model.pretrained:
        raise UserError(
            'a feature bank needs model.pretrained: the weights of another run would be others'
        )
    if not hasattr(model.sampler, 'grid'):
        raise UserError(
            f'a feature bank holds the patches of a grid; {type(model.sampler).__name__} has none'
        )
    ids = [dataset.get_data_info(i)['img_id'] for i in range(len(dataset))]
    test_mode = bool(bank.get('test_mode', False))
    sampler = dict(grid=public(model.sampler.grid))
    if not test_mode:
        sampler.update(labeler=public(model.sampler.labeler), seed=bank.get('seed', 0))
        sampler['background_share'] = model.sampler.background_share
    return dict(
        network=dict(
            backbone=parts['backbone'],
            neck=parts.get('neck'),
            weights=file_digest(model.pretrained),
            layers_below=list(model.encoder.layers_below),
            feature_mode=model.feature_mode,
            dtype=str(model.frozen_dtype),
            preprocessing=dict(model.preprocessing),
        ),
        sampler=sampler,
        source=dict(
            pictures=len(ids),
            ids=hashlib.sha256('\n'.join(ids).encode()).hexdigest()[:16],
            classes=list(dataset.metainfo['classes']),
        ),
        patches='all' if test_mode else 'sampled, and the whole picture',
        flips=bool(bank.get('flips', not test_mode)),
    )


def picture_record(info, size_hw, objects):
    """What a manifest keeps of a picture: its id, its labels and its objects (N, 4)."""
    record = {k: info[k] for k in ('img_id', 'img_path', 'gt_label', 'gt_label_difficult')}
    return dict(
        record,
        size_hw=list(size_hw),
        gt_bboxes=objects.tolist(),
        gt_bboxes_labels=info['gt_bboxes_labels'].tolist(),
        gt_bboxes_difficult=info['gt_bboxes_difficult'].tolist(),
    )


def plan_rows(model, dataset, bank):
    """Which patches of which pictures become rows; no pixel is read but the headers'.

    Returns:
        tuple[list, dict]: a record of each picture, and arrays boxes (N, 4), labels (N,), first
        and sizes (pictures,).
    """
    pictures, boxes, labels = [], [], []
    test_mode = bool(bank.get('test_mode', False))
    sampler, limit = model.sampler, getattr(model.sampler, 'num_patches', None)
    if limit:  # the whole fixed set: what one epoch takes of it is for online training
        sampler.num_patches = None
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
            key=RandomKey(bank.get('seed', 0), 0, info['img_id']),
        )
        boxes.append(patches.xyxy)
        labels.append(patches.label)
        pictures.append(picture_record(info, size_hw, objects))
    if limit:
        sampler.num_patches = limit
    sizes = np.array([len(b) for b in boxes], np.int64)
    first = np.concatenate([[0], sizes.cumsum()[:-1]])
    rows = dict(boxes=np.concatenate(boxes), labels=np.concatenate(labels))
    return pictures, dict(rows, first=first, sizes=sizes)


def whole_shape(recipe, pictures, feature_shape):
    """Shape of the whole pictures' features; None where the bank holds none."""
    flat = len(feature_shape) == 1 and recipe['patches'] != 'all'
    return (len(pictures), *feature_shape) if flat else None


def open_draft(folder, recipe, pictures, rows, feature_shape):
    """The unfinished bank beside its place: taken up again if it has the same recipe.

    Raises:
        UserError: Not enough room on the disk.
    """
    draft = folder + '.part'
    shape = (1 + recipe['flips'], len(rows['labels']), *feature_shape)
    need = int(np.prod(shape)) * 2
    whole = whole_shape(recipe, pictures, feature_shape)
    if is_main_process():
        known = osp.join(draft, FILES['manifest'])
        if osp.isfile(known):
            with open(known, encoding='utf-8') as file:
                if recipe_differences(json.load(file)['recipe'], recipe):
                    shutil.rmtree(draft)
        if not osp.isfile(known):
            os.makedirs(draft, exist_ok=True)
            free = shutil.disk_usage(draft).free
            print_log(
                f'feature bank {folder}: {shape[1]} patches of {len(pictures)} pictures × '
                f'{shape[0]} × {"×".join(map(str, feature_shape))} float16, '
                f'{need / 1e9:.2f} GB of disk ({free / 1e9:.1f} GB free)',
                'current',
            )
            if need * 1.02 > free:
                os.rmdir(draft)
                raise UserError(
                    f'{folder}: needs {need / 1e9:.2f} GB, the disk has {free / 1e9:.1f} GB free'
                )
            np.savez(osp.join(draft, FILES['rows']), **rows)
            files = [(FILES['features'], need), (FILES['done'], len(pictures))]
            if whole:
                files.append((FILES['whole'], whole[0] * whole[1] * 2))
            for name, size in files:
                with open(osp.join(draft, name), 'wb') as file:
                    file.truncate(size)
            classes = recipe['source']['classes']
            manifest = dict(recipe=recipe, shape=shape, classes=classes, pictures=pictures)
            # Last: a draft with a manifest has all its files.
            with atomic_write(known) as file:
                json.dump(manifest, file)
    barrier()
    features = np.memmap(osp.join(draft, FILES['features']), np.float16, mode='r+', shape=shape)
    done = np.memmap(osp.join(draft, FILES['done']), np.uint8, mode='r+')
    if whole:
        path = osp.join(draft, FILES['whole'])
        whole = np.memmap(path, np.float16, mode='r+', shape=whole)
    return draft, features, whole, done


def float16(features):
    """Tensor → numpy float16; what is too large becomes the largest."""
    return features.clamp(-65504, 65504).half().cpu().numpy()


@torch.no_grad()
def fill(model, dataset, rows, features, whole, done, batch_size=4, num_workers=1):
    """Compute this process's share of the pictures: every `world size`-th that is not done."""
    mine = [i for i in range(get_rank(), len(dataset), get_world_size()) if not done[i]]
    loader = DataLoader(
        torch.utils.data.Subset(dataset, mine),
        batch_size=batch_size,
        num_workers=num_workers,
        collate_fn=list,
    )
    bar = progress_bar(len(mine), 'image')
    at = 0
    for items in loader:
        which = mine[at : at + len(items)]
        at += len(items)
        images = [item['inputs'].to(model.device) for item in items]
        boxes = [rows['boxes'][rows['first'][i] :][: rows['sizes'][i]] for i in which]
        for turn in range(features.shape[0]):
            flips = [np.full(len(mine_), bool(turn)) for mine_ in boxes]
            for b, index, part in model.encoder.iter_features(images, boxes, flips):
                features[turn, rows['first'][np.array(which)[b]] + index] = float16(part)
        features.flush()
        if whole is not None:
            whole[which] = float16(model.whole_features(images))
            whole.flush()
        done[which] = 1
        bar.update(len(which))
    bar.close()


def build_bank(cfg, bank):
    """Make the bank of a config unless it is there, and check that it fits.

    Args:
        cfg (Config): The experiment; its model names network, sampler and mode.
        bank (dict): Config of the `FeatureBank`, with `bank` and `source`.

    Raises:
        UserError: A bank of another recipe stands there; every difference is named.
    """
    model = MODELS.build(cfg.model)
    model.init_weights()
    model.eval()
    if torch.cuda.is_available():
        model.cuda()
    dataset = DATASETS.build(bank['source'])
    folder = osp.abspath(bank['bank'])
    recipe = bank_recipe(model, dataset, bank, ConfigDict(cfg.model).to_dict())
    manifest = osp.join(folder, FILES['manifest'])
    if osp.isfile(manifest):
        with open(manifest, encoding='utf-8') as file:
            stored = json.load(file)
        differences = recipe_differences(stored['recipe'], recipe)
        if differences:
            raise UserError(
                f'{folder}: this bank was made by another recipe: {"; ".join(differences)}; '
                'remove it, or give another `bank`'
            )
        if 'gt_bboxes' not in stored['pictures'][0]:
            add_objects(manifest, stored, dataset)
        return folder
    if not bank.get('test_mode', False):
        items = (dataset.get_data_info(i) for i in range(len(dataset)))
        grid, labeler = model.sampler.grid, model.sampler.labeler
        report = measure_coverage(items, dataset.metainfo['classes'], grid, labeler)
        print_log('\n'.join(report.table()), 'current')
    pictures, rows = plan_rows(model, dataset, bank)
    probe = model.encoder.describe_patches(
        dataset[0]['inputs'].to(model.device),
        model.sampler.grid(dataset[0]['inputs'].shape[-2:])[:1],
    )
    shape = tuple(probe.shape[1:])
    draft, features, whole, done = open_draft(folder, recipe, pictures, rows, shape)
    fill(model, dataset, rows, features, whole, done)
    barrier()
    if is_main_process():
        missing = int((np.asarray(done) == 0).sum())
        if missing:
            raise UserError(f'{draft}: {missing} pictures are missing; run the command again')
        os.remove(osp.join(draft, FILES['done']))
        os.replace(draft, folder)
        print_log(f'feature bank complete: {folder}', 'current')
    barrier()
    return folder


def add_objects(manifest, stored, dataset):
    """Give a bank that was made before manifests held objects the ones of its source."""
    if is_main_process():
        for i, picture in enumerate(stored['pictures']):
            info = dataset.get_data_info(i)
            objects, _ = clip_boxes(info['gt_bboxes'], *picture['size_hw'], info['img_path'])
            picture.update(picture_record(info, picture['size_hw'], objects))
        with atomic_write(manifest) as file:
            json.dump(stored, file)
        print_log(f'{manifest}: added the objects of its pictures', 'current')
    barrier()


def build_banks(cfg, splits=('train', 'val', 'test')):
    """Make every bank that the config's data loaders name."""
    for split in splits:
        loader = cfg.get(f'{split}_dataloader')
        if loader and str(loader.dataset.get('type')).endswith('FeatureBank'):
            build_bank(cfg, loader.dataset)
