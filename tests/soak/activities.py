"""What a soak does again and again: predict, train and test, make and read a bank, report."""

import shutil
from pathlib import Path

import numpy as np
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from PIL import Image
from torch.utils.data import DataLoader

from tcnn_mm.engine.build_bank import build_bank
from tcnn_mm.inference.inferencer import TCNNInferencer
from tcnn_mm.registry import DATASETS
from tcnn_mm.reports.report import write_report
from tests.support.runs import small_config, test, train
from tests.support.small_bank import bank_config

WORKERS = {
    f'{part}_dataloader.{key}': value
    for part in ('train', 'test')
    for key, value in (('num_workers', 1), ('persistent_workers', True))
}


def write_images(folder: Path) -> int:
    """Write images of 24 sizes, modes and formats, and 5 that cannot be read.

    Returns:
        The number of those that can be read.
    """
    random = np.random.default_rng(0)
    folder.mkdir()
    readable = 0
    for at, (w, h) in enumerate([(1, 1), (64, 48), (200, 30), (31, 190), (120, 160), (333, 250)]):
        pixels = Image.fromarray(random.integers(0, 255, (h, w, 3), np.uint8))
        for mode, suffix in (('RGB', 'jpg'), ('L', 'png'), ('RGBA', 'webp'), ('P', 'gif')):
            pixels.convert(mode).save(folder / f'{at}_{mode}.{suffix}')
            readable += 1
    whole = (folder / '5_RGB.jpg').read_bytes()
    (folder / 'half.jpg').write_bytes(whole[: len(whole) // 2])
    (folder / 'empty.png').write_bytes(b'')
    (folder / 'text.png').write_text('no image')
    (folder / 'head.bmp').write_bytes(b'BM' + b'\xff' * 52)
    (folder / 'bits.webp').write_bytes((folder / '4_RGBA.webp').read_bytes()[:40] + bytes(100))
    return readable


def predict(checkpoint: Path, folder: Path, readable: int) -> int:
    """Load the checkpoint, predict on a folder with maps; returns the number of images."""
    results = TCNNInferencer(checkpoint=checkpoint)(str(folder), score_maps=True)
    assert sum('error' not in result for result in results) == readable
    return len(results)


def train_and_test(work_dir: Path) -> Path:
    """Train an epoch with a worker, test; returns the work dir."""
    train(small_config(work_dir, epochs=1, images=8, **WORKERS))
    metrics = test(small_config(work_dir, epochs=1, images=8, **WORKERS), work_dir / 'epoch_1.pth')
    assert np.isfinite(metrics['voc10/mAP'])
    return work_dir


def make_and_read_bank(records: Path, folder: Path) -> None:
    """Make a bank with a worker, and read its rows with two."""
    cfg, bank = bank_config(records, folder)
    build_bank(cfg, bank)
    dataset = DATASETS.build(bank)
    loader = DataLoader(dataset, batch_size=16, num_workers=2, collate_fn=list)
    rows = sum(len(item['inputs'].features) for batch in loader for item in batch)
    assert rows == len(dataset) > 0


def one_cycle(folder: Path, checkpoint: Path, images: Path, readable: int, records: Path) -> int:
    """Do everything once in `folder`, and remove it; returns the number of images predicted."""
    init_default_scope('mmpretrain')
    MMLogger.get_current_instance().setLevel('ERROR')
    predicted = predict(checkpoint, images, readable)
    write_report(train_and_test(folder / 'run'), images=2)
    make_and_read_bank(records, folder / 'bank')
    shutil.rmtree(folder)
    return predicted
