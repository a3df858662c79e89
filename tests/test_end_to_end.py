"""The toolbox's Runner drives our parts: train, resume, test, on the embedded data."""

import json
import multiprocessing
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tcnn_mm.checkpoints.config_text import read_config_text
from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.datasets.image_labels import image_labels
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.average_precision import voc_ap
from tcnn_mm.registry import DATASETS
from tcnn_mm.visualization import ScoreMapHook
from tests.support.runs import assert_same_state, small_config, test, train


@pytest.mark.parametrize('persistent', [True, False])
def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path, persistent):
    """Cut after 2 of 4 epochs and resumed: weights and momentum bit-equal, dropout on, workers."""
    options = {
        'train_dataloader.persistent_workers': persistent,
        'param_scheduler.milestones': [1, 3],
    }
    whole = train(small_config(tmp_path / 'whole', epochs=4, **options))
    cut = train(small_config(tmp_path / 'parts', epochs=4, **options), stop_after=2)
    assert cut['meta']['epoch'] == 2
    cfg = small_config(tmp_path / 'parts', epochs=4, **options)
    cfg.resume = True
    parts = train(cfg)
    assert parts['meta']['epoch'] == whole['meta']['epoch'] == 4
    assert_same_state(whole['state_dict'], parts['state_dict'])
    assert_same_state(whole['optimizer'], parts['optimizer'])


@pytest.mark.slow
def test_resumed_plateau_stages_equal_too(tmp_path):
    """The paper's schedule resumes in the stage where it was."""
    stages = dict(type='tcnn_mm.PlateauStages', patience=1, threshold=0.5, stages=3)

    def config(name, epochs):
        cfg = small_config(tmp_path / name, epochs=epochs)
        cfg.param_scheduler = None
        cfg.custom_hooks = [*cfg.custom_hooks, stages]
        return cfg

    whole = train(config('whole', 3))
    train(config('parts', 3), stop_after=2)
    cfg = config('parts', 3)
    cfg.resume = True
    parts = train(cfg)
    assert_same_state(whole['state_dict'], parts['state_dict'])
    assert (
        whole['message_hub']['runtime_info']['plateau_stages']
        == parts['message_hub']['runtime_info']['plateau_stages']
    )


def test_workers_do_not_change_the_result(tmp_path):
    """0 and 2 loader workers train bit-equal weights, and none outlives its run."""
    before = set(multiprocessing.active_children())
    states = [
        train(
            small_config(
                tmp_path / str(n),
                **{'train_dataloader.num_workers': n, 'train_dataloader.persistent_workers': n > 0},
            )
        )['state_dict']
        for n in (0, 2)
    ]
    assert_same_state(*states)
    assert set(multiprocessing.active_children()) <= before


def test_train_and_test_write_what_they_promise(trained_run):
    """One run: checkpoint contents, voc_ap.json, and AP again from image_scores.csv."""
    folder, checkpoint = trained_run.folder, trained_run.checkpoint
    ours = checkpoint['meta']['tcnn_mm']
    assert ours['preprocessing']['size'] == 64 and ours['grid']['scales'] == [1.0, 2.0]
    assert ours['aggregator'] == dict(type='PowerMeanAggregator', k=5)
    assert 'backbone.features.0.weight' in ours['frozen'] and ours['feature_mode'] == 'crop'
    dataset = DATASETS.build(dict(trained_run.config().test_dataloader.dataset))
    classes = dataset.metainfo['classes']
    assert tuple(checkpoint['meta']['dataset_meta']['classes']) == tuple(classes)
    recorded = read_config_text(checkpoint['meta']['cfg'], 'epoch_2.pth')
    assert recorded.model.type == 'tcnn_mm.PatchClassifier'
    assert {'backbone.features.0.weight', 'head.FCa.weight', 'head.FCb.bias'} <= set(
        checkpoint['state_dict']
    )

    reports = json.loads((folder / 'voc_ap.json').read_text())
    assert [r['metric'] for r in reports] == ['voc10', 'voc07', 'point']
    assert reports[0]['images'] == reports[2]['images'] == 12
    assert trained_run.metrics['voc10/mAP'] == pytest.approx(100 * reports[0]['mAP'])
    rows = [line.split(',') for line in (folder / 'image_scores.csv').read_text().splitlines()]
    assert tuple(rows[0][1:]) == tuple(classes)
    truth = [dataset.get_data_info(i) for i in range(len(dataset))]
    assert [r[0] for r in rows[1:]] == [t['img_id'] for t in truth]
    labels = np.stack([image_labels(t['gt_label'], t['gt_label_difficult'], 6) for t in truth])
    for k, name in enumerate(classes):
        ap = voc_ap([float(r[1 + k]) for r in rows[1:]], labels[:, k], 'voc10')
        expected = reports[0]['classes'][name]['ap']
        assert ap == pytest.approx(np.nan if expected is None else expected, abs=1e-12, nan_ok=True)


def test_the_toolboxs_metrics_run_beside_ours(trained_run, tmp_path):
    """mmpretrain's metrics in the same list, and mmdet's VOCMetric, fed with patches."""
    pytest.importorskip('mmdet')
    cfg = trained_run.config(tmp_path, images=60)
    cfg.test_evaluator = [
        *cfg.test_evaluator,
        dict(type='mmpretrain.VOCAveragePrecision'),
        dict(type='mmpretrain.VOCMultiLabelMetric'),
        dict(
            type='tcnn_mm.PatchDetectionMetric', metric=dict(type='mmdet.VOCMetric', iou_thrs=0.3)
        ),
    ]
    metrics = test(cfg, trained_run.folder / 'epoch_2.pth')
    assert {'voc10/mAP', 'voc07/mAP', 'multi-label/mAP', 'multi-label/f1-score'} <= set(metrics)
    assert {'point/mAP', 'patch_detection/AP30'} <= set(metrics)
    assert 0 < metrics['patch_detection/mAP'] < 1


def test_a_toy_run_learns(tmp_path):
    """A few images can be learnt: the loss falls by half and objects are named."""
    options = {'model.head.dropout': 0.0, 'optim_wrapper.optimizer.lr': 0.03}
    cfg = small_config(tmp_path, epochs=40, images=6, **options)
    cfg.param_scheduler.milestones = [35]
    hub = train(cfg)['message_hub']
    losses = np.array(hub['log_scalars']['train/loss']._log_history)
    assert losses[-4:].mean() < 0.5 * losses[:4].mean()
    assert hub['log_scalars']['train/object_accuracy']._log_history[-1] > 0.7


def test_another_number_of_classes_stops_the_start(tmp_path):
    """A head for 5 classes and data of 6 would train for hours and fail at the test."""
    with pytest.raises(UserError, match=r'have 6 classes \(fish.*model.head.num_classes=5'):
        train(small_config(tmp_path, **{'model.head.num_classes': 5}))


def test_score_maps_are_drawn(trained_run, tmp_path):
    """One readable file per image, and not more than asked; TensorBoard has them too."""
    from PIL import Image

    event_accumulator = pytest.importorskip(
        'tensorboard.backend.event_processing.event_accumulator'
    )
    cfg = trained_run.config(tmp_path, images=4)
    hook = dict(type='tcnn_mm.ScoreMapHook', max_images=2, classes=['key', 'fish'], long_side=80)
    cfg.custom_hooks = [*cfg.custom_hooks, hook]
    cfg.visualizer.vis_backends = [dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')]
    metrics = test(cfg, trained_run.folder / 'epoch_2.pth')
    paths = sorted((tmp_path / 'score_maps').glob('*.png'))
    assert len(paths) == 2
    drawn = np.asarray(Image.open(paths[0]))
    assert drawn.std() > 10
    (folder,) = {path.parent for path in tmp_path.rglob('events.out.tfevents*')}
    events = event_accumulator.EventAccumulator(str(folder)).Reload()
    tags = [f'score_maps/{path.stem}' for path in paths]
    assert sorted(events.Tags()['images']) == tags
    image = events.Images(tags[0])[0]
    assert (image.height, image.width) == drawn.shape[:2]
    assert not list(tmp_path.rglob('vis_image'))  # not a second time as files
    assert np.isfinite(metrics['point/hit_rate'])  # the metric had the patch scores too


def test_score_maps_of_an_unknown_class():
    """A class that the data set does not have is named before the test's first image."""
    dataset = DATASETS.build(dict(type='tcnn_mm.MiniVOC', split='test', lazy_init=True))
    runner = SimpleNamespace(test_dataloader=SimpleNamespace(dataset=dataset))
    with pytest.raises(UserError, match='no class dog; the data set has'):
        ScoreMapHook(classes='dog').before_test_epoch(runner)


def test_frozen_weights_are_the_pretrained_ones(trained_run):
    """After training, C1…FC7 are bit-equal to the file they came from."""
    state = trained_run.checkpoint['state_dict']
    source = load_safely('tcnn_mm://minivoc_source.pth')['state_dict']
    frozen = {key: value for key, value in source.items() if key.startswith('backbone.')}
    assert len(frozen) == 14
    for key, value in frozen.items():
        assert torch.equal(state[key], value), key
