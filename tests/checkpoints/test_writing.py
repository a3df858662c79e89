"""Checkpoint files are complete or absent."""

import builtins
import errno
import io

import pytest
import torch

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.checkpoints.writing import write_checkpoint


def test_a_failed_write_leaves_the_old_file(tmp_path):
    """What cannot be pickled: the checkpoint before is still there, and no draft."""
    path = tmp_path / 'a.pth'
    write_checkpoint(path, dict(w=1))
    with pytest.raises(AttributeError):
        write_checkpoint(path, dict(w=lambda: 0))
    assert load_safely(path) == dict(w=1) and len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_is_an_error_of_the_system(tmp_path, monkeypatch):
    """torch's own error, of an archive that is too short, has neither reason nor file."""

    class Full(io.FileIO):
        def write(self, data):
            if self.tell() + len(data) > 3000:
                raise OSError(errno.ENOSPC, 'No space left on device')
            return super().write(data)

    path, real = tmp_path / 'a.pth', builtins.open
    monkeypatch.setattr(
        builtins, 'open', lambda p, m='r', **k: Full(p, m) if m == 'wb' else real(p, m, **k)
    )
    with pytest.raises(OSError, match='No space left on device') as error:
        write_checkpoint(path, dict(w=torch.zeros(5000)))
    assert error.value.errno == errno.ENOSPC and error.value.filename == str(path)
    assert list(tmp_path.iterdir()) == []
