"""Paths and digests of weight files."""

import hashlib
import os.path as osp

from tcnn_mm.checkpoints.weight_paths import file_digest, local_path


def test_shipped_files_have_a_scheme_and_others_are_absolute(tmp_path, monkeypatch):
    """tcnn_mm://NAME is a file inside the package; ~ and relative paths are resolved."""
    assert osp.isfile(local_path('tcnn_mm://minivoc_source.pth'))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('HOME', str(tmp_path))
    assert local_path('a.pth') == local_path('~/a.pth') == str(tmp_path / 'a.pth')


def test_a_digest_is_of_the_content(tmp_path):
    """sha256 of the bytes; a URL or a missing file is its own digest."""
    (tmp_path / 'a.pth').write_bytes(b'weights')
    expected = hashlib.sha256(b'weights').hexdigest()[:16]
    assert file_digest(str(tmp_path / 'a.pth')) == expected
    assert file_digest('torchvision://alexnet') == 'torchvision://alexnet'
