"""A digest tells each change of an image file, in its middle too."""

import itertools
import os

import pytest
from tqdm import tqdm as progress_tqdm

from tcnn_mm.engine import image_digests, progress
from tcnn_mm.engine.image_digests import (
    BLOCK,
    END,
    covers_ends,
    file_digests,
    image_digest,
    replaced_images,
)
from tcnn_mm.errors import UserError


@pytest.mark.parametrize('size', [0, 100, 2 * END, 2 * END + 1, 5 * END, BLOCK + 2 * END])
def test_each_byte_and_the_size_count(tmp_path, size):
    """A byte at either end, in the middle or at the edge of what is read at once; one more."""
    path, found = tmp_path / 'a', []
    for at in sorted({None, 0, END, size // 2, BLOCK, size - 1}, key=str):
        content = bytearray(size)
        if at is not None and 0 <= at < size:
            content[at] = 1
        elif at is not None:
            continue
        path.write_bytes(content)
        found.append(image_digest(path))
    path.write_bytes(bytes(size + 1))
    found.append(image_digest(path))
    assert len(set(found)) == len(found) >= 2
    assert not any(map(covers_ends, found))


def test_digests_of_earlier_versions_are_told(tmp_path):
    """Those of small files are the same; of large ones they are of their ends, and say so."""
    path = tmp_path / 'a'
    path.write_bytes(b'1' * (2 * END))
    assert image_digest(path) == image_digest(path, ends=True)
    path.write_bytes(b'1' * (3 * END))
    whole, ends = image_digest(path), image_digest(path, ends=True)
    assert (covers_ends(whole), covers_ends(ends)) == (False, True)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] = 0
    path.write_bytes(content)
    assert image_digest(path, ends=True) == ends and image_digest(path) != whole
    assert not any(map(covers_ends, (None, 5, '', 'remote', 'x-1')))


def test_many_files_wait_in_parts(tmp_path, monkeypatch, capsys):
    """In order, each with its kind of digest, whatever the parts; the bar says what is done."""
    paths = [str(tmp_path / str(i)) for i in range(7)]
    for i, path in enumerate(paths):
        with open(path, 'wb') as file:
            file.write(bytes([i]) * 3 * END)
    ends = [i % 3 == 0 for i in range(7)]
    expected = list(map(image_digest, paths, ends))
    monkeypatch.setattr(
        progress, 'tqdm', lambda **options: progress_tqdm(**{**options, 'delay': 0})
    )
    for waiting in (1, 3, 7, 100):
        monkeypatch.setattr(image_digests, 'WAITING', waiting)
        assert file_digests(paths, ends) == expected
        assert file_digests(paths, itertools.repeat(False)) == list(map(image_digest, paths))
    assert 'comparing image files: 100%' in capsys.readouterr().err


def test_records_without_a_digest_are_not_compared():
    """Those of the earliest banks."""
    records = [dict(img_id='a', digest='1-2'), dict(img_id='b'), dict(img_id='c', digest='1-2')]
    assert replaced_images(records, ['1-2', '3-4', '5-6']) == ['c']


def test_what_cannot_be_read_is_one_line(tmp_path):
    """A missing file, a pipe (no wait for its other end); files of a store are not read."""
    with pytest.raises(UserError, match=r'none.jpg: '):
        image_digest(str(tmp_path / 'none.jpg'))
    assert image_digest('http://127.0.0.1:9/a.jpg') == 'remote'
    if hasattr(os, 'mkfifo'):
        os.mkfifo(tmp_path / 'pipe.jpg')
        with pytest.raises(UserError, match=r'pipe.jpg: '):
            image_digest(str(tmp_path / 'pipe.jpg'))
