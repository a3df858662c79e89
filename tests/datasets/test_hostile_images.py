"""Files that are no images, or too much of one: an error at once, and no memory taken."""

import contextlib
import io
import os
import socket
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from tcnn_mm.datasets.formats.read_data import ReadOptions, read_data
from tcnn_mm.datasets.image_io import (
    exif_orientation,
    image_size,
    image_to_rgb,
    load_rgb,
    read_bytes,
    read_header,
)
from tcnn_mm.errors import InvalidValueError, UserError
from tcnn_mm.inference.predict_folder import predict_to_folder
from tcnn_mm.patches.geometry import grid_windows, most_windows
from tcnn_mm.patches.grid import PatchGrid

READERS = (load_rgb, image_size, read_header, exif_orientation, read_bytes)
needs_pipes = pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='no pipes in the file system')


def png(width, height, data=b''):
    """A PNG of a declared size, with the given data in place of its pixels."""

    def chunk(kind, content):
        crc = zlib.crc32(kind + content)
        return struct.pack('>I', len(content)) + kind + content + struct.pack('>I', crc)

    head = chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0))
    return b'\x89PNG\r\n\x1a\n' + head + chunk(b'IDAT', data) + chunk(b'IEND', b'')


def bmp(width, height):
    """The header of a BMP of a declared size."""
    info = struct.pack('<IiiHHIIiiII', 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b'BM' + struct.pack('<IHHI', 54, 0, 0, 54) + info


BOMBS = {
    'a.png': png(60_000, 60_000, zlib.compress(bytes(10_000_000), 9)),
    'a.bmp': bmp(100_000, 100_000),
    'a.ppm': b'P6 99999 99999 255\n',
    'a.gif': b'GIF89a'
    + struct.pack('<HHBBB', 65535, 65535, 0, 0, 0)
    + b','
    + struct.pack('<HHHHB', 0, 0, 65535, 65535, 0)
    + b'\x02\x01\x2c\x00;',
}


@pytest.fixture
def specials(tmp_path):
    """A folder of what has the suffix of an image and is no file."""
    folder = tmp_path / 'specials'
    folder.mkdir()
    os.mkfifo(folder / 'pipe.png')
    (folder / 'folder.png').mkdir()
    os.symlink('/dev/zero', folder / 'device.jpg')
    os.symlink('loop.jpg', folder / 'loop.jpg')
    os.symlink('nowhere', folder / 'broken.jpg')
    with socket.socket(socket.AF_UNIX) as opened:
        here = os.getcwd()
        os.chdir(folder)  # the path of a socket is short
        opened.bind('socket.bmp')
        os.chdir(here)
    return folder


@needs_pipes
@pytest.mark.parametrize('reader', READERS)
def test_what_is_no_file_is_not_opened(specials, reader):
    """A pipe, a device, a socket, a folder: one line each, at once."""
    for name, kind in (
        ('pipe.png', 'not a file, but a pipe'),
        ('device.jpg', 'not a file, but a device'),
        ('socket.bmp', 'not a file, but a socket'),
        ('folder.png', 'not a file, but a folder'),
        ('broken.jpg', 'no such image'),
        ('loop.jpg', 'cannot be read'),
    ):
        with pytest.raises(UserError, match=f'{name}: {kind}'):
            reader(specials / name)


@pytest.mark.parametrize('name', BOMBS)
@pytest.mark.parametrize('reader', READERS[:-1])
def test_a_bomb_is_refused_by_its_header(tmp_path, monkeypatch, name, reader):
    """More pixels than TCNN_MAX_PIXELS: nothing is decoded; the variable raises the limit."""
    (tmp_path / name).write_bytes(BOMBS[name])
    Image.init()  # draws one
    monkeypatch.setattr(Image.Image, 'load', lambda self: pytest.fail('decoded'))
    with pytest.raises(
        UserError, match=r'pixels, more than 500,000,000 in all; .* export TCNN_MAX'
    ):
        reader(tmp_path / name)


def test_the_limit_can_be_changed(tmp_path, monkeypatch):
    """Of files and of PIL images alike; a value that is no number is one line."""
    image = Image.fromarray(np.zeros((10, 20, 3), np.uint8))
    image.save(tmp_path / 'a.png')
    monkeypatch.setenv('TCNN_MAX_PIXELS', '200')
    assert load_rgb(tmp_path / 'a.png').shape == image_to_rgb(image).shape == (10, 20, 3)
    monkeypatch.setenv('TCNN_MAX_PIXELS', '199')
    for read in (lambda: load_rgb(tmp_path / 'a.png'), lambda: image_to_rgb(image)):
        with pytest.raises(UserError, match='20 × 10 pixels, more than 199'):
            read()
    monkeypatch.setenv('TCNN_MAX_PIXELS', 'many')
    with pytest.raises(UserError, match='TCNN_MAX_PIXELS=many: not a whole number above 0'):
        load_rgb(tmp_path / 'a.png')


def test_no_other_program_is_started(tmp_path, monkeypatch):
    """PostScript named .jpg: Pillow would hand it to Ghostscript."""
    (tmp_path / 'a.jpg').write_bytes(
        b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n'
    )
    monkeypatch.setattr('subprocess.check_call', lambda *given, **more: pytest.fail('started'))
    with pytest.raises(UserError, match='not an image that can be read'):
        load_rgb(tmp_path / 'a.jpg')


def test_a_grid_is_counted_before_it_is_made():
    """The bound is never below the number, and a long image is one line that says what to do."""
    random = np.random.default_rng(0)
    for _ in range(50):
        size = random.integers(1, 900, 2).tolist()
        rule = dict(
            size=224, overlap=float(random.uniform(0, 0.9)), snap=int(random.choice([1, 4, 32]))
        )
        exact = len(grid_windows(*size, (1.0, 1.7, 4.0), **rule))
        assert exact <= most_windows(*size, (1.0, 1.7, 4.0), **rule) <= 1.5 * exact + 50
    started = time.monotonic()
    for size in ((1, 20_000), (1_000_000, 1), (1, 10**9)):
        with pytest.raises(InvalidValueError, match='patches, more than 100,000; crop the image'):
            PatchGrid()(size)
    assert time.monotonic() - started < 1
    assert len(PatchGrid()((300, 24_000)))


@needs_pipes
def test_a_prediction_counts_them_and_goes_on(specials, workspace):
    """The good images have results; status 1 names the others; nothing hangs."""
    Image.fromarray(np.zeros((1, 20_000, 3), np.uint8)).save(specials / 'long.png')
    for name, data in BOMBS.items():
        (specials / name).write_bytes(data)
    Image.open(workspace / 'in' / 'a.png').save(specials / 'z.png')
    done = predict_to_folder(str(specials), 'a.pth', 'o', overlays=False)
    errors = [result['error'] for result in done.results if 'error' in result]
    assert len(errors) == len(done.results) - 1 == 5 + len(BOMBS) + 1
    assert sum('more than 500,000,000' in error for error in errors) == len(BOMBS)
    (long,) = (error for error in errors if 'patches' in error)
    assert long.startswith(f'{specials}/long.png: 20000 × 1 pixels: about ')


def test_a_declared_size_takes_no_memory(tmp_path):
    """<size> of a million pixels, or of 10^30: compared with the file, never allocated."""
    import tracemalloc

    for name, width, height in (('a', 10**6, 1), ('b', 10**30, 10**30)):
        (tmp_path / 'Annotations').mkdir(exist_ok=True)
        (tmp_path / 'JPEGImages').mkdir(exist_ok=True)
        Image.fromarray(np.zeros((40, 50, 3), np.uint8)).save(tmp_path / f'JPEGImages/{name}.jpg')
        (tmp_path / 'Annotations' / f'{name}.xml').write_text(
            f'<annotation><filename>{name}.jpg</filename><size><width>{width}</width><height>'
            f'{height}</height><depth>3</depth></size><object><name>cat</name><bndbox><xmin>1'
            '</xmin><ymin>1</ymin><xmax>30</xmax><ymax>30</ymax></bndbox></object></annotation>'
        )
    tracemalloc.start()
    try:
        read_data(str(tmp_path), ReadOptions(allow_missing=True))
    except UserError as error:
        assert len(str(error)) < 2000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6


@pytest.mark.parametrize('kind', ['AVIF', 'DDS', 'GIF', 'ICO', 'JPEG', 'PNG', 'TIFF', 'WEBP'])
def test_a_damaged_file_of_any_format_is_one_line(kind, tmp_path):
    """Cut and changed at random places, under its own suffix or .jpg: an image or a UserError."""
    if kind not in Image.registered_extensions().values() or kind not in Image.SAVE:
        pytest.skip(f'this Pillow writes no {kind}')
    random = np.random.default_rng(0)
    whole = io.BytesIO()
    Image.fromarray(random.integers(0, 255, (24, 30, 3), np.uint8)).save(whole, kind)
    for turn in range(25):
        data = np.frombuffer(whole.getvalue(), np.uint8).copy()
        data = data[: len(data) if turn % 3 else random.integers(len(data))]
        for place in random.integers(0, max(1, min(len(data), (16, 100, 10**6)[turn % 3])), 4):
            data[place : place + 1] = random.integers(256)
        path = tmp_path / f'a.{kind.lower() if turn % 2 else "jpg"}'
        path.write_bytes(data.tobytes())
        for read in (load_rgb, image_size, read_header):
            with contextlib.suppress(UserError):
                read(path)


@pytest.mark.skipif(not os.path.exists('/proc/self/mem'), reason='needs /dev and /proc')
@pytest.mark.parametrize(
    'target', ['/dev/zero', '/dev/stdin', '/proc/self/mem', 'loop', 'gone', '.']
)
def test_links_to_what_is_no_image(tmp_path, target):
    """Devices, the memory of the process, loops and nothing: an error at once by every reader."""
    path = tmp_path / 'a.jpg'
    os.symlink('a.jpg' if target == 'loop' else target, path)
    for reader in READERS:
        start = time.monotonic()
        with pytest.raises(UserError, match='a.jpg: '):
            reader(path)
        assert time.monotonic() - start < 5
