"""Data sets whose items tell no sizes: they are read from the files, or asked for."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from tcnn_mm.datasets.item_sizes import with_sizes
from tcnn_mm.engine.bank_contents import refuse_unknown_items
from tcnn_mm.engine.patch_report import PatchReportHook
from tcnn_mm.errors import UserError
from tests.support.patch_model import build_model


@pytest.fixture
def item(tmp_path):
    """Of a data set that knows neither sizes nor flags; the image is 60 × 80."""
    Image.new('RGB', (80, 60)).save(tmp_path / 'a.png')
    return dict(
        img_path=str(tmp_path / 'a.png'),
        img_id=7,
        gt_bboxes=np.array([[5, 5, 45, 50]], np.float32),
        gt_bboxes_labels=np.array([1]),
        gt_label=[1],
    )


def test_sizes_are_read_from_the_files(item):
    """Where the item has none; its own are kept, and an item without a file is named."""
    (found,) = with_sizes([item])
    assert (found['height'], found['width']) == (60, 80) and 'height' not in item
    assert found['gt_bboxes_difficult'].tolist() == [False]
    own = dict(item, height=6, width=8, img_path=None)
    assert next(with_sizes([own]))['height'] == 6
    with pytest.raises(UserError, match='7: neither height and width nor img_path'):
        next(with_sizes([dict(item, img_path=None, height=None)]))


def test_a_training_reports_on_a_data_set_without_sizes(item):
    """The coverage at its start: it ended in a KeyError."""

    class Data:
        metainfo = dict(classes=('x', 'y', 'z'))

        def __len__(self):
            return 1

        def get_data_info(self, index):
            return item

    said = []
    runner = SimpleNamespace(
        model=build_model(),
        train_dataloader=SimpleNamespace(dataset=Data()),
        logger=SimpleNamespace(info=said.append),
    )
    PatchReportHook().before_train(runner)
    assert 'patch coverage of 1 images' in said[0]
    with pytest.raises(UserError, match='Data: its items have no gt_label_difficult, gt_bboxes_d'):
        refuse_unknown_items(Data())
