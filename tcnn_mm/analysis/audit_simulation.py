"""How many planted errors an audit finds, beside cleanlab's score of labels and a random order.

Errors are planted in the annotations of a data set (:func:`plant_errors`). Features of patches do
not depend on annotations: one bank serves all draws, and each costs the heads of its folds.
"""

import json
import os
import os.path as osp
from collections.abc import Sequence
from dataclasses import replace

from mmengine.registry import init_default_scope

from tcnn_mm.analysis.audit_figures import Record, measure
from tcnn_mm.analysis.draws import (
    draw_images,
    finish_draw,
    list_of,
    read_done,
    splits_of,
    write_draw_config,
)
from tcnn_mm.analysis.planted_errors import Planted, plant_errors
from tcnn_mm.datasets.feature_bank import FeatureBank
from tcnn_mm.datasets.formats.read_data import ReadOptions
from tcnn_mm.datasets.image_records import write_records
from tcnn_mm.engine.build_bank import bank_model, build_bank
from tcnn_mm.errors import UserError
from tcnn_mm.estimator.fit_data import RECORDS, FitData, infos_of, read_folder
from tcnn_mm.estimator.fold_choice import FoldOptions
from tcnn_mm.estimator.fold_training import train_folds
from tcnn_mm.estimator.plan import plan_fit
from tcnn_mm.estimator.training import read_config, write_config
from tcnn_mm.labelling.held_out_run import vote
from tcnn_mm.models.backbones.zoo import find_weights
from tcnn_mm.registry import DATASETS


def audit_simulation(
    data: str | Sequence[str],
    backbone: str,
    out: str,
    draws: int = 3,
    images: int | None = None,
    share: float = 0.05,
    folds: int = 5,
    reading: ReadOptions | None = None,
    steps: int | None = None,
    first: int = 0,
    scales: Sequence[float] | None = None,
    image_labels: bool = False,
) -> list[Record]:
    """Plant errors by the seeds 0, 1 …, audit, and measure; what is done is not done again.

    Args:
        data: As of `tcnn fit`. Images that they name for test are not used.
        backbone: Name of the network.
        out: Folder for everything that is written, audits.json among it.
        draws: Number of seeds.
        images: Of each draw. Defaults to all.
        share: Of the boxes (without boxes, of the labels) that get an error.
        folds: Of each cross-validation.
        reading: How the data are read.
        steps: Of each head. Defaults to those of a fit.
        first: The first seed.
        scales: λ. Defaults to those of a fit.
        image_labels: Train on the labels of images alone; boxes are dropped.

    Returns:
        Per draw what :func:`measure` gives, and its seed.

    Raises:
        UserError: What :func:`plan_fit` refuses; draws in OUT that have other settings.
    """
    init_default_scope('mmpretrain')
    out = osp.abspath(out)
    options = replace(reading or ReadOptions(), skip=(out,))
    found = read_folder(data, osp.join(out, 'splits'), options, folds=FoldOptions(folds))
    found = without_boxes(found) if image_labels else found
    plan = plan_fit(found, backbone, find_weights(backbone), out, scales)
    path = write_config(plan)
    cfg = read_config(path)
    model = bank_model(cfg)
    features = build_bank(cfg, cfg.train_dataloader.dataset, model=model)
    settings = dict(images=images, share=share, folds=folds, steps=steps)
    done = osp.join(out, 'audits.json')
    records = read_done(done)
    _check_settings(done, records, settings)
    for seed in range(first, first + draws):
        if any(record['seed'] == seed for record in records):
            continue
        folder = osp.join(out, 'draws', str(seed))
        config, planted = write_draw(path, folder, images, folds, share, seed, steps)
        bank = read_config(config).train_dataloader.dataset
        build_bank(read_config(config), bank, model=model, earlier=features)
        train_folds(config)
        measured = measure(vote(read_config(config)), planted)
        records.append(dict(seed=seed, settings=settings, **measured))
        finish_draw(done, records, folder)
    return records


def _check_settings(path: str, records: Sequence[Record], settings: Record) -> None:
    """Raise a UserError where draws that are done have other settings."""
    for record in records:
        if record['settings'] != settings:
            raise UserError(
                f'{path}: measured with {record["settings"]}, now asked for {settings}; give '
                'another --out'
            )


def without_boxes(data: FitData) -> FitData:
    """The same images with their labels alone; an image with difficult objects only has a label."""
    with open(data.source['ann_file'], encoding='utf-8') as file:
        content = json.load(file)
    records = [
        dict(
            {key: record[key] for key in ('id', 'file', 'size_hw')},
            labels=sorted({*record['labels'], *record['box_labels']}),
        )
        for record in content['images']
    ]
    path = osp.join(data.lists, 'image_labels.json')
    write_records(path, content['classes'], records)
    source = dict(data.source, ann_file=path)
    infos = {info['img_id']: info for info in infos_of(DATASETS.build(dict(source)))}
    train = [infos[info['img_id']] for info in data.train]
    return replace(data, weak=True, source=source, train=train, pointing=False)


def write_draw(
    path: str,
    folder: str,
    images: int | None,
    folds: int,
    share: float,
    seed: int,
    steps: int | None = None,
) -> tuple[str, list[Planted]]:
    """Write annotations with errors, lists of folds and a config; returns its path, the errors."""
    cfg = read_config(path)
    with open(cfg.train_dataloader.dataset.source.ann_file, encoding='utf-8') as file:
        content = json.load(file)
    weak = bool(cfg.train_dataloader.dataset.get('test_mode'))
    bank = FeatureBank(cfg.train_dataloader.dataset.bank, test_mode=True, windows=not weak)
    known = [record['img_id'] for record in bank.manifest['pictures']]
    if images is not None and images > len(known):
        raise UserError(f'{path}: {images} of {len(known)} images cannot be drawn; give fewer')
    ids = [known[n] for n in draw_images(len(known), images, seed)]
    mine = {record['id']: record for record in content['images']}
    classes = content['classes']
    records, planted = plant_errors([mine[i] for i in ids], len(classes), share, seed)
    os.makedirs(splits_of(folder), exist_ok=True)
    file_of_records = osp.join(splits_of(folder), RECORDS)
    write_records(file_of_records, classes, records)
    labels = [{*record['labels'], *record.get('box_labels', ())} for record in records]
    source = dict(ann_file=file_of_records, ids=list_of(folder))
    dataset = dict(bank=osp.join(folder, 'banks', 'train'), source=source)
    config = write_draw_config(path, folder, ids, labels, folds, seed, bank, weak, dataset, steps)
    return config, planted
