"""Images of every mode become 8-bit RGB or BGR as stored; what cannot be read is one line."""

import threading
import warnings

import numpy as np
import pytest
from PIL import Image

from tcnn_mm.datasets.image_io import (
    apply_orientation,
    exif_orientation,
    image_size,
    image_to_rgb,
    load_bgr,
    load_rgb,
    load_rgb_chw,
)
from tcnn_mm.errors import UserError

HEIGHT, WIDTH = 6, 9
RGB = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
GREY = RGB[..., 0]
GREY16 = np.random.default_rng(1).integers(0, 65536, (HEIGHT, WIDTH)).astype(np.uint16)
# Smooth, so that a JPEG keeps it within a few levels: red grows to the right, green downwards.
SMOOTH = np.stack(
    [*np.meshgrid(np.linspace(20, 220, 48), np.linspace(40, 200, 32)), np.full((32, 48), 90)], 2
).astype(np.uint8)
# Noise, so that the header is a small part of any file.
NOISE = np.random.default_rng(2).integers(0, 256, (64, 64, 3), dtype=np.uint8)


def three(grey):
    return np.repeat(grey[..., None], 3, axis=2)


def as_rgb(mode):
    return np.asarray(Image.fromarray(RGB).convert(mode).convert('RGB'))


IMAGES = {
    'colour.png': (Image.fromarray(RGB), RGB),
    'colour.bmp': (Image.fromarray(RGB), RGB),
    'grey.png': (Image.fromarray(GREY), three(GREY)),
    'bilevel.png': (Image.fromarray(GREY > 99), three((GREY > 99) * np.uint8(255))),
    'transparent.png': (Image.fromarray(np.dstack([RGB, GREY])), RGB),
    'palette.png': (Image.fromarray(RGB).convert('P'), as_rgb('P')),
    'cmyk.tif': (Image.fromarray(RGB).convert('CMYK'), as_rgb('CMYK')),
    'sixteen.png': (Image.fromarray(GREY16), three(np.rint(GREY16 / 257))),
    'sixteen.tif': (Image.fromarray(GREY16), three(np.rint(GREY16 / 257))),
    'big_endian.tif': (Image.fromarray(GREY16.astype('>u2')), three(np.rint(GREY16 / 257))),
    'thirty_two.tif': (Image.fromarray(GREY16.astype(np.int32)), three(np.rint(GREY16 / 257))),
    # Dark, all below 256: 16 bits are 16 bits, whatever they hold.
    'dark.png': (Image.fromarray(GREY.astype(np.uint16)), three(np.rint(GREY / 257))),
}


@pytest.mark.parametrize('name', IMAGES)
def test_every_mode_is_eight_bit_bgr(name, tmp_path):
    """Grey, palette, CMYK, alpha and 16 bits: (H, W, 3) uint8 BGR, 16 bits divided by 257."""
    image, rgb = IMAGES[name]
    image.save(tmp_path / name)
    got = load_bgr(str(tmp_path / name))
    assert got.dtype == np.uint8 and got.flags.c_contiguous
    np.testing.assert_array_equal(got, rgb[..., ::-1])
    assert image_size(str(tmp_path / name)) == (HEIGHT, WIDTH)


@pytest.mark.parametrize('mode', ['L', 'CMYK'])
def test_jpeg_modes(mode, tmp_path):
    """A grey and a CMYK JPEG show the same colours as the image they were made of."""
    image = Image.fromarray(SMOOTH).convert(mode)
    image.save(tmp_path / 'a.jpg', quality=95)
    expected = np.asarray(image.convert('RGB'))[..., ::-1].astype(int)
    assert np.abs(load_bgr(tmp_path / 'a.jpg') - expected).mean() < 3


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('extension', ['.jpg', '.png', '.tif'])
def test_orientation_is_not_applied(extension, orientation, tmp_path):
    """Pixels and size are as stored, whatever the EXIF orientation says, in a TIFF too."""
    path = tmp_path / f'turned{extension}'
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(SMOOTH).save(path, exif=exif, quality=95)
    assert image_size(path) == SMOOTH.shape[:2]
    got = load_bgr(path)
    assert got.shape == SMOOTH.shape
    assert np.abs(got[..., ::-1] - SMOOTH.astype(int)).mean() < (3 if extension == '.jpg' else 1e-9)


def test_size_needs_the_header_only(tmp_path, monkeypatch):
    """A JPEG without its second half is an error, but it still tells its size, read in part."""
    path = tmp_path / 'half.jpg'
    Image.fromarray(NOISE).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError, match='half.jpg: damaged image .*truncated') as error:
        load_bgr(path)
    assert '\n' not in str(error.value)
    monkeypatch.setattr('mmengine.fileio.get', None)  # it reads whole files
    assert image_size(path) == NOISE.shape[:2]


def _write_float(path):
    Image.fromarray(RGB[..., 0] / np.float32(255)).save(path)


FAULTS = {
    'missing.jpg': (lambda p: None, 'no such image'),
    'empty.jpg': (lambda p: p.write_bytes(b''), 'not an image'),
    'page.jpg': (lambda p: p.write_text('<html></html>'), 'not an image'),
    'folder.jpg': (lambda p: p.mkdir(), 'not a file, but a folder'),
    'float.tif': (_write_float, 'grey levels .* mode F; save it with 8 bits'),
    'wide.tif': (
        lambda p: Image.fromarray(np.full((4, 4), 70000, np.int32)).save(p),
        'grey levels 70000 to 70000',
    ),
}


@pytest.mark.parametrize('name', FAULTS)
def test_what_cannot_be_read_is_one_line(name, tmp_path):
    """Missing, empty, no image at all, or grey levels of unknown range: a UserError's line."""
    write, message = FAULTS[name]
    write(tmp_path / name)
    with pytest.raises(UserError, match=f'{name}: {message}') as error:
        load_bgr(str(tmp_path / name))
    assert '\n' not in str(error.value)
    if not name.endswith('.tif'):  # those two have a sound header
        with pytest.raises(UserError, match=f'{name}: {message}'):
            image_size(str(tmp_path / name))


@pytest.mark.parametrize('extension', ['.jpg', '.png', '.bmp', '.tif'])
def test_any_cut_is_told(extension, tmp_path):
    """A file cut anywhere in its first nine tenths raises UserError, and nothing else."""
    path = tmp_path / f'cut{extension}'
    Image.fromarray(NOISE).save(path)
    whole = path.read_bytes()
    for tenth in range(10):
        path.write_bytes(whole[: len(whole) * tenth // 10])
        with pytest.raises(UserError, match=path.name):
            load_bgr(path)


@pytest.mark.parametrize('orientation', range(1, 9))
def test_a_stored_image_is_shown_as_a_viewer_shows_it(orientation, tmp_path):
    """apply_orientation equals Pillow's own rotation of a TIFF, which Pillow applies itself."""
    path = tmp_path / 'a.tif'
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(RGB).save(path, exif=exif)
    assert exif_orientation(path) == orientation
    with Image.open(path) as image:
        expected = np.asarray(image.convert('RGB'))
    np.testing.assert_array_equal(apply_orientation(load_rgb(path), orientation), expected)


def test_orders_of_channels_and_axes(tmp_path):
    """RGB, BGR and (3, H, W) RGB of one file agree, and all are contiguous."""
    path = tmp_path / 'a.png'
    Image.fromarray(RGB).save(path)
    np.testing.assert_array_equal(load_rgb(path), RGB)
    np.testing.assert_array_equal(load_bgr(path), RGB[..., ::-1])
    np.testing.assert_array_equal(load_rgb_chw(path), RGB.transpose(2, 0, 1))
    assert all(read(path).flags.c_contiguous for read in (load_rgb, load_bgr, load_rgb_chw))


def test_a_users_pil_image_is_left_as_it_is(tmp_path):
    """Reading the pixels of a TIFF that is stored rotated does not write into its metadata."""
    path = tmp_path / 'a.tif'
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(RGB).save(path, exif=exif)
    with Image.open(path) as image, Image.open(path) as other:
        np.testing.assert_array_equal(image_to_rgb(image), RGB)
        other.load()
        assert dict(image.getexif()) == dict(other.getexif())
        np.testing.assert_array_equal(np.asarray(image), np.asarray(other))


def test_an_image_above_pillows_limit_is_read(tmp_path, monkeypatch):
    """No error, no warning; the host's limit is the same afterwards, also after an error."""
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 10)
    for name in ('a.png', 'a.tif', 'a.webp'):
        with warnings.catch_warnings():
            warnings.simplefilter('error')
            Image.fromarray(RGB).save(tmp_path / name)
            assert load_bgr(tmp_path / name).shape == RGB.shape
            assert image_size(tmp_path / name) == RGB.shape[:2]
        assert Image.MAX_IMAGE_PIXELS == 10
    (tmp_path / 'a.png').write_bytes(b'')
    with pytest.raises(UserError):
        load_bgr(tmp_path / 'a.png')
    assert Image.MAX_IMAGE_PIXELS == 10


def test_threads_restore_pillows_limit(tmp_path, monkeypatch):
    """Readers in several threads at once leave the limit that was there."""
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 10)
    Image.fromarray(NOISE).save(tmp_path / 'a.png')
    shapes = []

    def read():
        shapes.extend(load_bgr(tmp_path / 'a.png').shape for _ in range(20))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shapes == [NOISE.shape] * 80 and Image.MAX_IMAGE_PIXELS == 10


def test_reading_changes_nothing_of_pillow(tmp_path):
    """Reading an image leaves Pillow's limit alone; importing does, see test_dependencies.py."""
    Image.fromarray(RGB).save(tmp_path / 'a.png')
    before = Image.MAX_IMAGE_PIXELS
    load_bgr(str(tmp_path / 'a.png'))
    assert before and before == Image.MAX_IMAGE_PIXELS
