"""What the votes are worth: the same frozen features without patches, on the same pictures.

    python tools/compare_baselines.py configs/mixing/tcnn_mobilenetv2_voc07.py
    python tools/compare_baselines.py CONFIG --whole-only --full    # the sanity check, seconds

Four classifiers of whole pictures on the config's backbone (trained and scored on the config's
data): the picture squashed to one patch, and the mean of all the grid's windows, each with one
logistic regression a class and with the method's own head (FCa, FCb; K sigmoid outputs, log-loss,
the same optimizer). Difficult-only classes are left out of training and of AP.
"""

import argparse
import json

import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

from tcnn_mm.datasets import FeatureBank
from tcnn_mm.engine.launch import add_common_arguments, load_config, run_tool
from tcnn_mm.evaluation.average_precision import image_labels, voc_ap
from tcnn_mm.patches.crop import iter_patches
from tcnn_mm.registry import DATASETS, MODELS


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_common_arguments(parser)
    parser.add_argument('--whole-only', action='store_true', help='skip the windows (the cost)')
    parser.add_argument('--full', action='store_true', help="ignore the config's lists of ids")
    parser.add_argument('--seeds', type=int, default=3, help='of the head')
    parser.add_argument('--subset', nargs='*', help="classes of the mean; default: the metric's")
    parser.add_argument('--mode', default='voc07', choices=['voc07', 'voc10'])
    parser.add_argument('--json', help='write the table here too')
    return parser.parse_args()


@torch.no_grad()
def describe(model, dataset, windows):
    """Features and labels of a data set's pictures; windows come from a bank where it is one.

    Returns:
        tuple[dict, ndarray]: {'whole picture': (N, D), 'mean of windows': (N, D)} and labels
        (N, K) in {1, 0, -1}.
    """
    bank = dataset if isinstance(dataset, FeatureBank) else None
    pictures = dataset
    if bank:
        pictures = DATASETS.build(dict(bank.source, ids=bank.ids) if bank.ids else bank.source)
    whole, means, labels = [], [], []
    for i in tqdm(range(len(pictures)), mininterval=5, unit='image'):
        item = pictures[i]
        image, sample = item['inputs'].to(model._mean.device), item['data_samples']
        height, width = image.shape[-2:]
        squashed = next(
            iter_patches(
                model.prepare_image(image), [[0, 0, width, height]], model.preprocessing['size']
            )
        )[1]
        whole.append(model.frozen_features(squashed)[0].cpu().numpy())
        if bank:
            means.append(bank[i]['inputs'].float().mean(0).numpy())
        elif windows:
            boxes = model.sampler.grid((height, width))
            means.append(model.describe_patches(image, boxes).mean(0).cpu().numpy())
        num = model.head.num_classes
        labels.append(image_labels(sample.gt_label, sample.gt_label_difficult, num))
    rows = {'whole picture': np.stack(whole)}
    if means:
        rows['mean of windows'] = np.stack(means)
    return rows, np.stack(labels)


def logistic_regression(train, labels, test):
    """One logistic regression a class on standardised features: (N, D), (N, K) → (M, K)."""
    from sklearn.linear_model import LogisticRegression

    mean, std = train.mean(0), train.std(0) + 1e-6
    train, test = (train - mean) / std, (test - mean) / std
    scores = np.zeros((len(test), labels.shape[1]))
    for k in range(labels.shape[1]):
        known = labels[:, k] != 0
        if len(np.unique(labels[known, k])) == 2:
            model = LogisticRegression(C=0.01, max_iter=1000)
            scores[:, k] = model.fit(train[known], labels[known, k]).decision_function(test)
    return scores


def adaptation_head(train, labels, test, head_cfg, seed, steps=1500, batch=128):
    """The method's head on whole-picture features; lr 0.01, ÷10 after 2/3 and 8/9 of the steps."""
    torch.manual_seed(seed)
    head = MODELS.build(dict(head_cfg, background=False))
    head.init_weights()
    head.train()
    optimizer = torch.optim.SGD(head.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2 * steps // 3, 8 * steps // 9])
    x, y = torch.from_numpy(train).float(), torch.from_numpy(labels)
    for _ in range(steps):
        pick = torch.randperm(len(x))[:batch]
        target, known = (y[pick] > 0).float(), (y[pick] != 0).float()
        logits = head((x[pick],))
        each = F.binary_cross_entropy_with_logits(logits, target, known, reduction='sum')
        optimizer.zero_grad()
        (each / len(pick)).backward()
        optimizer.step()
        schedule.step()
    head.eval()
    with torch.no_grad():
        return head((torch.from_numpy(test).float(),)).numpy()


def main():
    args = parse_args()
    cfg = load_config(args)
    sets = {}
    for split in ('train', 'test'):
        dataset = dict(cfg[f'{split}_dataloader'].dataset)
        if 'source' in dataset and not dataset.get('test_mode'):
            dataset = dict(dataset['source'])  # a bank of sampled patches: its pictures
        if args.full:
            dataset['ids'] = None
        sets[split] = DATASETS.build(dataset)
    model = MODELS.build(cfg.model)
    model.init_weights()
    model.eval()
    if torch.cuda.is_available():
        model.cuda()
    classes = sets['test'].metainfo['classes']
    wanted = args.subset or cfg.get('main_classes') or classes
    index = [classes.index(name) for name in wanted]
    train, labels = describe(model, sets['train'], not args.whole_only)
    test, truth = describe(model, sets['test'], not args.whole_only)

    def mean_ap(scores):
        return float(np.mean([voc_ap(scores[:, k], truth[:, k], args.mode) for k in index]))

    table = {}
    for name in train:
        pair = train[name], labels, test[name]
        table[f'{name}, logistic regression'] = [mean_ap(logistic_regression(*pair))]
        table[f'{name}, same head'] = [
            mean_ap(adaptation_head(*pair, cfg.model.head, seed)) for seed in range(args.seeds)
        ]
    print(f'\n{args.mode} AP, mean of {", ".join(wanted)}; {len(labels)} → {len(truth)} pictures')
    for name, values in table.items():
        print(f'{name:38} {np.mean(values):.4f}  ({min(values):.4f}–{max(values):.4f})')
    if args.json:
        with open(args.json, 'w', encoding='utf-8') as file:
            json.dump(dict(mode=args.mode, classes=list(wanted), rows=table), file, indent=2)


if __name__ == '__main__':
    run_tool(main)
