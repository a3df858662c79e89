"""From a folder of annotated pictures to a tested classifier; what `tools/fit.py` does.

Each step leaves files, and a step whose files are there is not done again: a command that was
interrupted goes on when it is given once more.
"""

import argparse
import csv
import json
import os
import os.path as osp
from typing import NamedTuple

import numpy as np
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from tcnn_mm.apis.backbones import BACKBONES, Weights, find_weights
from tcnn_mm.apis.fit_config import config_text
from tcnn_mm.datasets.coco_objects import coco_classes, read_coco
from tcnn_mm.datasets.image_list import read_image_labels
from tcnn_mm.datasets.recognise import recognise
from tcnn_mm.datasets.stratified_split import split_roles
from tcnn_mm.datasets.voc_xml import parse_voc_xml
from tcnn_mm.engine.bank import build_bank
from tcnn_mm.engine.launch import load_config
from tcnn_mm.engine.progress import progress_bar
from tcnn_mm.engine.voc_results import replacing
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.chance import chance_ap
from tcnn_mm.image_labels import image_labels
from tcnn_mm.patches.coverage import measure_coverage
from tcnn_mm.patches.grid import PatchGrid
from tcnn_mm.registry import DATASETS, MODELS

# λ of the follow-up's six test scales on VOC's pictures; weak labels cannot ask for others.
WEAK_SCALES = (1.0, 1.2, 1.7, 2.3, 3.3, 4.7)


class FitPlan(NamedTuple):
    """All that the config says; the same data and flags make the same plan.

    Attributes:
        source (dict): Data set config of the pictures, without what differs between the parts;
            `sources` has that, by role. counts: pictures by role. rows: patches to train on
            (pictures if weak). reasons: why these scales, in words.
    """

    backbone: str
    weights: Weights
    said: str
    weak: bool
    classes: list
    source: dict
    sources: dict
    counts: dict
    scales: tuple
    reasons: list
    rows: int
    seed: int
    out: str


def voc_classes(parts):
    """Names of all objects of a VOC folder's lists, sorted."""
    names = set()
    for part in parts.values():
        with open(osp.join(part['data_root'], part['ann_file']), encoding='utf-8-sig') as file:
            ids = file.read().split()
        for image_id in ids:
            xml = osp.join(part['data_root'], 'Annotations', f'{image_id}.xml')
            names.update(o['name'] for o in parse_voc_xml(xml, allow_empty=True)['objects'])
    return sorted(names)


def open_parts(layout, splits):
    """The parts of a layout as built data sets with one list of classes.

    Args:
        splits (str): Folder for a list of all ids, where a VOC folder has none.

    Returns:
        tuple[dict, dict, list]: data sets by role, their configs by role, class names.
    """
    parts = {role: dict(part) for role, part in layout.parts.items()}
    if layout.kind == 'voc':
        for part in parts.values():
            part['allow_empty'] = True
            if part['ann_file'] is None:
                part['ann_file'] = write_list(splits, 'all', xml_ids(part['data_root']))
        classes = voc_classes(parts)
    elif layout.kind == 'coco':
        named = [coco_classes(read_coco(part['ann_file'])) for part in parts.values()]
        classes = list(dict.fromkeys(name for mine in named for name in mine))
    else:
        labels = [read_image_labels(p['data_root'], p.get('ann_file', '')) for p in parts.values()]
        classes = sorted({name for part in labels for mine in part.values() for name in mine})
    metainfo = dict(classes=tuple(classes))
    built = {role: DATASETS.build(dict(part, metainfo=metainfo)) for role, part in parts.items()}
    return built, parts, classes


def xml_ids(root):
    """Ids of a VOC folder's annotations, sorted."""
    names = os.listdir(osp.join(root, 'Annotations'))
    return sorted(osp.splitext(name)[0] for name in names if name.endswith('.xml'))


def write_list(folder, name, ids):
    """Write FOLDER/NAME.txt, one id a line; returns its path."""
    os.makedirs(folder, exist_ok=True)
    path = osp.join(folder, f'{name}.txt')
    with replacing(path) as file:
        file.write('\n'.join(ids) + '\n')
    return path


def make_plan(data, backbone, out, weights=None, pixels=None, scales=None, seed=0):
    """Look at the data, split them, choose the scales; writes the lists into `out`/splits.

    Raises:
        UserError: What recognising, reading and finding weights refuse; a class too few.
    """
    found = find_weights(backbone, weights, pixels)
    layout = recognise(data)
    print_log(f'found {layout.said}', 'current')
    splits = osp.join(out, 'splits')
    built, parts, classes = open_parts(layout, splits)
    infos = {r: [d.get_data_info(i) for i in range(len(d))] for r, d in built.items()}
    known = {role: [info['img_id'] for info in mine] for role, mine in infos.items()}
    labels = {role: [info['gt_label'] for info in mine] for role, mine in infos.items()}
    try:
        roles = split_roles(known, labels, seed)
    except ValueError as error:
        raise UserError(f'{data}: {error}') from error
    empty = [role for role, (_, ids) in roles.items() if not ids]
    if empty or not classes:
        what = f'no picture left for {empty[0]}' if empty else 'no class'
        raise UserError(f'{data}: {what}; {sum(map(len, known.values()))} pictures in all')
    for role, (of, ids) in roles.items():
        write_list(splits, role, ids)
        drawn = '' if of == role else f' (drawn from {of}, seed {seed})'
        print_log(f'{role}: {len(ids)} pictures{drawn}', 'current')
    shared = set.intersection(*({(k, repr(v)) for k, v in p.items()} for p in parts.values()))
    keys = {key for key, _ in shared}
    of_train, ids = roles['train'][0], set(roles['train'][1])
    train = [info for info in infos[of_train] if info['img_id'] in ids]
    plan = FitPlan(
        backbone=backbone,
        weights=found,
        said=layout.said,
        weak=layout.weak,
        classes=classes,
        source={k: v for k, v in parts[of_train].items() if k in keys},
        sources={
            role: {k: v for k, v in parts[of].items() if k not in keys}
            for role, (of, _) in roles.items()
        },
        counts={role: len(ids) for role, (_, ids) in roles.items()},
        scales=tuple(scales or WEAK_SCALES),
        reasons=[],
        rows=len(train),
        seed=seed,
        out=out,
    )
    if layout.weak:
        print_log(f'no boxes, so no coverage to measure: λ = {plan.scales}', 'current')
        return plan
    return choose_plan_scales(plan, train, scales)


def choose_plan_scales(plan, items, scales):
    """A plan with the scales that its objects need, or those asked for, and its number of rows."""
    sampler = build_sampler(plan)
    grid, labeler = sampler.grid, sampler.labeler
    if scales:
        grid = with_scales(grid, scales)
    report = measure_coverage(items, plan.classes, grid, labeler)
    print_log('\n'.join(report.table()), 'current')
    reasons = (
        ['as asked for'] if scales else ["the paper's nine scales name objects of every class"]
    )
    if not scales and report.suggestion:
        print_log('these scales are taken; others: --scales', 'current')
        reasons = report.reasons()[:-2]  # without the lines to paste
        grid = with_scales(grid, report.choice.scales)
        report = measure_coverage(items, plan.classes, grid, labeler)
        print_log('with them:\n' + '\n'.join(report.table(advice=False)), 'current')
    if not report.labelled[:-2].sum():
        raise UserError('no patch is named by an object: give --scales (larger λ, smaller patches)')
    rows = report.labelled[:-2].sum() + sampler.background_share * report.labelled[-2]
    return plan._replace(scales=grid.scales, reasons=reasons, rows=int(rows))


def with_scales(grid, scales):
    """The same grid at other scales."""
    return PatchGrid(scales, grid.overlap, grid.size, grid.stride, grid.snap)


def build_sampler(plan):
    """The sampler of the plan's model, without loading weights."""
    base = f'tcnn_mm::_base_/models/{BACKBONES[plan.backbone].config}'
    cfg = Config.fromstring(f"_base_ = '{base}'", '.py')
    model = dict(cfg.model, pretrained=None)
    model['head'] = dict(model['head'], num_classes=len(plan.classes))
    return MODELS.build(model).sampler


def write_config(plan):
    """OUT/config.py; one that stands there must be of the same plan.

    Raises:
        UserError: A config of other data, flags, or by another hand.
    """
    path, text = osp.join(plan.out, 'config.py'), config_text(plan)
    if osp.isfile(path):
        with open(path, encoding='utf-8') as file:
            if file.read() != text:
                raise UserError(
                    f'{path}: of other data or settings than this command, or changed by hand; '
                    f'run it by tools/train.py {path}, or give another --out'
                )
        print_log(f'{path} is there: going on', 'current')
        return path
    with replacing(path) as file:
        file.write(text)
    print_log(f'wrote {path}', 'current')
    return path


class EpochBar(Hook):
    """Epochs done, the loss and the time left."""

    def before_train(self, runner):
        self.bar = progress_bar(runner.max_epochs, 'epoch')
        self.bar.update(runner.epoch)

    def after_train_epoch(self, runner):
        loss = runner.message_hub.get_scalar('train/loss').mean()
        self.bar.set_postfix_str(f'loss {loss:.3f}', refresh=False)
        self.bar.update()

    def after_train(self, runner):
        self.bar.close()


def read_config(path):
    """The written config, as the tools read it, without the toolbox's long log."""
    names = dict(config=path, server=False, cfg_options=None, launcher='none', work_dir=None)
    cfg = load_config(argparse.Namespace(**names, local_rank=0, trust_checkpoint=False))
    cfg.log_level = 'WARNING'
    return cfg


def train(path):
    """Train the config, or go on with it; returns the last checkpoint."""
    cfg = read_config(path)
    last = osp.join(cfg.work_dir, f'epoch_{cfg.train_cfg.max_epochs}.pth')
    if osp.isfile(last) and osp.isfile(osp.join(cfg.work_dir, 'image_scores_val.csv')):
        return last
    cfg.resume = True  # from the newest checkpoint of the folder, if there is one
    cfg.experiment_name = f'fit_train_{os.getpid()}'
    runner = Runner.from_cfg(cfg)
    runner.register_hook(EpochBar(), priority='LOWEST')
    runner.train()
    return last


def score_table(path):
    """image_scores.csv → {id: [score, …]}."""
    with open(path, encoding='utf-8', newline='') as file:
        rows = list(csv.reader(file))[1:]
    return {row[0]: [float(x) for x in row[1:]] for row in rows}


def bank_labels(bank):
    """Ids and labels (N, K) of {1, 0, -1} of a bank's pictures."""
    with open(osp.join(bank, 'manifest.json'), encoding='utf-8') as file:
        manifest = json.load(file)
    pictures, num = manifest['pictures'], len(manifest['classes'])
    rows = [image_labels(p['gt_label'], p['gt_label_difficult'], num) for p in pictures]
    return [p['img_id'] for p in pictures], np.stack(rows)


def choose_thresholds(out, checkpoint, classes):
    """Thresholds of best F1 on val, stored in the checkpoint; → {class: threshold}."""
    from tcnn_mm.engine.checkpoint_meta import store_thresholds
    from tcnn_mm.evaluation.thresholds import best_thresholds

    ids, labels = bank_labels(osp.join(out, 'banks', 'val'))
    table = score_table(osp.join(out, 'run', 'image_scores_val.csv'))
    values, _ = best_thresholds(np.array([table[i] for i in ids]), labels)
    thresholds = dict(zip(classes, values.tolist(), strict=True))
    store_thresholds(checkpoint, thresholds, f'{len(ids)} pictures of val')
    return thresholds


def test(path, checkpoint, overlays=20):
    """Test on the windows of the test pictures; draws overlays of some of them."""
    cfg = read_config(path)
    cfg.load_from = checkpoint
    cfg.experiment_name = f'fit_test_{os.getpid()}'
    cfg.train_dataloader = cfg.train_cfg = cfg.optim_wrapper = cfg.param_scheduler = None
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    interval = max(1, len(DATASETS.build(cfg.test_dataloader.dataset)) // overlays)
    # Undamped, the border wins: few patches cover it.
    hook = dict(type='tcnn_mm.ScoreMapHook', max_images=overlays, interval=interval, damping=20)
    cfg.custom_hooks = [*cfg.custom_hooks, hook]
    Runner.from_cfg(cfg).test()


def result_lines(out, thresholds):
    """AP of each class beside what random scores would get, and its threshold."""
    with open(osp.join(out, 'run', 'voc_ap.json'), encoding='utf-8') as file:
        report = json.load(file)[0]
    _, labels = bank_labels(osp.join(out, 'banks', 'test'))
    wide = max(map(len, [*report['classes'], 'class']))
    lines = [
        f'{report["metric"]} on {report["images"]} test pictures; at random: what scores drawn '
        'at random get, which is high for a common class',
        f'{"class":{wide}}    AP %  at random %  pictures  threshold',
    ]
    chances = []
    for k, (name, row) in enumerate(report['classes'].items()):
        chance = chance_ap(labels[:, k], report['metric'])
        chances.append(chance)
        ap = float('nan') if row['ap'] is None else row['ap']
        lines.append(
            f'{name:{wide}}  {100 * ap:6.1f}  {100 * chance:11.1f}  {row["positives"]:8d}  '
            f'{thresholds[name]:9.2g}'
        )
    mean = float('nan') if report['mAP'] is None else report['mAP']
    chance = np.nanmean(chances) if np.isfinite(chances).any() else float('nan')
    return [*lines, f'{"mean":{wide}}  {100 * mean:6.1f}  {100 * chance:11.1f}']


def fit(data, backbone, out, **options):
    """All steps; returns the checkpoint. Options as of :func:`make_plan`."""
    from tcnn_mm.apis.report import write_report

    init_default_scope('mmpretrain')
    out = osp.abspath(out)
    os.makedirs(out, exist_ok=True)
    steps = iter(range(1, 7))

    def say(text):
        print_log(f'[{next(steps)}/6] {text}', 'current')

    say('looking at the data')
    plan = make_plan(data, backbone, out, **options)
    path = write_config(plan)
    say('features of all patches, by the frozen network (once; an interrupted run goes on)')
    cfg = read_config(path)
    for role in ('train', 'val', 'test'):
        print_log(f'{role}: {plan.counts[role]} pictures', 'current')
        build_bank(cfg, cfg[f'{role}_dataloader'].dataset)
    say('training the two layers')
    checkpoint = train(path)
    say('thresholds, chosen on val')
    thresholds = choose_thresholds(out, checkpoint, plan.classes)
    say('testing')
    test(path, checkpoint)
    lines = result_lines(out, thresholds)
    with replacing(osp.join(out, 'results.txt')) as file:
        file.write('\n'.join(lines) + '\n')
    print('\n'.join(lines))
    say('report')
    run = osp.join(out, 'run')
    page = write_report(run, osp.join(out, 'report.html'), pictures=4)
    print(
        f'checkpoint {checkpoint}\noverlays   {osp.join(run, "score_maps")}\nreport     {page}\n'
        f'name new pictures: python tools/predict.py PICTURE --checkpoint {checkpoint} --out DIR'
    )
    return checkpoint
