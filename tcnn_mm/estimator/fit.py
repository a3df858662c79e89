"""From a folder of annotated pictures to a tested classifier; what `tcnn fit` does.

Each step leaves files, and a step whose files are there is not done again: a command that was
interrupted goes on when it is given once more.
"""

import json
import os
import os.path as osp

import numpy as np
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.checkpoints.metadata import store_thresholds
from tcnn_mm.datasets.image_labels import image_labels
from tcnn_mm.engine.build_bank import build_bank
from tcnn_mm.engine.load_config import load_config
from tcnn_mm.engine.progress import progress_bar
from tcnn_mm.errors import UserError
from tcnn_mm.estimator.fit_config import config_text
from tcnn_mm.estimator.plan import make_plan
from tcnn_mm.evaluation.chance import chance_ap
from tcnn_mm.evaluation.thresholds import best_thresholds
from tcnn_mm.patches.geometry import DAMPING
from tcnn_mm.registry import DATASETS
from tcnn_mm.reports.report import write_report
from tcnn_mm.reports.run_artifacts import read_scores


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
    with atomic_write(path) as file:
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
    cfg = load_config(path)
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


def bank_labels(bank):
    """Ids and labels (N, K) of {1, 0, -1} of a bank's pictures."""
    with open(osp.join(bank, 'manifest.json'), encoding='utf-8') as file:
        manifest = json.load(file)
    pictures, num = manifest['pictures'], len(manifest['classes'])
    rows = [image_labels(p['gt_label'], p['gt_label_difficult'], num) for p in pictures]
    return [p['img_id'] for p in pictures], np.stack(rows)


def choose_thresholds(out, checkpoint, classes):
    """Thresholds of best F1 on val, stored in the checkpoint; → {class: threshold}."""
    ids, labels = bank_labels(osp.join(out, 'banks', 'val'))
    scores = read_scores(osp.join(out, 'run', 'image_scores_val.csv'))
    row = {image_id: at for at, image_id in enumerate(scores.ids)}
    values, _ = best_thresholds(scores.values[[row[i] for i in ids]], labels)
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
    hook = dict(
        type='tcnn_mm.ScoreMapHook', max_images=overlays, interval=interval, damping=DAMPING
    )
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
    with atomic_write(osp.join(out, 'results.txt')) as file:
        file.write('\n'.join(lines) + '\n')
    print('\n'.join(lines))
    say('report')
    run = osp.join(out, 'run')
    page = write_report(run, osp.join(out, 'report.html'), images=4)
    print(
        f'checkpoint {checkpoint}\noverlays   {osp.join(run, "score_maps")}\nreport     {page}\n'
        f'name new pictures: tcnn predict PICTURE --checkpoint {checkpoint} --out DIR'
    )
    return checkpoint
