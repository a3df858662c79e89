"""`tcnn fit OUT --add DIR`: new images and classes join; features are kept, without pixels."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from tcnn_mm.cli.main import main
from tcnn_mm.datasets.bank_reading import read_manifest
from tcnn_mm.datasets.feature_bank import FeatureBank
from tcnn_mm.datasets.formats.read_data import read_data
from tcnn_mm.engine import earlier_bank
from tcnn_mm.errors import UserError
from tcnn_mm.estimator import fit as fits
from tcnn_mm.estimator.fold_choice import FoldOptions
from tcnn_mm.estimator.growth import grow, read_earlier_fit
from tests.support.own_data import write_csv, write_voc
from tests.support.voc_folder import write_voc_folder

COLOURS = dict(green=(40, 200, 40), red=(220, 40, 40))


@pytest.fixture(autouse=True, scope='module')
def few_epochs():
    """Fits of two epochs, whose folds are trained in this process."""
    patch, plan = pytest.MonkeyPatch(), fits.make_plan
    patch.setattr(fits, 'make_plan', lambda *a, **k: dataclasses.replace(plan(*a, **k), epochs=2))
    patch.setattr('tcnn_mm.estimator.fold_training.count_processes', lambda tasks: 1)
    yield
    patch.undo()


def write_new(root, classes=('green', 'red'), count=6):
    """A VOC folder of squares in other places, of these classes in turn."""
    random, images = np.random.default_rng(5), {}
    for at in range(count):
        name = classes[at % len(classes)]
        image = random.integers(100, 140, (90, 120, 3), dtype=np.uint8)
        x, y = random.integers(0, 40, 2)
        image[y : y + 50, x : x + 50] = COLOURS[name]
        box = (int(x) + 1, int(y) + 1, int(x) + 50, int(y) + 50)
        images[f'new_{at}'] = (image, [dict(name=name, box=box)])
    return write_voc_folder(root, images)


def notes_of_copying(monkeypatch):
    """What is logged of copied features: a second fit of one process logs nothing at 'current'."""
    notes = []
    monkeypatch.setattr(earlier_bank, 'print_log', lambda text, *args: notes.append(text))
    return notes


@pytest.fixture(scope='module', params=[0, 3], ids=['split', 'folds'])
def earlier(request, few_epochs, tmp_path_factory):
    """A fit of twelve images, with one split or three folds, whose images are gone now."""
    root = tmp_path_factory.mktemp('earlier')
    data = write_voc(root / 'data', count=12)
    folds = FoldOptions(request.param)
    fits.fit(str(data), 'minivoc', str(root / 'out'), scales=[1.0], folds=folds)
    shutil.rmtree(data)
    return root / 'out'


@pytest.fixture(scope='module')
def grown(earlier, tmp_path_factory):
    """The same with six new images, of a new class among them."""
    root = tmp_path_factory.mktemp('grown')
    more = write_new(root / 'more')
    checkpoint = fits.add_to_fit(str(earlier), str(more), str(root / 'out'))
    return root / 'out', checkpoint


def rows_of(folder):
    """Id → features of its rows."""
    bank = FeatureBank(str(folder), test_mode=True)
    return {
        record['img_id']: np.array(bank.features[:, first : first + size])
        for record, first, size in zip(
            bank.manifest['pictures'], bank.first, bank.sizes, strict=True
        )
    }


def test_features_of_the_earlier_images_are_copied(earlier, grown):
    """Bit for bit, without their files; each image keeps the part that it had."""
    out, _ = grown
    for role in ('train', 'val', 'test'):
        if not (earlier / 'banks' / role).is_dir():
            continue
        before, after = rows_of(earlier / 'banks' / role), rows_of(out / 'banks' / role)
        assert before.keys() <= after.keys()
        assert all(np.array_equal(before[key], after[key]) for key in before)
    assert len(rows_of(out / 'banks/train')) > len(rows_of(earlier / 'banks/train'))


def test_classes_join_behind_the_earlier_ones(earlier, grown):
    """Labels of the earlier classes keep their numbers; the new class is tested too."""
    out, checkpoint = grown
    assert read_manifest(str(out / 'banks/train'))['classes'] == ['blue', 'red', 'green']
    results = (out / 'results.txt').read_text()
    assert 'green' in results and 'Before and after' in results
    found = json.loads((out / 'before_and_after.json').read_text())
    assert set(found['difference']['classes']) == {'blue', 'red'}
    assert found['images'] == (12 if (earlier / 'folds').is_dir() else 2)
    assert (out / 'report.html').stat().st_size > 0


def test_what_nobody_annotated_is_unknown(grown):
    """Earlier images are neither with nor without the new class, new ones of a class they lack."""
    out, _ = grown
    records = {}
    for role in ('train', 'val', 'test'):
        if (out / 'banks' / role).is_dir():
            records.update(
                {p['img_id']: p for p in read_manifest(str(out / 'banks' / role))['pictures']}
            )
    blue, green = 0, 2
    assert len(records) == 18
    for key, record in records.items():
        assert record['gt_label_difficult'] == ([blue] if 'new' in key else [green])


def test_the_same_command_goes_on(earlier, grown, tmp_path):
    """A finished one computes and trains nothing again; the earlier fit is as it was."""
    out, checkpoint = grown
    more = out.parent / 'more'
    before = {path: path.stat().st_mtime_ns for path in sorted(out.rglob('*.f16'))}
    assert fits.add_to_fit(str(earlier), str(more), str(out)) == checkpoint
    assert before == {path: path.stat().st_mtime_ns for path in sorted(out.rglob('*.f16'))}


def test_an_image_given_again_takes_its_new_annotations(tmp_path, monkeypatch):
    """Known by its content, under another name; classes that the new data lack keep theirs."""
    data = write_voc(tmp_path / 'data', count=10)
    fits.fit(str(data), 'minivoc', str(tmp_path / 'out'), scales=[1.0])
    fit = read_earlier_fit(str(tmp_path / 'out'))
    again = np.asarray(Image.open(data / 'JPEGImages' / 'image_0.png')).copy()
    objects = [dict(name='green', box=(1, 1, 50, 50)), dict(name='red', box=(1, 1, 40, 40))]
    more = write_voc_folder(tmp_path / 'more', {'other_name': (again, objects)})
    path = next((more / 'JPEGImages').iterdir())
    shutil.copyfile(data / 'JPEGImages' / 'image_0.png', path)
    found = grow(fit, read_data(str(more)))
    assert len(found.images) == 10 and found.classes == ['blue', 'red', 'green']
    key = next(record['id'] for record in fit.records if 'image_0' in record['id'])
    image = next(image for image in found.images if image.id == key)
    assert [o.name for o in image.checked.image.objects] == ['green', 'red', 'blue']
    assert image.unknown == () and image.checked.image.part == fit.roles[key]
    others = [image for image in found.images if image.id != key]
    assert all(image.unknown == ('green',) for image in others)
    assert any('1 images are in' in line for line in found.account.lines())


def test_a_bank_of_other_patches_is_not_copied(tmp_path, monkeypatch):
    """Other scales than those of the earlier bank: computed, and said."""
    data = write_voc(tmp_path / 'data', count=10)
    fits.fit(str(data), 'minivoc', str(tmp_path / 'a'), scales=[1.0])
    fit = read_earlier_fit(str(tmp_path / 'a'))
    more = write_new(tmp_path / 'more')
    notes = notes_of_copying(monkeypatch)
    fits.fit(str(more), 'minivoc', str(tmp_path / 'b'), scales=[1.3], earlier=fit)
    assert len(notes) == 3 and all('of another recipe' in note for note in notes)


def test_damaged_features_are_computed_again(tmp_path, monkeypatch):
    """A changed byte is found by the checksum; without the file that is an error."""
    data = write_voc(tmp_path / 'data', count=10)
    fits.fit(str(data), 'minivoc', str(tmp_path / 'a'), scales=[1.0])
    clean = rows_of(tmp_path / 'a/banks/train')
    features = tmp_path / 'a/banks/train/features.f16'
    content = bytearray(features.read_bytes())
    content[10] ^= 1
    features.write_bytes(content)
    more = write_new(tmp_path / 'more')
    notes = notes_of_copying(monkeypatch)
    fits.add_to_fit(str(tmp_path / 'a'), str(more), str(tmp_path / 'b'))
    assert any('are damaged: computed again' in note for note in notes)
    after = rows_of(tmp_path / 'b/banks/train')
    assert all(np.array_equal(clean[key], after[key]) for key in clean)
    shutil.rmtree(data)
    with pytest.raises(UserError, match='has no features of them; put the files back'):
        fits.add_to_fit(str(tmp_path / 'a'), str(more), str(tmp_path / 'c'))


def test_what_cannot_be_joined_is_refused(earlier, tmp_path, capsys):
    """Image labels to boxes, the folder itself, a folder that is no fit, options of the network."""
    table = write_csv(tmp_path / 'table')
    more = write_new(tmp_path / 'more')
    with pytest.raises(UserError, match='cannot be trained together'):
        fits.add_to_fit(str(earlier), str(table), str(tmp_path / 'out'))
    with pytest.raises(UserError, match='give another folder'):
        fits.add_to_fit(str(earlier), str(more), str(earlier))
    with pytest.raises(UserError, match='no fit to go on from: config.py is missing'):
        fits.add_to_fit(str(more), str(more), str(tmp_path / 'out'))
    for option in (['--backbone', 'minivoc'], ['--scales', '1'], ['--quick']):
        command = ['fit', str(earlier), '--add', str(more), '--out', str(tmp_path / 'out')]
        with pytest.raises(SystemExit):
            main([*command, *option])
        assert f'{option[0]}: with --add the network and the scales' in capsys.readouterr().err
    assert not (tmp_path / 'out' / 'config.py').exists()
