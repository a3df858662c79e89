"""What `tcnn fit` will do, before it does it: data, split, scales, weights.

The same data and flags make the same plan.
"""

import os
import os.path as osp
from typing import NamedTuple

from mmengine.config import Config
from mmengine.logging import print_log

from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.datasets.formats.coco import coco_classes, read_coco
from tcnn_mm.datasets.formats.detect_format import detect_format
from tcnn_mm.datasets.formats.image_list import read_image_labels
from tcnn_mm.datasets.formats.voc_xml import parse_voc_xml
from tcnn_mm.datasets.stratified_split import split_roles
from tcnn_mm.errors import UserError
from tcnn_mm.estimator.feature_size import measure_features
from tcnn_mm.models.backbones.zoo import BACKBONES, Weights, find_weights
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
            (pictures if weak). reasons: why these scales, in words. head: what is measured of the
            features, for networks whose config does not know it.
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
    head: dict


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
        labels = [
            read_image_labels(part['data_root'], part.get('ann_file', ''), part.get('img_dir', ''))
            for part in parts.values()
        ]
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
    with atomic_write(path) as file:
        file.write('\n'.join(ids) + '\n')
    return path


def make_plan(data, backbone, out, weights=None, pixels=None, scales=None, seed=0):
    """Look at the data, split them, choose the scales; writes the lists into `out`/splits.

    Raises:
        UserError: What recognising, reading and finding weights refuse; a class too few.
    """
    found = find_weights(backbone, weights, pixels)
    layout = detect_format(data)
    print_log(f'found {layout.description}', 'current')
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
        said=layout.description,
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
        head={},
    )
    if BACKBONES[backbone].layer:
        head = measure_features(model_config(plan), [info['img_path'] for info in train])
        print_log(
            f'{backbone}: {head["in_channels"]} features, times {head["feature_scale"]} of size 1',
            'current',
        )
        plan = plan._replace(head=head)
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


def model_config(plan):
    """The plan's model as far as its base and its weights say it."""
    base = f'tcnn_mm::_base_/models/{BACKBONES[plan.backbone].config}'
    cfg = Config.fromstring(f"_base_ = '{base}'", '.py')
    head = dict(plan.head, num_classes=len(plan.classes))
    head.setdefault('in_channels', cfg.model.head.get('in_channels', 1))
    cfg.merge_from_dict(dict(model=dict(plan.weights.model, head=head)))
    return cfg.model


def build_sampler(plan):
    """The sampler of the plan's model, without loading weights."""
    return MODELS.build(dict(model_config(plan), pretrained=None)).sampler
