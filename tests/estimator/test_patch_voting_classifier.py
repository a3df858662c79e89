"""`PatchVotingClassifier` as a notebook uses it: lists in, labels, scores and maps out."""

import copy
import doctest
import os
import pickle

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import tcnn_mm
from tcnn_mm.estimator.load import load as load_estimator
from tcnn_mm.estimator.patch_voting_classifier import PatchVotingClassifier
from tcnn_mm.inference.inferencer import TCNNInferencer

SMALL = dict(backbone='minivoc', scales=[1.0, 1.6])


def test_parameters_are_stored_unchanged():
    """get_params, set_params and clone: the same objects, nothing is read before `fit`."""
    scales = [1.0, 2.0]
    model = PatchVotingClassifier('resnet18', scales=scales, work_dir='some/folder')
    assert model.get_params()['scales'] is scales
    again = clone(model.set_params(epochs=7))
    assert again.get_params() == model.get_params() and again.epochs == 7
    assert not os.path.exists('some/folder')


def test_the_class_docstring_runs():
    """The example of the docstring, word for word, by the public names."""
    finder = doctest.DocTestFinder(recurse=False)
    (example,) = finder.find(PatchVotingClassifier, 'PatchVotingClassifier')
    assert len(example.examples) <= 10
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(example)
    assert runner.tries > 5 and runner.failures == 0


def test_fitted_on_boxes(fitted, images, box_targets, labels):
    """Scores, label lists and mean AP; the maps are higher on the object than beside it."""
    assert fitted.classes_.tolist() == ['blue', 'red']
    scores = fitted.predict_proba(images)
    assert scores.shape == (8, 2) and (scores >= 0).all() and (scores <= 1).all()
    predicted = fitted.predict(images)
    assert [name in mine for name, mine in zip(labels, predicted, strict=True)].count(True) >= 7
    assert fitted.score(images, box_targets) > 0.9
    assert fitted.score(images, [[name] for name in labels]) == fitted.score(images, box_targets)
    maps = fitted.score_maps(images[:1])[0]
    assert set(maps) == {'blue', 'red'} and maps['blue'].dtype == np.float32
    x1, y1, x2, y2 = map(int, box_targets[0]['boxes'][0])
    inside = np.zeros((90, 120), bool)
    inside[y1:y2, x1:x2] = True
    assert maps['blue'].shape == (90, 120)
    assert maps['blue'][inside].mean() > maps['blue'][~inside].mean()


def test_a_map_is_plotted(fitted, images, tmp_path):
    """The map over the image, as in a notebook."""
    pyplot = pytest.importorskip('matplotlib.pyplot')
    figure, axes = pyplot.subplots()
    axes.imshow(images[0])
    axes.imshow(fitted.score_maps(images[:1], classes=['blue'])[0]['blue'], alpha=0.5)
    figure.savefig(tmp_path / 'map.png')
    pyplot.close(figure)
    assert (tmp_path / 'map.png').stat().st_size > 1000


def test_paths_arrays_and_pil_images_score_alike(fitted, images, tmp_path):
    """The same pixels in three forms, mixed in one list."""
    path = tmp_path / 'a.png'
    Image.fromarray(images[0]).save(path)
    scores = fitted.predict_proba([path, str(path), images[0], Image.fromarray(images[0])])
    assert (scores == scores[0]).all()


def test_maps_and_scores_are_those_of_the_command(fitted, images, tmp_path):
    """A saved file in the inferencer behind `tcnn predict`: bit-equal scores and maps."""
    fitted.save(tmp_path / 'model.pth')
    (result,) = TCNNInferencer(checkpoint=tmp_path / 'model.pth')(images[:1], score_maps=True)
    assert list(result['scores'].values()) == fitted.predict_proba(images[:1])[0].tolist()
    assert np.array_equal(result['maps']['red'], fitted.score_maps(images[:1])[0]['red'])


def test_saved_and_loaded(fitted, images, tmp_path):
    """`tcnn_mm.load` gives an estimator of the same parameters, classes and predictions."""
    fitted.save(tmp_path / 'model.pth')
    loaded = tcnn_mm.load(tmp_path / 'model.pth')
    assert np.array_equal(loaded.predict_proba(images), fitted.predict_proba(images))
    assert loaded.predict(images) == fitted.predict(images)
    assert loaded.epochs == fitted.epochs and loaded.scales == fitted.scales


@pytest.mark.parametrize('copied', [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_do_not_need_the_original(fitted, images, copied):
    """deepcopy and pickle carry the checkpoint in a folder of their own, removed with them."""
    again = copied(fitted)
    assert again.checkpoint_ != fitted.checkpoint_
    assert np.array_equal(again.predict_proba(images[:2]), fitted.predict_proba(images[:2]))
    folder = os.path.dirname(again.checkpoint_)
    del again
    assert not os.path.exists(folder) and os.path.exists(fitted.checkpoint_)


def test_not_fitted(images):
    """Every method that needs a fit says so in scikit-learn's way."""
    model = PatchVotingClassifier()
    for call in (model.predict, model.predict_proba, model.score_maps, model.save):
        with pytest.raises(NotFittedError):
            call(images)
    with pytest.raises(NotFittedError):
        model.score(images, ['a'] * len(images))


def test_images_that_are_none(fitted, images, tmp_path):
    """One image instead of a list, a folder, a number: an error that says what is expected."""
    for wrong, match in (
        (str(tmp_path), 'sequence of images'),
        ([str(tmp_path)], 'is a folder'),
        ([images[0], 3], 'image 1: a path, an array'),
    ):
        with pytest.raises(TypeError, match=match):
            fitted.predict(wrong)
    with pytest.raises(ValueError, match="no class 'green'"):
        fitted.score_maps(images[:1], classes=['green'])


def test_cross_validation_on_labels(images, labels):
    """scikit-learn splits lists by its own rules; accuracy per fold."""
    model = PatchVotingClassifier(**SMALL, epochs=20)
    scores = cross_val_score(model, images, labels, cv=2)
    assert scores.shape == (2,) and np.isfinite(scores).all()


def test_cross_validation_on_boxes_and_in_a_pipeline(images, box_targets):
    """Lists of dicts with KFold, behind a step that darkens the images: mean AP per fold."""
    darken = FunctionTransformer(lambda batch: [image // 2 for image in batch])
    model = make_pipeline(darken, PatchVotingClassifier(**SMALL, epochs=5))
    scores = cross_val_score(model, images, box_targets, cv=KFold(2))
    assert scores.shape == (2,) and (scores > 0).all()


def test_public_names():
    """The package gives the class and `load`, without importing them first."""
    assert tcnn_mm.PatchVotingClassifier is PatchVotingClassifier
    assert tcnn_mm.load is load_estimator
