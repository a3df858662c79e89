"""Results of a test as text: percent per class, dashes for what is not defined."""

import json

import pytest

from tcnn_mm.errors import UserError
from tcnn_mm.reports.result_lines import result_lines

AP = dict(metric='voc07', mAP=0.5, images=3, classes=dict(cat=dict(ap=0.5), dog=dict(ap=None)))
POINT = dict(
    metric='point', mAP=None, images=3, persons=4, classes={}, hit_rate=0.25, hit_tolerance=18,
    centre_mAP=0.1, centre_hit_rate=0.2,
)  # fmt: skip


def test_one_line_per_metric_and_one_of_hits(tmp_path):
    """Fractions become percent; a class without AP has a dash; persons are counted apart."""
    (tmp_path / 'voc_ap.json').write_text(json.dumps([AP, POINT]))
    first, second, third = result_lines(str(tmp_path))
    assert first == 'voc07 mAP 50.0 on 3 images: cat 50.0, dog –'
    assert second == 'point mAP – on 4 persons of 3 images: '
    assert '25.0 % within 18 px' in third and 'mAP 10.0, hits 20.0 %' in third


def test_secret_and_absent_results(tmp_path):
    """An empty list: the annotations are secret. No file: the command that makes it."""
    with pytest.raises(UserError, match='tcnn test CONFIG CHECKPOINT --work-dir'):
        result_lines(str(tmp_path))
    (tmp_path / 'voc_ap.json').write_text('[]')
    assert 'secret' in result_lines(str(tmp_path))[0]
