"""One fitted estimator for many tests: images in memory, labels per image."""

import pytest

from tcnn_mm.estimator.patch_voting_classifier import PatchVotingClassifier
from tests.support.own_data import drawn


@pytest.fixture(scope='session')
def images():
    """Eight images (90, 120, 3); the even ones show a blue square, the odd ones a red one."""
    return [pixels for _, pixels, _, _ in drawn(8)]


@pytest.fixture(scope='session')
def labels():
    """One label per image."""
    return [name for *_, name, _ in drawn(8)]


@pytest.fixture(scope='session')
def box_targets():
    """A dict of one box and its label per image, 0-based."""
    return [
        dict(boxes=[[x1 - 1, y1 - 1, x2, y2]], labels=[name])
        for *_, name, (x1, y1, x2, y2) in drawn(8)
    ]


@pytest.fixture(scope='session')
def fitted(images, box_targets):
    """Fitted on boxes; tests must not change it."""
    return PatchVotingClassifier('minivoc', scales=[1, 1.6], epochs=60).fit(images, box_targets)
