"""Weight files fill the backbone completely, or an error names what is missing."""

import pytest
import torch

from tcnn_mm.errors import UserError
from tests.support.patch_model import build_model


def test_pretrained_fills_the_backbone(tmp_path):
    """A file in the backbone's names, or a classifier's, loads; the head stays new."""
    source = build_model()
    torch.nn.init.constant_(source.backbone.features[0].weight, 0.5)
    bare, whole = tmp_path / 'bare.pth', tmp_path / 'whole.pth'
    torch.save(source.backbone.state_dict(), bare)
    torch.save(dict(state_dict=source.state_dict(), meta={}), whole)
    for path in (bare, whole):
        model = build_model(pretrained=str(path))
        assert (model.backbone.features[0].weight == 0.5).all()


def test_pretrained_that_does_not_fill_is_an_error(tmp_path):
    """Missing keys, foreign keys and other shapes are named; no file names the folder."""
    state = build_model().backbone.state_dict()
    state['stem.weight'] = state.pop('features.0.weight')
    torch.save(state, tmp_path / 'odd.pth')
    with pytest.raises(UserError, match=r'missing: backbone.features.0.weight.*stem.weight'):
        build_model(pretrained=str(tmp_path / 'odd.pth'))
    state = build_model().backbone.state_dict()
    state['features.0.weight'] = torch.zeros(32, 3, 7, 7)
    torch.save(state, tmp_path / 'shape.pth')
    with pytest.raises(UserError, match=r'features.0.weight: file \(32, 3, 7, 7\)'):
        build_model(pretrained=str(tmp_path / 'shape.pth'))
    with pytest.raises(UserError, match='no weights: nothing.pth'):
        build_model(pretrained=str(tmp_path / 'nothing.pth'))
