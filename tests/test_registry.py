"""Every registered name builds from a config dict in a process that has not imported tcnn_mm."""

import importlib.util
import json

import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from tests.support.own_data import write_coco, write_csv
from tests.support.toolbox_process import run_script
from tests.support.voc_folder import write_voc_folder

SMALL = dict(type='tcnn_mm.TransferAlexNet', variant='small')
HEAD = dict(type='tcnn_mm.AdaptationHead', num_classes=3, in_channels=256)
SAMPLER = dict(
    type='tcnn_mm.PatchSampler',
    grid=dict(type='tcnn_mm.PatchGrid', size=64),
    labeler=dict(type='tcnn_mm.PatchLabeler', num_classes=3),
)
COCO_FILE = 'annotations/instances_all.json'
# Registry of mmengine → configs of registered names, with the required arguments alone.
CONFIGS = {
    'MODELS': [
        SMALL,
        HEAD,
        dict(type='tcnn_mm.ContextHead', num_classes=3),
        dict(type='tcnn_mm.TorchvisionBackbone', name='squeezenet1_1'),
        dict(type='tcnn_mm.TimmBackbone', name='test_resnet'),
        dict(type='tcnn_mm.PatchClassifier', backbone=SMALL, head=HEAD, sampler=SAMPLER),
        dict(
            type='tcnn_mm.WeakPatchClassifier',
            backbone=SMALL,
            head=dict(HEAD, background=False),
            sampler=dict(type='tcnn_mm.ScaleSampler'),
        ),
        dict(type='tcnn_mm.DropoutLinearClsHead', num_classes=3, in_channels=8),
        dict(type='tcnn_mm.PowerMeanAggregator'),
        dict(type='tcnn_mm.MeanAggregator'),
        dict(type='tcnn_mm.MaxAggregator'),
        dict(type='tcnn_mm.LogSumExpAggregator'),
    ],
    'TASK_UTILS': [
        SAMPLER,
        dict(type='tcnn_mm.PatchSampler'),
        dict(type='tcnn_mm.ObjectSquareSampler'),
        SAMPLER['grid'],
        SAMPLER['labeler'],
        dict(type='tcnn_mm.ScaleSampler'),
    ],
    'TRANSFORMS': [
        dict(type='tcnn_mm.LoadVOCObjects'),
        dict(type='tcnn_mm.PackPatchInputs'),
        dict(type='tcnn_mm.RandomLabeledPatch'),
    ],
    'DATASETS': [
        dict(type='tcnn_mm.VOCObjects', data_root='VOC', split='train'),
        dict(type='tcnn_mm.VOCAction', data_root='VOC', lazy_init=True),
        dict(type='tcnn_mm.MiniVOC', lazy_init=True, data_root='cache'),
        dict(type='tcnn_mm.FeatureBank', bank='bank'),
        dict(type='tcnn_mm.ClassFolders', class_list='classes.txt', roots='VOC'),
        dict(type='tcnn_mm.COCOObjects', ann_file=COCO_FILE, data_root='coco', img_dir='images'),
        dict(type='tcnn_mm.ImageList', data_root='list', ann_file='labels.csv'),
        dict(type='tcnn_mm.ImageRecords', ann_file='records.json'),
    ],
    'METRICS': [
        dict(type='tcnn_mm.VOCDevkitAP', mode='voc07'),
        dict(type='tcnn_mm.VOCActionAP'),
        dict(type='tcnn_mm.VOCSubmission', comp='comp2'),
        dict(type='tcnn_mm.PatchDetectionMetric'),
        dict(type='tcnn_mm.PointLocalization'),
    ],
    'HOOKS': [
        dict(type='tcnn_mm.AtomicCheckpointHook'),
        dict(type='tcnn_mm.CheckFiniteHook'),
        dict(type='tcnn_mm.CheckpointMetaHook'),
        dict(type='tcnn_mm.EpochSeedHook'),
        dict(type='tcnn_mm.PatchProgressHook'),
        dict(type='tcnn_mm.PatchReportHook'),
        dict(type='tcnn_mm.PatchScoresHook'),
        dict(type='tcnn_mm.PlateauStages'),
        dict(type='tcnn_mm.ScoreMapHook'),
        dict(type='tcnn_mm.StrictCheckpointHook'),
        dict(type='tcnn_mm.VOCResultsHook'),
    ],
    'OPTIM_WRAPPER_CONSTRUCTORS': [
        dict(type='tcnn_mm.TrainableParams', optim_wrapper_cfg=dict(optimizer=dict(type='SGD')))
    ],
    'VISUALIZERS': [dict(type='tcnn_mm.ScoreMapVisualizer')],
}
# OpenMMLab's own mmdet needs compiled ops. Names that need an absent package are left out.
MMDET = importlib.util.find_spec('mmdet') is not None
NEEDS = {
    'tcnn_mm.PatchDetectionMetric': 'mmdet',
    'tcnn_mm.COCOObjects': 'mmdet',
    'tcnn_mm.TimmBackbone': 'timm',
}
# What resolves from mmdet's scope also where mmcv has no compiled ops.
WITHOUT_OPS = ('METRICS', 'DATASETS', 'TRANSFORMS', 'VISUALIZERS')

SCRIPT = """
import json, sys, mmengine.registry as registry
registry.init_default_scope(sys.argv[1])
built = []
for name, configs in json.loads(sys.argv[2]).items():
    for config in configs:
        getattr(registry, name).build(dict(config))
        built.append(config['type'])
print(json.dumps(built))
"""


@pytest.fixture
def folder(tmp_path):
    """A VOC folder and a bank of one patch, in the folder where the script runs."""
    import numpy as np

    box = dict(name='dog', box=(1, 1, 20, 20))
    write_voc_folder(
        tmp_path / 'VOC', {'a': (np.zeros((30, 40, 3), np.uint8), [box])}, dict(train=['a'])
    )
    (tmp_path / 'classes.txt').write_text('JPEGImages\n')
    write_coco(tmp_path / 'coco', count=2)
    write_csv(tmp_path / 'list', count=2)
    (image,) = (tmp_path / 'VOC' / 'JPEGImages').iterdir()
    record = dict(file=str(image), id='a', labels=[0])
    records = dict(classes=['dog'], images=[record])
    (tmp_path / 'records.json').write_text(json.dumps(records))
    (tmp_path / 'bank').mkdir()
    np.zeros((1, 1, 4), np.float16).tofile(tmp_path / 'bank' / 'features.f16')
    one = np.zeros(1, np.int64)
    np.savez(
        tmp_path / 'bank' / 'rows.npz',
        boxes=np.zeros((1, 4), np.float32),
        labels=one,
        first=one,
        sizes=one + 1,
    )
    manifest = dict(recipe={}, shape=[1, 1, 4], classes=['dog'], pictures=[{}])
    (tmp_path / 'bank' / 'manifest.json').write_text(json.dumps(manifest))
    return tmp_path


def build_all(scope, configs, folder):
    done = run_script(SCRIPT, scope, json.dumps(configs), cwd=folder)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


def all_types(configs):
    return [config['type'] for each in configs.values() for config in each]


@pytest.mark.parametrize('scope', ['mmengine', 'mmpretrain'])
def test_builds_from_scope(scope, folder):
    """All registries, from the scopes of mmengine and mmpretrain, each in a process of its own."""
    configs = {
        name: [c for c in each if importlib.util.find_spec(NEEDS.get(c['type'], 'mmengine'))]
        for name, each in CONFIGS.items()
    }
    assert build_all(scope, configs, folder) == all_types(configs)


@pytest.mark.skipif(not MMDET, reason='mmdet is not installed')
def test_builds_from_mmdet(folder):
    """Data, transforms, metrics and visualizers from mmdet's scope, without compiled ops."""
    configs = {name: CONFIGS[name] for name in WITHOUT_OPS}
    assert build_all('mmdet', configs, folder) == all_types(configs)


def test_builds_the_rest_from_mmdet(folder):
    """Models, hooks and task utils from mmdet's scope need mmcv's compiled ops."""
    pytest.importorskip('mmcv._ext', reason="mmdet's registry imports mmcv's compiled ops")
    configs = {name: CONFIGS[name] for name in CONFIGS if name not in WITHOUT_OPS}
    assert build_all('mmdet', configs, folder) == all_types(configs)


def test_images_of_any_size_in_a_batch(tmp_path):
    """A data loader of ours names its collate function, and inheriting it adds a `_scope_`."""
    import tcnn_mm  # noqa: F401

    path = tmp_path / 'mine.py'
    path.write_text("_base_ = 'tcnn_mm::_base_/experiments/tcnn_minivoc.py'\n")
    cfg = Config.fromfile(path)
    init_default_scope(cfg.default_scope)
    loader = cfg.test_dataloader
    assert loader.collate_fn == dict(type='tcnn_mm.pseudo_collate', _scope_='tcnn_mm')
    loader.update(num_workers=0, persistent_workers=False)
    loader.dataset.indices = 10
    batch = next(iter(Runner.build_dataloader(loader)))
    assert len({image.shape for image in batch['inputs']}) == 2


def test_the_list_above_is_complete():
    """No registered name is missing from the list of this file."""
    import tcnn_mm.registry as ours

    for name, configs in CONFIGS.items():
        registry = getattr(ours, name)
        registry.import_from_location()
        assert set(registry.module_dict) == {c['type'].split('.')[1] for c in configs}, name
