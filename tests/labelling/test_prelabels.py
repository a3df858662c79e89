"""Predictions as files for labelling tools: what is imported there and exported comes back."""

import json

import numpy as np
import pytest
from PIL import Image

from tcnn_mm.cli.main import main
from tcnn_mm.datasets.formats.read_data import ReadOptions, read_data
from tcnn_mm.errors import UserError
from tcnn_mm.inference.predict_folder import predict_to_folder
from tcnn_mm.labelling.prelabel_files import write_prelabels
from tcnn_mm.labelling.prelabels import proposals, read_prelabels

NAMES = ('a cat', '<dog & "co">')


@pytest.fixture
def predicted(tmp_path):
    """Two images with two labels and one, one without a label and one that failed."""
    for name in ('one', 'two', 'none'):
        image = np.zeros((48, 64, 3), np.uint8)
        (tmp_path / 'photos').mkdir(exist_ok=True)
        Image.fromarray(image).save(tmp_path / 'photos' / f'{name}.png')

    def entry(name, probabilities, patches):
        return dict(
            img_path=str(tmp_path / 'photos' / f'{name}.png'),
            scores=dict(zip(NAMES, (0.01, 0.02), strict=True)),
            probabilities=dict(zip(NAMES, probabilities, strict=True)),
            labels=list(patches),
            patches=patches,
        )

    first = dict(box=[1.5, 2.0, 40.0, 40.25], score=0.4)
    second = dict(box=[30.0, 8.0, 62.0, 40.0], score=0.2)
    content = dict(
        classes=list(NAMES),
        images=[
            entry('one', (0.6, 0.9), {NAMES[0]: [first], NAMES[1]: [second, first]}),
            entry('two', (0.7, None), {NAMES[0]: [second, first]}),
            entry('none', (0.1, 0.1), {}),
            dict(img_path=str(tmp_path / 'photos/broken.png'), error='truncated'),
        ],
    )
    (tmp_path / 'found').mkdir()
    (tmp_path / 'found/predictions.json').write_text(json.dumps(content))
    return tmp_path


def given(patches):
    """What the fixture proposes: file → labels with their boxes."""
    first, second = (1.5, 2.0, 40.0, 40.25), (30.0, 8.0, 62.0, 40.0)
    both = {
        'one.png': [(NAMES[1], second), (NAMES[1], first), (NAMES[0], first)],
        'two.png': [(NAMES[0], second), (NAMES[0], first)],
        'none.png': [],
    }
    if patches == 2:
        return both
    return {key: [v for n, v in enumerate(values) if n in (0, 2)] for key, values in both.items()}


def read_back(root):
    """The same of a folder as `tcnn fit` reads it."""
    found = read_data(str(root), ReadOptions(unannotated='negative'))
    return {
        image.id: [
            (o.name, tuple(round(value, 2) for value in o.box)) for o in image.checked.image.objects
        ]
        for image in found.images
    }


@pytest.mark.parametrize('patches', [1, 2])
@pytest.mark.parametrize('form', ['cvat', 'coco'])
def test_boxes_come_back_as_they_were_proposed(predicted, form, patches):
    """Written beside the images and read by `tcnn fit`: the same classes and boxes."""
    path = predicted / 'photos' / dict(cvat='annotations.xml', coco='coco.json')[form]
    lines = write_prelabels(str(predicted / 'found'), form, str(path), patches)
    expected = given(patches)
    number = sum(map(len, expected.values()))
    assert lines[0] == f'{path}: {number} labels of 3 images'
    assert lines[-1] == 'left out: 1 images without a result'
    found = read_back(predicted / 'photos')
    assert {key: sorted(value) for key, value in found.items()} == {
        key: sorted(value) for key, value in expected.items()
    }


@pytest.mark.parametrize('patches', [0, 2])
def test_accepted_predictions_of_label_studio_come_back(predicted, patches):
    """Tasks whose predictions a person accepts are what tcnn fit reads: boxes, or choices."""
    path = predicted / 'tasks.json'
    lines = write_prelabels(str(predicted / 'found'), 'label-studio', str(path), patches)
    assert 'tasks.xml' in lines[1] and NAMES[0] in (predicted / 'tasks.xml').read_text()
    tasks = json.loads(path.read_text())
    assert [task['predictions'][0]['score'] for task in tasks[:2]] == [0.9, 0.7]
    for task in tasks:
        said = task.pop('predictions')
        task['annotations'] = [dict(result=said[0]['result'] if said else [])]
    (predicted / 'photos/export.json').write_text(json.dumps(tasks))
    if patches:
        found = read_back(predicted / 'photos')
        assert {key: sorted(value) for key, value in found.items()} == {
            key: sorted(value) for key, value in given(2).items()
        }
    else:
        found = read_data(str(predicted / 'photos'))
        labels = {image.id: image.checked.image.labels for image in found.images}
        assert labels == {'one.png': [NAMES[1], NAMES[0]], 'two.png': [NAMES[0]], 'none.png': []}


def test_labels_of_whole_images_come_back(predicted):
    """--patches 0: tags of CVAT."""
    path = predicted / 'photos/annotations.xml'
    write_prelabels(str(predicted / 'found'), 'cvat', str(path), patches=0)
    found = read_data(str(predicted / 'photos'))
    assert not found.boxes
    labels = {image.id: image.checked.image.labels for image in found.images}
    assert labels == {'one.png': [NAMES[1], NAMES[0]], 'two.png': [NAMES[0]], 'none.png': []}
    with pytest.raises(UserError, match='has no box, which COCO needs: give --patches 1'):
        write_prelabels(str(predicted / 'found'), 'coco', str(path), patches=0)


def test_the_surest_class_is_first_by_its_probability():
    """Where a class has none, its image score counts."""
    patch = [dict(box=[0, 0, 1, 1], score=0.5)]
    entry = dict(
        scores=dict(a=0.01, b=0.02, c=0.5),
        probabilities=dict(a=0.9, b=0.3, c=None),
        labels=['a', 'b', 'c'],
        patches=dict(a=patch, b=patch, c=patch),
    )
    assert [(p.name, p.score) for p in proposals(entry, 1)] == [('a', 0.9), ('c', 0.5), ('b', 0.3)]
    del entry['probabilities']
    assert [p.name for p in proposals(entry, 0)] == ['c', 'b', 'a']


def test_coco_results_have_the_numbers_of_the_ground_truth(predicted):
    """Images by their names, categories by theirs; what it lacks is said."""
    truth = dict(
        images=[
            dict(id=10 + n, file_name=f'x/{name}.png')
            for n, name in enumerate(('none', 'two', 'one'))
        ],
        annotations=[],
        categories=[dict(id=7, name=NAMES[1]), dict(id=3, name=NAMES[0])],
    )
    (predicted / 'truth.json').write_text(json.dumps(truth))
    command = ['prelabel', str(predicted / 'found'), '--to', 'coco-results', '--out']
    command += [str(predicted / 'results.json'), '--instances', str(predicted / 'truth.json')]
    main(command)
    results = json.loads((predicted / 'results.json').read_text())
    assert [(r['image_id'], r['category_id'], r['score']) for r in results] == [
        (12, 7, 0.9), (12, 3, 0.6), (11, 3, 0.7),
    ]  # fmt: skip
    assert results[0]['bbox'] == [30, 8, 32, 32]
    truth['images'].pop()
    (predicted / 'truth.json').write_text(json.dumps(truth))
    with pytest.raises(UserError, match=r'has no image one.png \(1 such\)'):
        write_prelabels(
            str(predicted / 'found'),
            'coco-results',
            str(predicted / 'r.json'),
            instances=str(predicted / 'truth.json'),
        )


def test_an_image_that_tools_turn_has_labels_alone(predicted):
    """Its patches are those of the pixels as stored; predicted upright it has boxes."""
    image = Image.new('RGB', (64, 48))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(predicted / 'photos/one.png', exif=exif)
    found = read_prelabels(str(predicted / 'found'), 1)
    assert found.turned == 1 and found.images[0].size_hw == (64, 48)
    assert all(each.box is None for each in found.images[0].proposals)
    (predicted / 'found/predictions.jsonl').write_text('{"upright": true}\n')
    found = read_prelabels(str(predicted / 'found'), 1)
    assert found.turned == 0 and found.images[0].proposals[0].box is not None


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (None, 'cannot be read'),
        ('{', 'broken JSON'),
        ('[]', 'not as tcnn predict writes it'),
        ('{"classes": ["a"], "images": []}', 'no image with a result'),
        ('{"classes": ["a"], "images": [{"img_path": "x"}]}', 'x: '),
    ],
)
def test_other_files_are_refused(tmp_path, content, message):
    """In one line with the file."""
    path = tmp_path / 'predictions.json'
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=message) as caught:
        read_prelabels(str(path), 1)
    assert '\n' not in str(caught.value)


def test_what_predict_writes_is_read(workspace):
    """The real command's file, thresholds or not."""
    predict_to_folder('in/a.png', 'a.pth', 'o', overlays=False)
    found = read_prelabels('o', 2)
    (image,) = found.images
    assert image.path == str(workspace / 'in/a.png') and image.proposals[0].box is not None
