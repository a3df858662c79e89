"""A feature bank of a few small images, made in a fraction of a second."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope
from PIL import Image

from tcnn_mm.datasets.image_records import write_records
from tests.support.runs import CONFIGS

CLASSES = ('blue', 'red')


def write_data(folder: Path, count: int = 5) -> Path:
    """Write images of 64 × 80 pixels with one object each, and their records."""
    random, records = np.random.default_rng(0), []
    folder.mkdir(parents=True, exist_ok=True)
    for at in range(count):
        path = folder / f'image_{at}.png'
        Image.fromarray(random.integers(0, 255, (64, 80, 3), np.uint8)).save(path)
        records.append(
            dict(
                id=f'image_{at}',
                file=str(path),
                labels=[at % 2],
                boxes=[[0, 0, 60, 60]],
                box_labels=[at % 2],
                difficult=[False],
                truncated=[False],
            )
        )
    write_records(str(folder / 'records.json'), CLASSES, records)
    return folder / 'records.json'


def edit_record(records: Path, number: int, **changes: Any) -> None:
    """Change the record of one image."""
    content = json.loads(records.read_text())
    content['images'][number].update(changes)
    records.write_text(json.dumps(content))


def bank_config(records: Path, folder: Path, test_mode: bool = False) -> tuple[Config, ConfigDict]:
    """Experiment and bank of these images."""
    init_default_scope('mmpretrain')
    cfg = Config.fromfile(f'{CONFIGS}/tcnn_minivoc_bank.py')
    cfg.merge_from_dict(
        {
            'model.sampler.grid.scales': [1.0, 1.6],
            'model.sampler.background_share': 1.0,
            'model.head.num_classes': 2,
        }
    )
    pipeline = [dict(type='tcnn_mm.LoadVOCObjects'), dict(type='tcnn_mm.PackPatchInputs')]
    source = dict(type='tcnn_mm.ImageRecords', ann_file=str(records), pipeline=pipeline)
    return cfg, ConfigDict(
        type='tcnn_mm.FeatureBank', bank=str(folder), source=source, test_mode=test_mode
    )
