"""RandomLabeledPatch: patches for foreign configs, by (seed, epoch, image id)."""

import numpy as np
import pytest
from mmengine.config import ConfigDict

from tcnn_mm.compat import stop_workers
from tcnn_mm.datasets import RandomLabeledPatch
from tcnn_mm.errors import UserError
from tests.support.runs import small_config

SAMPLER = dict(
    type='tcnn_mm.PatchSampler',
    grid=dict(type='tcnn_mm.PatchGrid', size=32),
    labeler=dict(type='tcnn_mm.PatchLabeler', num_classes=3),
)


def item(boxes=((10, 10, 60, 60),), labels=(2,), name='a'):
    image = np.random.default_rng(0).integers(0, 255, (90, 120, 3), dtype=np.uint8)
    return dict(
        img=image,
        img_id=name,
        gt_bboxes=np.array(boxes, np.float32).reshape(-1, 4),
        gt_bboxes_labels=np.array(labels, int),
        gt_bboxes_difficult=np.zeros(len(boxes), bool),
    )


def build(epoch=0, **options):
    transform = RandomLabeledPatch(dict(SAMPLER, **options))
    transform.set_epoch(0, epoch)
    return transform


def test_one_patch_with_its_label():
    """The image becomes one S × S patch whose label is the labeler's for its box."""
    transform = build()
    results = transform.transform(item())
    assert results['img'].shape == (32, 32, 3) and results['img'].dtype == np.uint8
    box, source = results['patch_box'][None], item()
    label, _ = transform.sampler.labeler(box, source['gt_bboxes'], source['gt_bboxes_labels'])
    assert results['gt_label'] == label[0]


def test_the_draw_is_keyed():
    """The same epoch gives the same patch, epochs go through the fixed set."""
    boxes = [tuple(build(e).transform(item())['patch_box']) for e in (0, 0, 1, 2, 3)]
    assert boxes[0] == boxes[1] and len(set(boxes)) == 4


def test_an_empty_set_gives_background_and_a_full_one_nothing():
    """No drawn patch: a background patch of the grid; everything deleted: left to the data set."""
    empty = build(background_share=0.0).transform(item((), ()))
    assert empty['gt_label'] == 3
    pair = item([(0, 0, 120, 90), (0, 0, 120, 90)], [0, 1])
    scale = dict(type='tcnn_mm.PatchGrid', size=32, scales=(1.0,))
    assert build(grid=scale).transform(pair) is None


def test_without_the_hook_it_refuses():
    """A transform that never hears of the epoch would repeat itself: an error."""
    with pytest.raises(UserError, match='EpochSeedHook'):
        RandomLabeledPatch(SAMPLER).transform(item())


@pytest.mark.parametrize('persistent', [True, False])
def test_workers_learn_the_epoch(tmp_path, persistent):
    """In a real run with workers, a plain mmpretrain classifier trains on labelled patches and
    each epoch brings other ones, also to workers that outlive the epoch."""
    cfg = small_config(tmp_path, epochs=3, images=8)
    head = dict(cfg.model.head, type='tcnn_mm.AdaptationHead')
    cfg.model = ConfigDict(
        type='mmpretrain.ImageClassifier',
        backbone=cfg.model.backbone,
        head=head,
        data_preprocessor=dict(
            type='mmpretrain.ClsDataPreprocessor', mean=[127.5] * 3, std=[64] * 3, to_rgb=True
        ),
    )
    sampler = dict(
        SAMPLER,
        grid=dict(type='tcnn_mm.PatchGrid', size=64),
        labeler=dict(type='tcnn_mm.PatchLabeler', num_classes=6),
    )
    cfg.train_dataloader.dataset.pipeline = [
        dict(type='tcnn_mm.LoadVOCObjects'),
        dict(type='tcnn_mm.RandomLabeledPatch', sampler=sampler),
        dict(type='mmpretrain.PackInputs', meta_keys=('patch_box', 'img_id')),
    ]
    cfg.train_dataloader.collate_fn = dict(type='default_collate')
    cfg.train_dataloader.persistent_workers = persistent
    cfg.custom_hooks = [dict(type='tcnn_mm.EpochSeedHook')]
    cfg.test_dataloader = cfg.test_cfg = cfg.test_evaluator = None

    from mmengine.registry import init_default_scope
    from mmengine.runner import Runner

    seen = []
    init_default_scope('mmpretrain')
    runner = Runner.from_cfg(cfg)
    step = runner.model.train_step

    def watched(data, optim_wrapper):
        seen.append({s.img_id: tuple(s.patch_box) for s in data['data_samples']})
        return step(data, optim_wrapper=optim_wrapper)

    runner.model.train_step = watched
    runner.train()
    stop_workers(runner)
    epochs = [{k: v for part in seen[i : i + 2] for k, v in part.items()} for i in (0, 2, 4)]
    assert epochs[0].keys() == epochs[1].keys() and len(epochs[0]) == 8
    moved = sum(epochs[0][k] != epochs[1][k] for k in epochs[0])
    assert moved >= 6
