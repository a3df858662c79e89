"""Names of files and folders say a part of the data in any case, whole words only."""

import pytest

from tcnn_mm.datasets.formats.parts import part_of_name, part_of_path


@pytest.mark.parametrize(
    ('name', 'part'),
    [
        ('train', 'train'), ('Train', 'train'), ('TRAINING', 'train'), ('seg_train', 'train'),
        ('instances_train2017', 'train'), ('valid', 'val'), ('Validation', 'val'), ('val2', 'val'),
        ('dev', 'val'), ('test-set', 'test'), ('trainval', 'trainval'),
        ('TrainData', 'train'), ('testSet', 'test'), ('trainA', 'train'), ('testset', 'test'),
        ('trains', None), ('validity', None), ('freight', None), ('images', None), ('', None),
        ('train_test', None),
    ],
)  # fmt: skip
def test_part_of_a_name(name, part):
    """Words of a name are told apart by anything but letters; two parts are none."""
    assert part_of_name(name) == part


def test_the_first_folder_of_a_path_says_the_part():
    """The outermost name with a part counts, else the file's own."""
    assert part_of_path('valid/train_cars/1') == 'val'
    assert part_of_path('images/test') == 'test' and part_of_path('images/a') is None
