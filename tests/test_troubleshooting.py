"""docs/troubleshooting.md quotes what the code really prints: each message is provoked."""

import os.path as osp
import re
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from mmengine.config import Config, ConfigDict
from mmengine.registry import MODELS as ROOT_MODELS
from mmengine.registry import DefaultScope

from tcnn_mm.checkpoints import zoo
from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.datasets.feature_bank import FeatureBank
from tcnn_mm.datasets.image_io import load_bgr
from tcnn_mm.datasets.voc import VOCObjects
from tcnn_mm.engine.data_folders import resolve_folders
from tcnn_mm.engine.mixed_precision import use_amp
from tcnn_mm.engine.patch_report import PatchReportHook
from tcnn_mm.engine.voc_results import VOCResultsHook
from tcnn_mm.inference.build_model import build_model as build_from_config
from tcnn_mm.models.backbones.zoo import find_weights
from tcnn_mm.registry import MODELS
from tests.support.docs_pages import read_page
from tests.support.patch_model import build_model, make_image
from tests.support.runs import CONFIGS
from tests.support.voc_folder import write_voc_folder

PAGE = read_page('docs/troubleshooting.md')
QUOTED = dict(re.findall(r'<!-- provoked by: (\w+) -->\n```text\n(.*?)\n```', PAGE, re.S))
PICTURE = np.zeros((60, 80, 3), np.uint8)


def voc_set(root, name='RBC', box=(1, 1, 40, 40)):
    write_voc_folder(root, {'a': (PICTURE, [dict(name=name, box=box)])})
    return dict(data_root=str(root), metainfo=dict(classes=('WBC',)))


def voc_folder(root, monkeypatch):
    monkeypatch.setenv('TCNN_DATA', '/path/to/data')
    VOCObjects('/path/to/data/VOCdevkit/VOC2007')


def empty_variable(root, monkeypatch):
    monkeypatch.setenv('TCNN_DATA', '')
    resolve_folders()


def no_weights(root, monkeypatch):
    monkeypatch.setenv('TCNN_WEIGHTS', str(root))
    load_safely(f'{root}/alexnet-owt-7be5be79.pth')


def no_weights_package(root, monkeypatch):
    monkeypatch.setattr(zoo, 'installed_path', lambda entry: None)
    load_safely('zoo://efficientnet_lite0')


def offline(root, monkeypatch):
    monkeypatch.setenv('TCNN_OFFLINE', '1')
    monkeypatch.setenv('TCNN_WEIGHTS', str(root))
    find_weights('resnet50')


def unknown_classes(root, monkeypatch):
    VOCObjects(**voc_set(root))


def empty_box(root, monkeypatch):
    VOCObjects(**voc_set(root, 'WBC', (7, 1, 7, 9)))


def box_outside(root, monkeypatch):
    VOCObjects(**voc_set(root, 'WBC', (90, 1, 120, 9)))


def no_image(root, monkeypatch):
    options = voc_set(root, 'WBC')
    (root / 'JPEGImages' / 'a.png').unlink()
    VOCObjects(**options)


def class_file(root, monkeypatch):
    options = voc_set(root, 'WBC')
    (root / 'ImageSets' / 'Main' / 'train.txt').write_text('a  1\n')
    VOCObjects(split='train', **options)


def damaged_image(root, monkeypatch):
    path = root / 'a.png'
    voc_set(root)
    data = (root / 'JPEGImages' / 'a.png').read_bytes()
    path.write_bytes(data[: len(data) // 2])
    load_bgr(str(path))


def number_of_classes(root, monkeypatch):
    class Runner:
        model = build_model(num_classes=20)
        train_dataloader = ConfigDict(dataset=dict(metainfo=dict(classes=('RBC', 'WBC'))))

    PatchReportHook().before_train(Runner())


def no_metric_of_ours(root, monkeypatch):
    class Runner:
        test_loop = ConfigDict(evaluator=dict(metrics=[object()]))

    VOCResultsHook().before_test(Runner())


def no_seed_hook(root, monkeypatch):
    image, sample = make_image()
    build_model().loss([image], [sample])


def no_preprocessing(root, monkeypatch):
    config = Config.fromfile(osp.join(CONFIGS, 'tcnn_minivoc.py'))
    config.model.backbone = dict(type='mmpretrain.ResNet', depth=18)
    config.model.frozen = ('backbone',)
    MODELS.build(config.model)


def no_scope(root, monkeypatch):
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        ROOT_MODELS.build(dict(type='PatchClassifier'))


def another_network(root, monkeypatch):
    torch.save(dict(state_dict=dict(weight=torch.zeros(1))), root / 'epoch_1.pth')
    config = Config.fromfile(osp.join(CONFIGS, 'tcnn_minivoc.py'))
    build_from_config(config, str(root / 'epoch_1.pth'))


def not_this_backbone(root, monkeypatch):
    torch.save({'layer1.0.conv1.weight': torch.zeros(1)}, root / 'resnet.pth')
    build_model(pretrained=str(root / 'resnet.pth'))


def more_than_data(root, monkeypatch):
    torch.save(dict(model=torch.nn.ReLU()), root / 'theirs.pth')
    load_safely(root / 'theirs.pth')


def damaged_checkpoint(root, monkeypatch):
    torch.save(dict(weight=torch.zeros(1000)), root / 'epoch_1.pth')
    path = root / 'epoch_1.pth'
    path.write_bytes(path.read_bytes()[:1000])
    load_safely(path)


def no_bank(root, monkeypatch):
    FeatureBank('work_dirs/banks/tcnn_voc07')


def no_dense_mode(root, monkeypatch):
    config = Config.fromfile(osp.join(CONFIGS, 'tcnn_minivoc.py'))
    config.model.backbone = dict(type='mmpretrain.SEResNet', depth=50)
    config.model.update(
        feature_mode='dense',
        frozen=('backbone',),
        neck=dict(type='mmpretrain.GlobalAveragePooling'),
        preprocessing=dict(size=224, mean=[0] * 3, std=[1] * 3, channel_order='rgb'),
    )
    MODELS.build(config.model)


def amp_without_gpu(root, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    use_amp(ConfigDict(model=dict(type='mmpretrain.ImageClassifier')))


def compiled_ops(root, monkeypatch):
    import mmcv.ops  # noqa: F401


PROVOKE = [
    voc_folder, empty_variable, no_weights, no_weights_package, offline,
    unknown_classes, empty_box, box_outside, no_image,
    class_file, damaged_image, number_of_classes, no_metric_of_ours, no_seed_hook,
    no_preprocessing, no_scope, another_network, not_this_backbone, more_than_data,
    damaged_checkpoint, no_bank, no_dense_mode, amp_without_gpu, compiled_ops,
]  # fmt: skip


@pytest.mark.parametrize('provoke', PROVOKE, ids=lambda f: f.__name__)
def test_a_quoted_message_is_printed(provoke, tmp_path, monkeypatch):
    """The page's text, `…` standing for what differs, is the text of the error."""
    if provoke is compiled_ops and find_spec('mmcv._ext'):
        pytest.skip('mmcv has its compiled ops here')
    with pytest.raises((RuntimeError, ValueError, KeyError, ImportError)) as caught:
        provoke(tmp_path, monkeypatch)
    said = str(caught.value.args[0])
    quoted = QUOTED[provoke.__name__]
    pattern = '.*?'.join(re.escape(part) for part in re.split(r'\s*…\s*', quoted))
    assert re.fullmatch(pattern.replace(r'\ ', r'\s+'), said, re.S), f'{said!r}\n{quoted!r}'


def test_every_quoted_message_is_provoked():
    """No message stands on the page that no test sees."""
    assert set(QUOTED) == {function.__name__ for function in PROVOKE}
    assert len(re.findall(r'^```text', PAGE, re.M)) == len(QUOTED)
