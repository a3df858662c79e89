"""A file name that is not UTF-8, or has a line end, a quote or 240 letters, loses no result."""

import csv
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DATASETS, init_default_scope
from PIL import Image

from tcnn_mm.datasets.feature_bank import FeatureBank
from tcnn_mm.datasets.formats.id_list import write_ids
from tcnn_mm.datasets.formats.read_data import read_data
from tcnn_mm.datasets.image_ids import image_id
from tcnn_mm.datasets.image_records import write_records
from tcnn_mm.datasets.mini_voc.shapes import TARGET_CLASSES
from tcnn_mm.engine.build_bank import build_bank
from tcnn_mm.errors import UserError
from tcnn_mm.estimator.fit_data import write_found
from tcnn_mm.inference.predict_folder import predict_to_folder
from tcnn_mm.reports.report import write_report
from tests.support.commands import run
from tests.support.runs import test as run_test
from tests.support.unusual_names import NAMES, save_images

IDS = [image_id(f'in/{name}') for name in NAMES]


@pytest.fixture
def records(tmp_path):
    """records.json of one image per name, all with one object."""
    paths = save_images(tmp_path / 'in')
    images = [
        dict(id=i, file=path, labels=[at % 2], boxes=[[5, 5, 50, 50]], box_labels=[at % 2])
        for at, (i, path) in enumerate(zip(IDS, paths, strict=True))
    ]
    write_records(str(tmp_path / 'records.json'), TARGET_CLASSES, images)
    return str(tmp_path / 'records.json')


def source(records, **more):
    """Config of the images of `records`."""
    pipeline = [dict(type='tcnn_mm.LoadVOCObjects'), dict(type='tcnn_mm.PackPatchInputs')]
    return dict(type='tcnn_mm.ImageRecords', ann_file=records, pipeline=pipeline, **more)


def test_a_prediction_writes_every_result(workspace):
    """predictions.json has each path as it is, with JSON's escapes; each image has an overlay."""
    paths = save_images(workspace / 'names')
    (workspace / 'names' / os.fsdecode(b'\xe8.jpg')).write_bytes(b'no image')
    done = predict_to_folder('names', 'a.pth', 'o')
    text = (workspace / 'o' / 'predictions.json').read_text(encoding='utf-8')
    images = json.loads(text)['images']
    good = [result for result in images if 'error' not in result]
    assert sorted(r['img_path'] for r in good) == sorted(os.path.relpath(p) for p in paths)
    overlays = [r['overlay'] for r in good]
    assert len(set(overlays)) == len(paths)
    for name in overlays:
        assert name.isprintable() and np.asarray(Image.open(workspace / 'o' / name)).ndim == 3
    lines = done.summary().splitlines()
    assert sum(line.startswith('names/') for line in lines) == len(paths)
    assert all(line.encode() for line in lines)
    (error,) = (result['error'] for result in images if 'error' in result)
    assert error.startswith(r'names/\xe8.jpg: not an image') and error.isprintable()


def test_the_command_ends_as_always(workspace):
    """`tcnn predict` prints every name on any output, also on one of ASCII alone."""
    names = [os.fsdecode(b'caf\xe9.png'), 'ünï.png', 'new\nline.png']
    save_images(workspace / 'names', names)
    done = run('tcnn', 'predict', 'names', '--checkpoint', 'a.pth', '--no-overlays', cwd=workspace)
    assert done.returncode == 0 and r'names/caf\xe9.png: ' in done.stdout, done.stderr
    # The surrogate itself, and λ, on a stream that knows neither.
    code = (
        'from tcnn_mm.cli.errors import run_tool\nfrom tcnn_mm.errors import UserError\n'
        "def main():\n    print('caf\\udce9 λ')\n    raise UserError('th\\udce9')\nrun_tool(main)"
    )
    done = subprocess.run(
        [sys.executable, '-c', code],
        capture_output=True,
        text=True,
        env={**os.environ, 'PYTHONIOENCODING': 'ascii', 'PYTHONPATH': os.pathsep.join(sys.path)},
    )
    assert (done.returncode, done.stdout) == (1, '\\udce9'.join(('caf', ' \\u03bb\n')))
    assert done.stderr == 'error: th\\udce9\n'


def test_a_test_writes_scores_maps_and_report(tmp_path, trained_run, records):
    """image_scores.csv has the ids; every image has a score map; the report names them."""
    cfg = trained_run.config(tmp_path / 'run')
    cfg.test_dataloader.dataset = source(records, test_mode=True)
    hook = dict(type='tcnn_mm.ScoreMapHook', max_images=20)
    cfg.custom_hooks = [*cfg.custom_hooks, hook]
    run_test(cfg, trained_run.folder / 'epoch_2.pth')
    with open(tmp_path / 'run' / 'image_scores.csv', encoding='utf-8', newline='') as file:
        assert [row[0] for row in csv.reader(file)] == ['id', *IDS]
    assert len(list((tmp_path / 'run' / 'score_maps').rglob('*.png'))) == len(IDS)
    with open(write_report(tmp_path / 'run', images=4), encoding='utf-8') as file:
        page = file.read()
    assert 'Localization map' in page and r'in/caf\xe9.png, rank' in page


def test_a_feature_bank_keeps_ids_and_paths(tmp_path, records):
    """manifest.json has the real paths; a list of ids, or of names, chooses rows."""
    init_default_scope('mmpretrain')
    path = os.path.join(os.path.dirname(__file__), '..', 'configs', 'tcnn_minivoc_bank.py')
    cfg = Config.fromfile(path)
    build_bank(cfg, dict(bank=str(tmp_path / 'bank'), source=source(records), test_mode=True))
    bank = FeatureBank(str(tmp_path / 'bank'), test_mode=True)
    samples = [bank[i]['data_samples'] for i in range(len(bank))]
    assert [sample.img_id for sample in samples] == IDS
    assert all(os.path.isfile(sample.img_path) for sample in samples)
    write_ids(str(tmp_path / 'ids.txt'), IDS[:3])
    chosen = FeatureBank(str(tmp_path / 'bank'), test_mode=True, ids=str(tmp_path / 'ids.txt'))
    assert [chosen[i]['data_samples'].img_id for i in range(len(chosen))] == IDS[:3]


def test_folders_of_classes_are_read_as_fit_does(tmp_path):
    """Every file is an image with an id of its own; a class that is not UTF-8 is one line."""
    save_images(tmp_path / 'in' / 'cat')
    save_images(tmp_path / 'in' / 'dog')
    found = read_data(str(tmp_path / 'in'))
    records = write_found(found, str(tmp_path / 'out'))
    data = DATASETS.build(dict(type='tcnn_mm.ImageRecords', ann_file=records))
    infos = [data.get_data_info(i) for i in range(len(data))]
    expected = {image_id(f'{folder}/{name}') for folder in ('cat', 'dog') for name in NAMES}
    assert {info['img_id'] for info in infos} == expected and len(infos) == len(expected)
    assert all(os.path.isfile(info['img_path']) for info in infos)
    save_images(tmp_path / 'in' / os.fsdecode(b'caf\xe9'), ['a.png'])
    with pytest.raises(UserError, match=r'"caf\\xe9" is not UTF-8; rename it') as error:
        read_data(str(tmp_path / 'in'))
    assert str(error.value).isprintable()


def test_data_sets_of_configs_have_printable_ids(tmp_path):
    """VOC, class folders by label list: ids are text, paths open the files."""
    save_images(tmp_path / 'cat', NAMES)
    save_images(tmp_path / 'dog', NAMES[:2])
    data = DATASETS.build(dict(type='tcnn_mm.ImageList', data_root=str(tmp_path)))
    infos = [data.get_data_info(i) for i in range(len(data))]
    assert len(infos) == len(NAMES) + 2 == len({info['img_id'] for info in infos})
    assert all(info['img_id'].isprintable() for info in infos)
    assert all(os.path.isfile(info['img_path']) for info in infos)
