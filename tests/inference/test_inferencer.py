"""A checkpoint alone is enough to predict; every kind of input gives the scores of the model."""

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpretrain import ImageClassificationInferencer
from PIL import Image, ImageOps

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.checkpoints.metadata import store_thresholds
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.calibration import Calibration, probabilities
from tcnn_mm.inference.inferencer import TCNNInferencer
from tcnn_mm.inference.overlay import map_titles
from tcnn_mm.patches.geometry import DAMPING, intersections, mean_score_map
from tests.support.small_checkpoint import CLASSES, small_model_config, write_small_checkpoint

SIZES = ((60, 80), (90, 70), (60, 80))


def draw(size_hw, seed):
    """Blocks of colour, so that patches differ."""
    blocks = np.random.default_rng(seed).integers(0, 255, (3, 3, 3), np.uint8)
    return np.asarray(Image.fromarray(blocks).resize(size_hw[::-1], Image.Resampling.NEAREST))


def by_hand(model, pixels):
    """One image by `model.predict`, with patch scores."""
    image = torch.from_numpy(pixels.transpose(2, 0, 1).copy())
    with torch.no_grad():
        return model.predict([image], return_patches=True)[0]


def same(first, second):
    """Two results agree but for where they came from."""
    assert first['labels'] == second['labels']
    for key in ('scores', 'patches'):
        assert first[key] == second[key]


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """A checkpoint of a crop-mode model, and three images in a folder with a subfolder."""
    root = tmp_path_factory.mktemp('infer')
    model = write_small_checkpoint(root / 'a.pth')
    (root / 'images' / 'more').mkdir(parents=True)
    images = [draw(size, i) for i, size in enumerate(SIZES)]
    for pixels, name in zip(images, ('b.png', 'c.PNG', 'more/a.png'), strict=True):
        Image.fromarray(pixels).save(root / 'images' / name)
    return root, model, images


@pytest.fixture(scope='module')
def inferencer(folder):
    return TCNNInferencer(checkpoint=folder[0] / 'a.pth', device='cpu')


def test_scores_patches_and_maps_are_the_models(folder, inferencer):
    """By class name: the votes, the best patch, the mean of the patches that cover a pixel."""
    _, model, images = folder
    (result,) = inferencer(images[0], score_maps=True)
    sample = by_hand(model, images[0])
    maps = mean_score_map(
        sample.patch_boxes, sample.patch_scores, SIZES[0], SIZES[0], DAMPING
    ).numpy()
    assert result['img_path'] is None and list(result['scores']) == list(CLASSES)
    for k, name in enumerate(CLASSES):
        assert result['scores'][name] == float(sample.pred_score[k])
        best = sample.patch_scores[:, k].argmax()
        assert result['patches'][name][0] == dict(
            box=sample.patch_boxes[best].tolist(), score=float(sample.patch_scores[best, k])
        )
        assert result['maps'][name].dtype == np.float32
        np.testing.assert_array_equal(result['maps'][name], maps[k])


def test_every_kind_of_input_gives_the_same(folder, inferencer):
    """Path, Path object, RGB and BGR array, PIL image, list of all, folder; any batch size."""
    root, _, images = folder
    (expected,) = inferencer(images[0])
    path = root / 'images' / 'b.png'
    for one in (str(path), path, Image.fromarray(images[0])):
        same(inferencer(one)[0], expected)
    same(inferencer(images[0][..., ::-1], channel_order='bgr')[0], expected)
    assert inferencer(images[0][..., ::-1])[0]['scores'] != expected['scores']
    mixed = inferencer([images[0], path, [Image.fromarray(images[0])]], batch_size=2)
    for result in mixed:
        same(result, expected)
    results = inferencer(root / 'images')
    names = [result['img_path'].rsplit('images/')[-1] for result in results]
    assert names == ['b.png', 'c.PNG', 'more/a.png']
    for size in (1, 2, 3):
        for result, other in zip(inferencer(images, batch_size=size), results, strict=True):
            assert result['scores'] == pytest.approx(other['scores'], abs=1e-6)
    grey = images[0][..., 0]
    same(inferencer(grey)[0], inferencer(np.stack([grey] * 3, -1))[0])


@pytest.mark.parametrize('orientation', range(1, 9))
def test_upright_is_what_a_viewer_shows(orientation, inferencer, tmp_path, monkeypatch):
    """Pillow's own turning is the oracle; else as stored, and a warning says so."""
    told = []
    monkeypatch.setattr(
        'tcnn_mm.inference.inferencer.print_log', lambda line, *_: told.append(line)
    )
    stored_pixels = Image.fromarray(draw((60, 80), 5))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored_pixels.save(tmp_path / 'a.png', exif=exif)
    stored = Image.open(tmp_path / 'a.png')
    (result,) = inferencer(tmp_path / 'a.png', upright=True, keep_image=True)
    np.testing.assert_array_equal(result['image'], np.asarray(ImageOps.exif_transpose(stored)))
    same(inferencer(stored, upright=True)[0], result)
    (plain,) = inferencer(tmp_path / 'a.png', keep_image=True)
    np.testing.assert_array_equal(plain['image'], np.asarray(stored_pixels))
    assert [line[:6] for line in told] == ['1 of 1'] * (orientation != 1)


def test_images_are_read_as_in_training(tmp_path):
    """A checkpoint of upright images reads upright, unless it is told otherwise."""
    write_small_checkpoint(tmp_path / 'a.pth', upright=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(draw((60, 80), 5)).save(tmp_path / 'a.png', exif=exif)
    inferencer = TCNNInferencer(checkpoint=tmp_path / 'a.pth')
    shapes = [
        inferencer(tmp_path / 'a.png', keep_image=True, **more)[0]['image'].shape
        for more in ({}, dict(upright=False))
    ]
    assert shapes == [(80, 60, 3), (60, 80, 3)]


def test_an_unreadable_image_does_not_lose_the_others(folder, inferencer, tmp_path):
    """In a list its place holds the error; alone it raises; other files are counted."""
    root, _, _ = folder
    (tmp_path / 'cut.jpg').write_bytes(b'\xff\xd8\xff')
    Image.open(root / 'images' / 'b.png').save(tmp_path / 'good.png')
    (tmp_path / 'notes.txt').write_text('no image')
    results = inferencer(tmp_path, batch_size=1)
    assert set(results[0]) == {'img_path', 'error'} and 'cut.jpg: ' in results[0]['error']
    same(results[1], inferencer(root / 'images' / 'b.png')[0])
    with pytest.raises(UserError, match='cut.jpg: not a'):
        inferencer(tmp_path / 'cut.jpg')
    with pytest.raises(UserError, match='none.jpg: no such'):
        inferencer(tmp_path / 'none.jpg')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(UserError, match='empty: no images'):
        inferencer(tmp_path / 'empty')


def test_labels_by_thresholds_or_the_best_class(folder, tmp_path):
    """Without thresholds the highest score alone, and that is said; with them, at or above."""
    root, _, images = folder
    path = tmp_path / 'a.pth'
    path.write_bytes((root / 'a.pth').read_bytes())
    plain = TCNNInferencer(checkpoint=path)
    (result,) = plain(images[0])
    ranked = sorted(CLASSES, key=result['scores'].get, reverse=True)
    assert result['labels'] == ranked[:1] and 'no thresholds' in plain.label_rule
    scores = result['scores']
    store_thresholds(path, dict(zip(ranked, (0.0, scores[ranked[1]], None), strict=True)), 'val')
    chosen = TCNNInferencer(checkpoint=path)
    assert chosen(images[0])[0]['labels'] == ranked[:2]
    assert chosen.label_rule == 'scores at or above thresholds chosen on val'
    store_thresholds(path, dict.fromkeys(CLASSES, 2.0))
    assert TCNNInferencer(checkpoint=path)(images[0])[0]['labels'] == []


def test_probabilities_by_the_checkpoints_calibration(folder, tmp_path):
    """Per class, None for one without, absent where nothing was calibrated; titles show them."""
    root, _, images = folder
    path = tmp_path / 'a.pth'
    path.write_bytes((root / 'a.pth').read_bytes())
    (plain,) = TCNNInferencer(checkpoint=path)(images[0])
    assert 'probabilities' not in plain
    curve = Calibration(0.5, 1.0)
    store_thresholds(
        path, dict.fromkeys(CLASSES, 0.0), 'val', {**dict.fromkeys(CLASSES, curve), 'fish': None}
    )
    (found,) = TCNNInferencer(checkpoint=path)(images[0], score_maps=True)
    assert found['scores'] == plain['scores']
    expected = float(probabilities(plain['scores']['key'], curve))
    assert found['probabilities']['key'] == expected
    assert found['probabilities']['fish'] is None
    titles = map_titles(found, ['key', 'fish'])
    assert titles[0] == f'key, probability {expected:.0%}'
    assert titles[1].startswith('fish, image score ')


@pytest.mark.parametrize('entry', ['text', dict(key=[1.0]), dict(key='ab'), [1, 2]])
def test_a_calibration_that_is_none_is_one_line(entry, folder, tmp_path):
    """What a file holds there is data of unknown shape."""
    content = load_safely(folder[0] / 'a.pth')
    content['meta']['tcnn_mm']['calibration'] = entry
    torch.save(content, tmp_path / 'a.pth')
    with pytest.raises(
        UserError, match="a.pth: meta.*'calibration'.* expected a dict of class → slope"
    ):
        TCNNInferencer(checkpoint=tmp_path / 'a.pth')


def test_a_config_replaces_the_checkpoints(folder, tmp_path):
    """Bare weights with config and classes; other voting drops thresholds that are not for it."""
    root, _, images = folder
    content = load_safely(root / 'a.pth')
    torch.save(content['state_dict'], tmp_path / 'bare.pth')
    config = Config(dict(model=small_model_config()))
    config.dump(tmp_path / 'c.py')
    expected = TCNNInferencer(checkpoint=root / 'a.pth')(images[0])[0]
    for cfg in (config, tmp_path / 'c.py'):
        bare = TCNNInferencer(cfg, tmp_path / 'bare.pth', classes=CLASSES)
        same(bare(images[0])[0], expected)
    content['meta']['tcnn_mm']['thresholds'] = dict.fromkeys(CLASSES, 0.0)
    torch.save(content, tmp_path / 't.pth')
    assert TCNNInferencer(config, tmp_path / 't.pth').thresholds
    config.model.aggregator = dict(type='tcnn_mm.PowerMeanAggregator', k=1)
    assert TCNNInferencer(config, tmp_path / 't.pth').thresholds is None


def test_missing_entries_of_a_checkpoint_are_named(folder, tmp_path):
    """No config, no record, no classes, too few; an optimizer's file; another model's weights."""
    content = load_safely(folder[0] / 'a.pth')

    def refused(pattern, meta=None, **arguments):
        changed = dict(content, meta={**content['meta'], **(meta or {})})
        torch.save(changed, tmp_path / 'x.pth')
        with pytest.raises(UserError, match=pattern):
            TCNNInferencer(checkpoint=tmp_path / 'x.pth', **arguments)

    refused(r"no meta\['cfg'\]", dict(cfg=None))
    refused(r"no meta\['tcnn_mm'\]", dict(tcnn_mm=None))
    refused('names no classes, its head has 3', dict(dataset_meta=None))
    refused('names 2 classes', classes=['a', 'b'])
    record = content['meta']['tcnn_mm']
    other = dict(record, aggregator=dict(type='PowerMeanAggregator', k=2))
    refused("aggregator: .*'k': 5.*trained with .*'k': 2", dict(tcnn_mm=other))
    wider = Config(dict(model=small_model_config(head=dict(hidden_channels=64))))
    refused('not of this config', config=wider)
    plain = (
        'model = dict(type="mmpretrain.ImageClassifier", backbone=dict(type="mmpretrain.LeNet5"))'
    )
    refused('ImageClassifier, which has no patches', dict(cfg=plain))
    refused('cannot be built here.*NoSuch', dict(cfg='model = dict(type="tcnn_mm.NoSuch")'))
    refused('no config: none.py', config='none.py')
    with pytest.raises(UserError, match='no checkpoint given'):
        TCNNInferencer(wider)


def test_in_another_projects_process(folder):
    """The default scope of the process does not matter, and stays as it was."""
    root, _, images = folder
    expected = TCNNInferencer(checkpoint=root / 'a.pth')(images[0])[0]
    with DefaultScope.overwrite_default_scope('mmdet'):
        inferencer = TCNNInferencer(checkpoint=root / 'a.pth')
        assert DefaultScope.get_current_instance().scope_name == 'mmdet'
        same(inferencer(images[0])[0], expected)


WEAK = dict(
    type='tcnn_mm.WeakPatchClassifier',
    head=dict(background=False),
    sampler=dict(type='tcnn_mm.ScaleSampler', factors=(1.0, 2.0), base=1.0),
)
MODELS = dict(
    dense=dict(feature_mode='dense'),
    context=dict(context=dict(type='tcnn_mm.ContextHead', hidden_channels=32)),
    weak=WEAK,
    bfloat16=dict(frozen_dtype='bfloat16'),
)


@pytest.mark.parametrize('kind', MODELS)
def test_every_kind_of_model(kind, folder, tmp_path):
    """Dense, with context, weak, bfloat16: from the checkpoint alone, the model's own scores."""
    model = write_small_checkpoint(tmp_path / 'a.pth', **MODELS[kind])
    inferencer = TCNNInferencer(checkpoint=tmp_path / 'a.pth', device='cpu')
    images = folder[2]
    for result, pixels in zip(inferencer(images, score_maps=True), images, strict=True):
        expected = by_hand(model, pixels).pred_score.tolist()
        assert list(result['scores'].values()) == pytest.approx(expected, abs=1e-6)
        if kind == 'weak':
            named = {name for name, score in result['scores'].items() if score >= 0.5}
            assert set(result['labels']) == named
    assert ('0.5' in inferencer.label_rule) == (kind == 'weak')


def test_actions_need_a_box_a_person(folder, tmp_path):
    """One square around a box: refused without; with boxes, one result each."""
    model = write_small_checkpoint(
        tmp_path / 'a.pth', sampler=dict(type='tcnn_mm.ObjectSquareSampler', margin=0.1)
    )
    inferencer = TCNNInferencer(checkpoint=tmp_path / 'a.pth', device='cpu')
    pixels = folder[2][0]
    with pytest.raises(UserError, match='give boxes='):
        inferencer(pixels)
    boxes = [[10, 5, 40, 50], [30, 0, 80, 60]]
    results = inferencer([pixels, pixels], boxes=boxes)
    image = torch.from_numpy(pixels.transpose(2, 0, 1).copy())
    for result, box in zip(results, boxes, strict=True):
        square = np.array([result['patches']['key'][0]['box']], np.float32)
        assert 1.09 * max(box[2] - box[0], box[3] - box[1]) < square[0, 2] - square[0, 0]
        with torch.no_grad():
            score = model.score_patches([image], [square])[0][0]
        expected = model.aggregator(score[None]).tolist()
        assert list(result['scores'].values()) == pytest.approx(expected, abs=1e-6)
    for wrong in ([boxes[0]], [[5, 5, 5, 9], boxes[0]]):
        with pytest.raises(UserError, match='2 images need as many boxes'):
            inferencer([pixels, pixels], boxes=wrong)


def test_wrong_arguments_are_refused(inferencer, folder):
    """Unknown classes, boxes that nobody asked for, arrays of another kind."""
    pixels = folder[2][0]
    with pytest.raises(UserError, match='no class dog; the model has key, fish, house'):
        inferencer(pixels, classes=['dog'])
    with pytest.raises(UserError, match='it takes none'):
        inferencer(pixels, boxes=[[0, 0, 1, 1]])
    for wrong in (pixels / 255.0, pixels.transpose(2, 0, 1), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(ValueError, match=r'must be \(H, W, 3\)'):
            inferencer(wrong)
    with pytest.raises(TypeError, match='found int'):
        inferencer(3)
    with pytest.raises(ValueError, match='channel_order'):
        inferencer(pixels, channel_order='rbg')


def test_only_some_classes_and_no_overlapping_patches(inferencer, folder):
    """Patches and maps of the classes asked for; no two of the best are the same place."""
    (result,) = inferencer(folder[2][1], True, classes=['house'], top_patches=3, long_side=45)
    assert list(result['patches']) == list(result['maps']) == ['house']
    assert result['maps']['house'].shape == (45, 35) and len(result['scores']) == 3
    boxes = np.array([patch['box'] for patch in result['patches']['house']])
    shared = intersections(boxes, boxes)
    sizes = np.diag(shared)
    iou = shared / (sizes[:, None] + sizes[None] - shared)
    assert 1 < len(boxes) <= 3 and (iou - np.eye(len(boxes))).max() <= 0.3


def test_mmpretrains_inferencer_says_what_to_use(tmp_path):
    """It gives one label per image, and pixels without a file: an error names ours."""
    write_small_checkpoint(tmp_path / 'a.pth')
    pipeline = [dict(type='tcnn_mm.LoadVOCObjects'), dict(type='tcnn_mm.PackPatchInputs')]
    cfg = Config(
        dict(
            default_scope='mmpretrain',
            model=small_model_config(),
            test_dataloader=dict(dataset=dict(pipeline=pipeline)),
        )
    )
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        inferencer = ImageClassificationInferencer(cfg, pretrained=str(tmp_path / 'a.pth'))
        with pytest.raises(UserError, match=r'TCNNInferencer.*tcnn predict'):
            inferencer(draw((40, 60), 0))
