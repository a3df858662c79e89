"""The tables of a fit: classification and localization, and which of them is first."""

import numpy as np

from tcnn_mm.estimator.result_table import result_table

LABELS = np.array([[1, -1], [1, 1], [-1, 1], [1, -1]])
AP = dict(
    metric='voc10',
    mAP=0.75,
    images=4,
    classes=dict(
        cat=dict(ap=0.5, positives=3, difficult=0), dog=dict(ap=1.0, positives=2, difficult=1)
    ),
)
ROW = dict(ap=0.25, centre_ap=0.125, hit_rate=0.5, centre_hit_rate=None)
POINT = dict(
    metric='point', mAP=0.25, centre_mAP=0.125, hit_rate=0.5, centre_hit_rate=0.1, images=4,
    tolerance=18, hit_tolerance=15, classes=dict(cat=ROW, dog=ROW),
)  # fmt: skip
THRESHOLDS = dict(cat=0.1, dog=0.2)


def test_classification_then_localization():
    """AP beside random scores; pointing beside the centre of the image; nan where undefined."""
    lines = result_table([AP, POINT], LABELS, THRESHOLDS)
    assert lines[1].split()[:3] == ['class', 'AP', '%'] and lines[2].split()[:2] == ['cat', '50.0']
    assert lines[4].split()[:2] == ['mean', '75.0']
    assert '18 px for AP and 15 px for hits' in lines[5]
    assert lines[7].split() == ['cat', '25.0', '12.5', '50.0', 'nan']
    assert lines[9].split() == ['mean', '25.0', '12.5', '50.0', '10.0']
    assert result_table([AP], LABELS, THRESHOLDS) == lines[:5]


def test_localization_is_first_where_an_ap_says_nothing():
    """A class that all test images have: a note, and localization before classification."""
    labels = np.array([[1, -1], [1, 1], [1, 1], [1, 0]])
    full = dict(AP, classes=dict(AP['classes'], cat=dict(ap=1.0, positives=4, difficult=0)))
    lines = result_table([full, POINT], labels, THRESHOLDS)
    assert lines[0].startswith('localization: ')
    assert lines[5].startswith('Every test image has cat: the AP of classification is then 100 %')
    assert lines[6].startswith('voc10 on 4 test images')
