"""Weak labels through the real Runner: resume, images without boxes, files, maps."""

import json
import re
from pathlib import Path

import pytest

from tcnn_mm.datasets import MiniVOC
from tcnn_mm.registry import DATASETS
from tests.support.runs import assert_same_state, small_config, test, train

NAME = 'tcnn_minivoc_weak.py'


def config(work_dir, **options):
    alone = {f'{s}_dataloader.num_workers': 0 for s in ('train', 'test')}
    alone |= {f'{s}_dataloader.persistent_workers': False for s in ('train', 'test')}
    return small_config(work_dir, NAME, images=8, **alone, **options)


def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path):
    """Cut after 1 of 2 epochs and resumed: weights and momentum bit-equal, dropout on."""
    whole = train(config(tmp_path / 'whole'))
    train(config(tmp_path / 'parts'), stop_after=1)
    cfg = config(tmp_path / 'parts')
    cfg.resume = True
    parts = train(cfg)
    assert_same_state(whole['state_dict'], parts['state_dict'])
    assert_same_state(whole['optimizer'], parts['optimizer'])


@pytest.fixture
def bare(tmp_path):
    """MiniVOC with every box replaced by a corner of two pixels."""
    root = Path(MiniVOC(split='train').data_root)
    folder = tmp_path / 'bare'
    (folder / 'Annotations').mkdir(parents=True)
    for part in ('JPEGImages', 'ImageSets'):
        (folder / part).symlink_to(root / part)
    corner = '<xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax>'
    for path in (root / 'Annotations').iterdir():
        text = re.sub('<xmin>.*?</ymax>', corner, path.read_text(), flags=re.S)
        (folder / 'Annotations' / path.name).write_text(text)
    return folder


def test_image_labels_are_all_that_it_reads(tmp_path, bare):
    """The same weights from annotations whose boxes are wrong, and, difficult objects apart, from
    a list of mmpretrain that has no boxes at all; each of them can be tested."""
    states = []
    for kind in ('voc', 'bare', 'list'):
        cfg = config(tmp_path / kind, epochs=1)
        dataset = cfg.train_dataloader.dataset
        found = DATASETS.build(dataset)
        if kind == 'bare':
            dataset.update(type='tcnn_mm.VOCObjects', data_root=str(bare), metainfo=found.metainfo)
            dataset.pop('task')
        elif kind == 'list':
            items = [found.get_data_info(i) for i in range(len(found))]
            rows = [dict(img_path=i['img_path'], gt_label=i['gt_label']) for i in items]
            meta = dict(classes=found.metainfo['classes'])
            path = tmp_path / 'labels.json'
            path.write_text(json.dumps(dict(metainfo=meta, data_list=rows)))
            cfg.train_dataloader.dataset = dict(
                type='mmpretrain.MultiLabelDataset', ann_file=str(path), pipeline=dataset.pipeline
            )
        states.append(train(cfg)['state_dict'])
    assert_same_state(states[0], states[1])
    assert states[2].keys() == states[0].keys()


def test_a_test_writes_results_and_maps(tmp_path):
    """Scores in (0, 1) of every class, both metrics, the checkpoint's own grid, maps as PNG."""
    checkpoint = train(config(tmp_path, epochs=1))
    meta = checkpoint['meta']['tcnn_mm']
    assert meta['aggregator'] == dict(type='MaxAggregator') and meta['feature_mode'] == 'dense'
    assert meta['grid']['scales'] == [1.875, 3.75]
    cfg = config(tmp_path)
    cfg.custom_hooks = [*cfg.custom_hooks, dict(type='tcnn_mm.ScoreMapHook', max_images=1)]
    metrics = test(cfg, tmp_path / 'epoch_1.pth')
    assert {'voc10/mAP', 'voc07/mAP'} <= set(metrics)
    rows = (tmp_path / 'image_scores.csv').read_text().splitlines()
    scores = [float(x) for row in rows[1:] for x in row.split(',')[1:]]
    assert len(scores) == 8 * 6 and min(scores) > 0 and max(scores) < 1
    assert len(list((tmp_path / 'score_maps').glob('*.png'))) == 1
