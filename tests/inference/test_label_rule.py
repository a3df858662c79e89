"""Labels follow thresholds, else 0.5 for independent scores, else the best class."""

import pytest

from tcnn_mm.inference.label_rule import LabelRule

SCORES = dict(a=0.6, b=0.2, c=0.9)


@pytest.mark.parametrize(
    ('rule', 'labels', 'said'),
    [
        (LabelRule(False), ['c'], 'highest score alone'),
        (LabelRule(True), ['c', 'a'], 'at or above 0.5'),
        (LabelRule(True, dict(a=0.6, b=0.1, c=None)), ['a', 'b'], 'a validation set'),
        (LabelRule(False, dict(a=0.61, b=0.3, c=0.95), '60 images of val'), [], '60 images of val'),
    ],
)
def test_labels(rule, labels, said):
    """Highest score first, a score at its threshold included, a class without one never."""
    assert rule.labels(SCORES) == labels and said in str(rule)
