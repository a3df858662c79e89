"""Which objects of PASCAL VOC the patches of the paper's nine scales can name."""

import os.path as osp

from mmengine.registry import init_default_scope

from tcnn_mm.compat import quiet_log
from tcnn_mm.datasets.voc import VOC_CLASSES
from tcnn_mm.estimator.data_report import coverage_table
from tcnn_mm.estimator.fit_data import infos_of
from tcnn_mm.registry import DATASETS


def voc_coverage(folder: str) -> list[str]:
    """Coverage of the training images of a VOC folder: of its list train, else of trainval.

    Raises:
        UserError: No such list, or annotations that cannot be read.
    """
    init_default_scope('mmpretrain')
    there = osp.isfile(osp.join(folder, 'ImageSets', 'Main', 'train.txt'))
    source = dict(type='tcnn_mm.VOCObjects', data_root=folder, allow_unknown=True)
    with quiet_log():
        items = infos_of(DATASETS.build(dict(source, split='train' if there else 'trainval')))
    return coverage_table(items, VOC_CLASSES)
