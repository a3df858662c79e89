"""The entries of voc_ap.json as tables and headline."""

from tcnn_mm.reports.collect_results import collect_results, headline

CLASSES = dict(
    cat=dict(ap=1.0, positives=2, difficult=0), dog=dict(ap=None, positives=0, difficult=1)
)
AP = dict(metric='voc10', mAP=1.0, images=3, classes=CLASSES)
ROW = dict(
    ap=0.25, centre_ap=0.1, hit_rate=0.5, centre_hit_rate=0.2, positives=2, difficult=0
)  # fmt: skip
POINT = dict(
    metric='point', mAP=0.25, centre_mAP=0.1, hit_rate=0.5, centre_hit_rate=0.2, images=3,
    tolerance=18, hit_tolerance=15, classes=dict(cat=ROW),
)  # fmt: skip


def test_pointing_has_a_table_of_its_own():
    """Columns of classification alone; pointing and the centre of the image per class."""
    results = collect_results([AP, POINT])
    assert results.columns == ['AP %, area (VOC2010–12)'] and results.meaningless == ''
    (table,) = results.pointing
    assert table.hit_tolerance == 15 and table.classes[0].centre_hit_rate == 0.2
    assert table.means[0].ap == 0.25 and table.means[0].positives is None
    assert [name for _, name in headline([AP, POINT])] == [
        'voc10 mAP %', 'pointing AP % (centre: 10.0)', 'hits % (centre: 20.0)', 'test images',
    ]  # fmt: skip


def test_localization_leads_where_every_image_is_positive():
    """A detection set of one class: its AP is 100 whatever the scores are."""
    full = dict(AP, images=2)
    results = collect_results([full, POINT])
    assert results.meaningless.startswith('Every test image has cat')
    assert headline([full, POINT])[0] == ('25.0', 'pointing AP % (centre: 10.0)')


def test_a_test_of_pointing_alone():
    """No table of classification, and nothing to call meaningless."""
    results = collect_results([dict(POINT, subset=['cat'], mAP_subset=0.3)])
    assert results.columns == [] and results.classes == [] and results.meaningless == ''
    assert [row.name for row in results.pointing[0].means] == ['mean', 'mean of cat']
    assert results.pointing[0].means[1].hit_rate is None
    assert headline([POINT])[-1] == ('3', 'test images')
