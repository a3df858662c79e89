"""What the tests of models share."""

import pytest

from tcnn_mm.models.encoder import frozen


@pytest.fixture
def half_native(monkeypatch):
    """Real bfloat16 whatever this processor has: the small networks here bear its emulation."""
    monkeypatch.setattr(frozen, 'is_native', lambda dtype, device_type: True)
