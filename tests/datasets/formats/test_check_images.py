"""Annotations are compared with the image files: size, EXIF orientation, readability."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tcnn_mm.datasets.formats.account import Account
from tcnn_mm.datasets.formats.annotated_images import AnnotatedImage, AnnotatedObject
from tcnn_mm.datasets.formats.check_images import check_images
from tcnn_mm.datasets.image_io import apply_orientation, exif_orientation, load_rgb

HEIGHT, WIDTH = 40, 60
BOX = (10, 5, 30, 25)  # on the upright image


def write(path, orientation=1, shape=(HEIGHT, WIDTH)):
    """An image with a white square at BOX when it is shown upright."""
    upright = np.zeros((*shape, 3), np.uint8)
    x1, y1, x2, y2 = BOX
    upright[y1:y2, x1:x2] = 255
    inverse = {6: 8, 8: 6}.get(orientation, orientation)
    stored = Image.fromarray(apply_orientation(upright, inverse))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(path, exif=exif)


def annotated(name, size_hw=None, box=BOX, relative=False):
    objects = [AnnotatedObject('cat', box, f'{name}: object 1', relative=relative)]
    return AnnotatedImage(name, 'all', f'{name}.xml', objects, size_hw=size_hw)


def check(folder, *images, **options):
    account = Account()
    found = check_images('data', list(images), lambda name: str(folder / name), account, **options)
    return found, account


def frames_the_square(folder, checked, upright):
    """Whether the checked box holds exactly the white pixels of the image as it is read."""
    path = str(folder / checked.image.file)
    pixels = load_rgb(path)
    if upright:
        pixels = apply_orientation(pixels, exif_orientation(path))
    assert checked.size_hw == pixels.shape[:2]
    x1, y1, x2, y2 = (round(v) for v in checked.image.objects[0].box)
    white = pixels[..., 0] > 128
    return white[y1:y2, x1:x2].all() and white.sum() == (y2 - y1) * (x2 - x1)


@pytest.mark.parametrize('upright', [False, True])
@pytest.mark.parametrize('orientation', [1, 5, 6, 7, 8])
def test_boxes_of_the_upright_image_follow_the_pixels(tmp_path, orientation, upright):
    """The annotated size tells that boxes are on the upright image: they frame what is read."""
    write(tmp_path / 'a.png', orientation)
    (found,), account = check(tmp_path, annotated('a.png', (HEIGHT, WIDTH)), upright=upright)
    assert frames_the_square(tmp_path, found, upright)
    assert bool(account.notes) == (orientation != 1)


def test_boxes_of_the_stored_image_follow_the_pixels_too(tmp_path):
    """The annotated size is the stored one: boxes are turned where images are read upright."""
    write(tmp_path / 'a.png', 6)
    # Where the square is in the stored pixels.
    white = np.argwhere(load_rgb(str(tmp_path / 'a.png'))[..., 0] > 128)
    (y1, x1), (y2, x2) = white.min(0), white.max(0) + 1
    stored = (int(x1), int(y1), int(x2), int(y2))
    (found,), _ = check(tmp_path, annotated('a.png', (WIDTH, HEIGHT), stored), upright=True)
    assert frames_the_square(tmp_path, found, upright=True)
    (found,), _ = check(tmp_path, annotated('a.png', (WIDTH, HEIGHT), stored))
    assert found.image.objects[0].box == stored


def test_images_whose_size_does_not_tell_follow_the_others(tmp_path):
    """A half turn beside an image that is known to be annotated upright is upright as well."""
    write(tmp_path / 'turned.png', 6)
    write(tmp_path / 'half.png', 3)
    size = (HEIGHT, WIDTH)
    found, account = check(tmp_path, annotated('turned.png', size), annotated('half.png', size))
    assert all(frames_the_square(tmp_path, one, False) for one in found)
    assert '2 of 2 images have an EXIF orientation' in account.notes[0]
    (alone,), account = check(tmp_path, annotated('half.png', size))
    assert alone.image.objects[0].box == BOX  # nothing tells: as stored, and said
    assert 'read as stored (--upright' in account.notes[0]


def test_boxes_in_fractions_turn_as_well(tmp_path):
    """Relative boxes have no annotated size: they are taken to be on the stored image."""
    write(tmp_path / 'a.png', 6)
    write(tmp_path / 'b.png', 6)
    box = (BOX[0] / WIDTH, BOX[1] / HEIGHT, BOX[2] / WIDTH, BOX[3] / HEIGHT)
    known = annotated('a.png', (HEIGHT, WIDTH))
    found, _ = check(tmp_path, known, annotated('b.png', None, box, relative=True))
    assert all(frames_the_square(tmp_path, one, False) for one in found)


@pytest.mark.parametrize(
    ('size_hw', 'message'),
    [((WIDTH, HEIGHT), 'width and height exchanged'), ((80, 120), 'resized after')],
)
def test_another_size_is_a_loss(tmp_path, size_hw, message):
    """Without EXIF that explains it, boxes of another size are never clipped to the image."""
    write(tmp_path / 'a.png')
    found, account = check(tmp_path, annotated('a.png', size_hw))
    assert not found and message in next(iter(account.lost_images))
    empty = AnnotatedImage('a.png', 'all', 'a.xml', size_hw=size_hw)
    assert len(check(tmp_path, empty)[0]) == 1  # nothing to misplace


def test_an_unreadable_image_is_a_loss(tmp_path):
    """A file that is no image is counted with its reason."""
    (tmp_path / 'a.png').write_bytes(b'version https://git-lfs.github.com/spec/v1')
    found, account = check(tmp_path, annotated('a.png', (HEIGHT, WIDTH)))
    assert not found
    assert account.lost_images == {'image cannot be read: not an image that can be read': ['a.png']}


@given(st.sampled_from(range(1, 9)), st.booleans(), st.integers(40, 90), st.integers(40, 90))
def test_any_orientation_and_size(tmp_path_factory, orientation, upright, height, width):
    """Boxes known to be upright frame the square in the pixels that are read, whatever the turn."""
    folder = tmp_path_factory.mktemp('x')
    write(folder / 'a.png', orientation, (height, width))
    write(folder / 'known.png', 6, (40, 60))
    images = annotated('a.png', (height, width)), annotated('known.png', (40, 60))
    found, _ = check(folder, *images, upright=upright)
    assert all(frames_the_square(folder, one, upright) for one in found) and len(found) == 2
