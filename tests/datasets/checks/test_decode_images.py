"""Every file is decoded once; damaged ones are messages and do not end the search."""

import numpy as np
import pytest
from PIL import Image, ImageFile

from tcnn_mm.datasets.checks.decode_images import decode_images
from tcnn_mm.datasets.checks.duplicate_images import Fingerprint, fingerprint
from tests.support.unusual_names import save_images


@pytest.fixture
def folder(tmp_path):
    """Four files: whole, cut off after half, cut off by its last bytes, no image."""
    noise = np.random.default_rng(0).integers(0, 255, (300, 400, 3), np.uint8)
    for kind in ('jpg', 'png'):
        Image.fromarray(noise).save(tmp_path / f'good.{kind}')
        data = (tmp_path / f'good.{kind}').read_bytes()
        (tmp_path / f'half.{kind}').write_bytes(data[: len(data) // 2])
    Image.fromarray(noise).save(tmp_path / 'late.jpg', progressive=True)
    data = (tmp_path / 'late.jpg').read_bytes()
    (tmp_path / 'late.jpg').write_bytes(data[:-200])
    (tmp_path / 'text.jpg').write_text('<html>404</html>')
    return tmp_path


def test_fingerprints_and_errors_in_order(folder):
    """A fingerprint or one line with the path per file; the bar moves once per file."""
    paths = [str(path) for path in sorted(folder.iterdir())]
    steps = []
    found = decode_images([*paths, paths[0]], lambda: steps.append(1), workers=3)
    assert list(found) == paths and len(steps) == len(paths)
    for path, result in found.items():
        if 'good' in path:
            assert isinstance(result, Fingerprint) and result == fingerprint(path)
        else:
            assert result.startswith(f'{path}: ') and len(result.splitlines()) == 1
    assert decode_images([]) == {}


def test_truncated_files_are_found_where_the_process_allows_them(folder, monkeypatch):
    """Pillow's switch for incomplete files is off while decoding, and as before afterwards."""
    monkeypatch.setattr(ImageFile, 'LOAD_TRUNCATED_IMAGES', True)
    found = decode_images([str(folder / 'half.jpg')])
    assert 'damaged' in found[str(folder / 'half.jpg')]
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True


def test_an_interrupt_ends_it(folder):
    """What the bar raises comes out, and the rest is not decoded."""

    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        decode_images([str(path) for path in folder.iterdir()], stop)


def test_unusual_names(tmp_path):
    """Files of any name are decoded; messages are one printable line."""
    paths = save_images(tmp_path / 'good')
    assert all(isinstance(p, Fingerprint) for p in decode_images(paths).values())
    for path in paths:
        with open(path, 'wb') as file:
            file.write(b'no image')
    for message in decode_images(paths).values():
        assert len(message.splitlines()) == 1 and message.encode()
