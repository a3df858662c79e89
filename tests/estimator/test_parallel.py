"""`PatchVotingClassifier` in scikit-learn's processes and threads: the serial figures."""

import os
import pickle
import threading

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score

from tcnn_mm.estimator.patch_voting_classifier import PatchVotingClassifier

SMALL = dict(backbone='minivoc', scales=[1.0, 1.6], epochs=5)


@pytest.mark.slow
@pytest.mark.parametrize('backend', ['threading', 'loky'])
def test_cross_validation_by_two(images, labels, backend):
    """`n_jobs=2`: the accuracy per fold of one job; the environment and the folder stay."""
    before = dict(os.environ), os.getcwd()
    serial = cross_val_score(PatchVotingClassifier(**SMALL), images, labels, cv=2)
    with joblib.parallel_backend(backend):
        folds = cross_val_score(PatchVotingClassifier(**SMALL), images, labels, cv=2, n_jobs=2)
    assert folds.tolist() == serial.tolist()
    assert (dict(os.environ), os.getcwd()) == before


@pytest.mark.slow
@pytest.mark.parametrize('backend', ['threading', 'loky'])
def test_a_grid_search_by_two(images, labels, backend):
    """The table of one job, and a best estimator that predicts, is cloned and pickled."""
    found = []
    for jobs in (1, 2):
        search = GridSearchCV(
            PatchVotingClassifier(**SMALL), {'epochs': [1, 5], 'seed': [0, 1]}, cv=2, n_jobs=jobs
        )
        with joblib.parallel_backend(backend):
            search.fit(images, labels)
        found.append(search)
    one, two = (search.cv_results_['mean_test_score'].tolist() for search in found)
    assert one == two and found[0].best_params_ == found[1].best_params_
    best = found[1].best_estimator_
    expected = best.predict_proba(images)
    assert np.array_equal(found[0].best_estimator_.predict_proba(images), expected)
    assert np.array_equal(pickle.loads(pickle.dumps(best)).predict_proba(images), expected)
    assert clone(best).get_params() == best.get_params() and not hasattr(clone(best), 'classes_')


@pytest.mark.slow
def test_two_fits_in_threads_of_one_process(images, labels):
    """Two estimators of two seeds at a time: each has the scores of a fit alone."""
    found = [None, None]

    def fit(seed):
        model = PatchVotingClassifier(**SMALL, seed=seed).fit(images, labels)
        found[seed] = model.predict_proba(images)

    fit(0), fit(1)
    serial = found.copy()
    assert not np.array_equal(*serial)
    together([lambda seed=seed: fit(seed) for seed in (0, 1)])
    for mine, expected in zip(found, serial, strict=True):
        assert mine is not expected and np.array_equal(mine, expected)


def test_one_estimator_predicts_in_threads(fitted, images):
    """Predictions of several threads with one estimator are those of one."""
    expected, found = fitted.predict_proba(images), [None] * 4

    def predict(number):
        found[number] = fitted.predict_proba(images)

    again = pickle.loads(pickle.dumps(fitted))  # its model is not loaded yet
    together([lambda number=number: predict(number) for number in range(3)])
    found[3] = again.predict_proba(images)
    assert all(np.array_equal(each, expected) for each in found)
    counts = []
    fresh = pickle.loads(pickle.dumps(fitted))
    together([lambda: counts.append(fresh.predict_proba(images).tolist()) for _ in range(3)])
    assert counts == [expected.tolist()] * 3


def together(works):
    """Run functions in threads, from one moment on; their errors are raised."""
    start, errors = threading.Barrier(len(works)), []

    def run(work):
        try:
            start.wait()
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
