"""Tasks of Label Studio: shapes, choices, several annotations, and what is refused."""

import json

import pytest

from tcnn_mm.datasets.formats.read_data import ReadOptions, read_data
from tcnn_mm.errors import UserError
from tests.support.exports import HEIGHT, WIDTH, draw, write

RECTANGLE = dict(x=10, y=20, width=30, height=40, rotation=0, rectanglelabels=['cat'])


def task(*results, image='/data/local-files/?d=photos/a.jpg', **more):
    """A task with one annotation."""
    annotation = dict(id=1, was_cancelled=False, result=list(results))
    return dict(id=7, data=dict(image=image), annotations=[annotation], **more)


def shape(kind='rectanglelabels', **value):
    """A result of a shape."""
    return dict(type=kind, value=value)


def read(tmp_path, *tasks, files=('photos/a.jpg',)):
    """The images of a project."""
    for file in files:
        draw(tmp_path / file)
    write(tmp_path / 'project.json', json.dumps(tasks))
    return read_data(str(tmp_path), ReadOptions(allow_missing=True))


def only(found):
    """Name and box of the objects of the one image."""
    (image,) = found.images
    return [(o.name, *(round(v, 2) for v in o.box)) for o in image.checked.image.objects]


@pytest.mark.parametrize(
    ('result', 'box'),
    [
        (shape(**RECTANGLE), (10, 20, 40, 60)),
        (
            shape('ellipselabels', x=50, y=50, radiusX=10, radiusY=20, ellipselabels=['cat']),
            (40, 30, 60, 70),
        ),
        (
            shape('polygonlabels', points=[[10, 30], [50, 20], [40, 80]], polygonlabels=['cat']),
            (10, 20, 50, 80),
        ),
    ],
)
def test_the_box_of_each_shape(tmp_path, result, box):
    """Per cent of the image become pixels."""
    x1, y1, x2, y2 = (v * side / 100 for v, side in zip(box, (WIDTH, HEIGHT) * 2, strict=True))
    assert only(read(tmp_path, task(result))) == [
        ('cat', round(x1, 2), round(y1, 2), round(x2, 2), round(y2, 2))
    ]


def test_a_shape_of_two_classes_is_two_objects(tmp_path):
    """Label Studio lets a region have several labels."""
    value = dict(RECTANGLE, rectanglelabels=['cat', 'dog'])
    assert [o[0] for o in only(read(tmp_path, task(shape(**value))))] == ['cat', 'dog']


def test_of_several_annotations_the_true_or_the_last_counts(tmp_path):
    """Cancelled ones never do; predictions are no annotations."""
    one, other, third = (
        dict(result=[shape(**dict(RECTANGLE, rectanglelabels=[name]))]) for name in 'abc'
    )
    cancelled = dict(third, was_cancelled=True)
    mine = dict(task(), annotations=[one, other, cancelled], predictions=[third])
    found = read(tmp_path, mine)
    assert [o[0] for o in only(found)] == ['b']
    assert any('several annotations' in line for line in found.account.lines())
    mine['annotations'][0] = dict(one, ground_truth=True)
    assert [o[0] for o in only(read(tmp_path, mine))] == ['a']


def test_a_task_without_annotation_is_not_annotated(tmp_path):
    """It is one of the images that --unannotated is about; an empty annotation is none of them."""
    files = [f'photos/{name}.jpg' for name in 'abc']
    tasks = [
        task(shape(**RECTANGLE)),
        dict(task(image='b.jpg'), annotations=[]),
        task(image='c.jpg'),
    ]
    found = read(tmp_path, *tasks, files=files)
    annotated = {image.id: image.checked.image.annotated for image in found.images}
    assert annotated == {files[0]: True, files[1]: False, files[2]: True}


def test_what_has_no_box_is_counted(tmp_path):
    """Points and brushes are objects left out; a missing image is one."""
    point = shape('keypointlabels', x=1, y=2, keypointlabels=['cat'])
    found = read(tmp_path, task(shape(**RECTANGLE), point), task(image='/upload/gone.jpg'))
    assert len(only(found)) == 1
    text = '\n'.join(found.account.lines())
    assert 'keypointlabels have no box' in text and 'gone.jpg' in text


@pytest.mark.parametrize(
    ('mine', 'message'),
    [
        (task(shape(**dict(RECTANGLE, rotation=30))), 'task 7, result 1: rotated by 30 degrees'),
        (task(shape(**dict(RECTANGLE, x='a'))), "task 7, result 1: x is 'a', expected a number"),
        (task(shape(**dict(RECTANGLE, rectanglelabels=[]))), 'expected names of classes'),
        (task(shape('polygonlabels', points=[[1, 2]], polygonlabels=['a'])), 'expected .*x, y'),
        (task(dict(type='choices')), 'result 1 is .*expected one with "value"'),
        (dict(task(), annotations='x'), "annotations are 'x', expected a list"),
        (dict(task(), data={}), 'no image in "data"'),
        (dict(task(), data=dict(text='a cat')), 'no image in "data"'),
    ],
)
def test_what_is_refused(tmp_path, mine, message):
    """In one line with file, task and result."""
    with pytest.raises(UserError, match=f'project.json: .*{message}') as caught:
        read(tmp_path, mine)
    assert '\n' not in str(caught.value)


def test_a_broken_file_is_said(tmp_path):
    """A half written export is one line, and not "no known format"."""
    draw(tmp_path / 'photos/a.jpg')
    write(tmp_path / 'project.json', json.dumps([task(shape(**RECTANGLE))])[:-5])
    with pytest.raises(UserError, match='project.json: broken JSON'):
        read_data(str(tmp_path))
