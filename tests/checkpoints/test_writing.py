"""Checkpoint files are complete or absent."""

import pytest

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.checkpoints.writing import write_checkpoint


def test_a_failed_write_leaves_the_old_file(tmp_path):
    """What cannot be pickled: the checkpoint before is still there, and no draft."""
    path = tmp_path / 'a.pth'
    write_checkpoint(path, dict(w=1))
    with pytest.raises(AttributeError):
        write_checkpoint(path, dict(w=lambda: 0))
    assert load_safely(path) == dict(w=1) and len(list(tmp_path.iterdir())) == 1
