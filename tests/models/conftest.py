"""What the tests of models share."""

import pytest

from tcnn_mm.models import frozen_copy


@pytest.fixture
def half_native(monkeypatch):
    """Real bfloat16 whatever this processor has: the small networks here bear its emulation."""
    monkeypatch.setattr(frozen_copy, 'is_native', lambda dtype, device_type: True)
