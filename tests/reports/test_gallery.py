"""Drawings of a report: ranks, and sheets of the best patches."""

import numpy as np

from tcnn_mm.reports.gallery import PATCHES, ClassGallery, Patch, ranks


def test_ranks_start_at_one_and_ties_keep_their_order():
    """The highest score has rank 1."""
    assert ranks(np.array([0.2, 0.9, 0.2, 0.5])).tolist() == [3, 1, 4, 2]


def test_a_sheet_shows_the_best_patches_of_all_images():
    """At most PATCHES of them, highest score first; None where there is none."""
    assert ClassGallery().sheet() is None
    colors = np.random.default_rng(0).permutation(PATCHES + 4)
    patches = [Patch(float(c), 1, np.full((8, 8, 3), 10 * c, np.uint8)) for c in colors]
    sheet = ClassGallery(patches=patches).sheet()
    best = ClassGallery(patches=[patch for patch in patches if patch.score >= 4]).sheet()
    np.testing.assert_array_equal(sheet, best)
    ordered = ClassGallery(patches=sorted(patches, key=lambda patch: -patch.score)).sheet()
    np.testing.assert_array_equal(sheet, ordered)
