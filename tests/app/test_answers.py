"""What the page says of an image is what the inferencer says."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tcnn_mm.app import answers
from tcnn_mm.app.answers import answer, as_figures, as_json, as_table, more_than_shown
from tcnn_mm.app.server import is_loopback
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.training_images import keep_training_images
from tcnn_mm.inference.inferencer import TCNNInferencer
from tests.support.small_checkpoint import write_small_checkpoint


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`a.pth`, one of whose classes is named like HTML, and `photo.png`."""
    folder = tmp_path_factory.mktemp('app')
    thresholds = {'key': 0.0, '<b>&': None, 'house': 1.0}
    write_small_checkpoint(folder / 'a.pth', thresholds, classes=list(thresholds))
    pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    Image.fromarray(pixels).save(folder / 'photo.png')
    return folder


@pytest.fixture(scope='module')
def inferencer(folder: Path) -> TCNNInferencer:
    return TCNNInferencer(checkpoint=folder / 'a.pth', device='cpu')


def test_the_json(inferencer: TCNNInferencer, folder: Path) -> None:
    """Scores of all classes, patches of the labels, thresholds as they are stored."""
    path = str(folder / 'photo.png')
    found = as_json(inferencer, answer(inferencer, path, score_maps=False))
    expected = inferencer(path)[0]
    assert found['scores'] == expected['scores'] and found['labels'] == ['key']
    assert found['patches'] == {'key': expected['patches']['key']}
    assert found['thresholds'] == inferencer.thresholds and found['probabilities'] is None
    assert found['image'] == dict(width=80, height=60) and found['notes'] == []


def test_chosen_classes(inferencer: TCNNInferencer, folder: Path) -> None:
    """Their patches and figures, in the order given."""
    found = answer(inferencer, str(folder / 'photo.png'), ['house', 'key'])
    assert list(found.result['patches']) == ['house', 'key']
    figures = as_figures(inferencer, found)
    assert [caption.split(',')[0] for _, caption in figures] == ['house', 'key']
    assert 'not a label' in figures[0][1]
    assert all(image.dtype == np.uint8 and image.shape[2] == 3 for image, _ in figures)


def test_the_table_escapes_names(inferencer: TCNNInferencer, folder: Path) -> None:
    """A class may be named like HTML; a class without threshold has a dash."""
    table = as_table(inferencer, answer(inferencer, str(folder / 'photo.png')))
    assert '&lt;b&gt;&amp;' in table and '<b>' not in table
    assert '<tr class="label"><td>key</td>' in table and '<td>–</td>' in table


def test_the_table_has_probabilities(inferencer: TCNNInferencer, folder: Path) -> None:
    """Of a calibrated checkpoint; a dash for a class without."""
    found = answer(inferencer, str(folder / 'photo.png'))
    assert 'probability' not in as_table(inferencer, found)
    found.result['probabilities'] = {'key': 0.834, '<b>&': None, 'house': 0.001}
    table = as_table(inferencer, found)
    assert '<th>probability</th>' in table and '<td>83 %</td>' in table and '<td>0 %</td>' in table
    assert as_json(inferencer, found)['probabilities']['<b>&'] is None


def test_an_image_unlike_the_training_images_has_a_note(
    inferencer: TCNNInferencer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The value is in the JSON, the note in both; null of a checkpoint that keeps no images."""
    path = str(folder / 'photo.png')
    assert as_json(inferencer, answer(inferencer, path))['unfamiliar'] is None
    kept = keep_training_images(np.eye(256)[:1] + 0.001 * np.eye(256)[:20])
    monkeypatch.setattr(inferencer, 'training_images', kept)
    found = answer(inferencer, path)
    said = as_json(inferencer, found)
    assert said['unfamiliar'] == 1 and said['notes'][0].startswith('Perhaps none of these classes')
    assert 'more unlike the training images than 100% of them' in as_table(inferencer, found)


def test_many_classes(
    inferencer: TCNNInferencer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table and the figures stop at a number and say so; too many chosen ones are refused."""
    monkeypatch.setattr(answers, 'MOST_ROWS', 1)
    monkeypatch.setattr(answers, 'MOST_FIGURES', 1)
    path = str(folder / 'photo.png')
    found = answer(inferencer, path)
    assert '2 more classes have lower scores' in as_table(inferencer, found)
    assert more_than_shown(found) == ''
    both = answer(inferencer, path, ['key', 'house'], score_maps=False)
    assert more_than_shown(both) == 'No figure for house: choose these classes to see them'
    with pytest.raises(UserError, match='2 classes were chosen: choose at most 1'):
        answer(inferencer, path, ['key', 'house'])


def test_errors_name_the_upload(inferencer: TCNNInferencer, folder: Path) -> None:
    """The reader's file name, not the place where the upload is kept."""
    (folder / 'broken.jpg').write_bytes(b'no image')
    with pytest.raises(UserError, match=r'^broken\.jpg: ') as error:
        answer(inferencer, str(folder / 'broken.jpg'))
    assert str(folder) not in str(error.value) and '\n' not in str(error.value)
    with pytest.raises(UserError, match='no image was given'):
        answer(inferencer, None)
    with pytest.raises(UserError, match='no class cat'):
        answer(inferencer, str(folder / 'photo.png'), ['cat'])


def test_limits_are_those_of_every_command(
    inferencer: TCNNInferencer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pixels that a file declares, and patches of its grid."""
    monkeypatch.setenv('TCNN_MAX_PIXELS', '100')
    with pytest.raises(UserError, match='TCNN_MAX_PIXELS'):
        answer(inferencer, str(folder / 'photo.png'))
    monkeypatch.delenv('TCNN_MAX_PIXELS')
    monkeypatch.setenv('TCNN_MAX_PATCHES', '2')
    Image.new('RGB', (70, 61)).save(folder / 'other.png')
    with pytest.raises(UserError, match='TCNN_MAX_PATCHES'):
        answer(inferencer, str(folder / 'other.png'))


def test_the_rotation_that_was_ignored_is_told(inferencer: TCNNInferencer, folder: Path) -> None:
    """As `tcnn predict` does."""
    exif = Image.Exif()
    exif[274] = 6
    Image.new('RGB', (64, 80)).save(folder / 'turned.jpg', exif=exif)
    found = answer(inferencer, str(folder / 'turned.jpg'))
    assert found.notes == ['The EXIF rotation of this file was ignored, as in training']


@pytest.mark.parametrize(
    ('host', 'own'),
    [('127.0.0.1', True), ('::1', True), ('localhost', True), ('0.0.0.0', False), ('box', False)],
)
def test_addresses_of_this_machine_alone(host: str, own: bool) -> None:
    """Others are told that the page has no password."""
    assert is_loopback(host) is own
