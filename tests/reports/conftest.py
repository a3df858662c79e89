"""One run that the tests of this folder share."""

import pytest

from tests.support.runs import small_config, test, train


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    """A work dir with a training of two epochs and a test of 8 images."""
    folder = tmp_path_factory.mktemp('run')
    options = {
        'images': 8,
        'log_level': 'INFO',
        'default_hooks.logger.interval': 1,
        'train_dataloader.num_workers': 0,
        'train_dataloader.persistent_workers': False,
        'test_dataloader.num_workers': 0,
        'test_dataloader.persistent_workers': False,
    }
    train(small_config(folder, **options))
    test(small_config(folder, **options), folder / 'epoch_2.pth')
    return folder
