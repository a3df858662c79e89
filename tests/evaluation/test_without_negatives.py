"""Classes whose AP says nothing: no image is negative for them."""

import pytest

from tcnn_mm.evaluation.average_precision import voc_ap
from tcnn_mm.evaluation.without_negatives import meaningless_note, without_negatives


def report(**counts):
    """An entry of voc_ap.json of 5 images with (positives, difficult) per class."""
    rows = {name: dict(ap=1.0, positives=p, difficult=d) for name, (p, d) in counts.items()}
    return dict(metric='voc10', images=5, classes=rows)


@pytest.mark.parametrize(
    'counts, found',
    [((5, 0), ['a']), ((3, 2), ['a']), ((4, 0), []), ((0, 5), []), ((0, 0), [])],
)
def test_positives_and_difficult_ones_are_all_images(counts, found):
    """A class without positives has no AP at all."""
    assert without_negatives(report(a=counts, b=(2, 1))) == found


def test_its_ap_is_1_for_any_scores():
    """Why the note is true: every order of the images has AP 1."""
    assert voc_ap([0.3, 0.1, 0.2], [1, 1, 0], 'voc10') == 1
    assert voc_ap([0.1, 0.3, 0.2], [1, 1, 0], 'voc10') == 1


def test_actions_count_persons():
    """Where samples are persons, images are not what is counted."""
    assert without_negatives(dict(report(a=(5, 0)), persons=9)) == []


def test_the_note_names_the_classes():
    """One by one, or how many they are; nothing without any."""
    assert meaningless_note([]) == ''
    assert 'Every test image has a, b: the AP' in meaningless_note(['a', 'b'])
    assert 'has 30 classes: the AP' in meaningless_note(['a'] * 30)
