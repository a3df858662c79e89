"""The trained layers of each fold in one model: chosen by image, frozen layers untouched."""

import pytest
import torch
from torch import nn

from tcnn_mm.checkpoints.writing import write_checkpoint
from tcnn_mm.engine.fold_heads import FoldHeads
from tcnn_mm.errors import UserError


class Network(nn.Module):
    """A frozen layer and a head."""

    def __init__(self, value=0.0, width=2):
        super().__init__()
        self.backbone, self.head = nn.Linear(2, 2), nn.Linear(2, width)
        self.backbone.requires_grad_(False)
        for parameter in self.parameters():
            nn.init.constant_(parameter, value)


@pytest.fixture
def files(tmp_path):
    """Checkpoints of two heads, and of one of another width."""
    paths = [str(tmp_path / f'{n}.pth') for n in range(3)]
    for value, width, path in zip((1.0, 2.0, 3.0), (2, 2, 5), paths, strict=True):
        write_checkpoint(path, dict(state_dict=Network(value, width).state_dict(), meta={}))
    return paths


def test_the_head_is_that_of_the_fold_of_the_image(files):
    """In any order; what is frozen stays."""
    model, heads = Network(), FoldHeads(files[:2], dict(a=0, b=1))
    for image, value in (('a', 1), ('b', 2), ('b', 2), ('a', 1)):
        heads.use(model, image)
        assert torch.unique(model.head.weight).item() == value
        assert torch.unique(model.backbone.weight).item() == 0


def test_what_does_not_fit_is_refused(files):
    """An image of no fold, a head of another width."""
    heads = FoldHeads([files[0], files[2]], dict(a=0, b=1))
    with pytest.raises(UserError, match='c: this image is in no fold'):
        heads.use(Network(), 'c')
    with pytest.raises(UserError, match=r'2.pth: has no head.weight of \(2, 2\)'):
        heads.use(Network(), 'b')
