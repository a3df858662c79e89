"""The page and its HTTP API, as Gradio blocks around a trained model."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tcnn_mm.app.answers import answer, as_figures, as_json, as_table, more_than_shown
from tcnn_mm.errors import UserError
from tcnn_mm.inference.inferencer import TCNNInferencer

if TYPE_CHECKING:  # an optional package
    import gradio

# Uploads are deleted an hour after they came.
DELETE_UPLOADS = (600, 3600)
CSS = """
table.scores {width: 100%; border-collapse: collapse}
table.scores th, table.scores td {text-align: left; padding: 2px 8px}
table.scores tr.label {font-weight: bold}
#figures .grid-container, #figures button {grid-auto-rows: auto; grid-template-rows: auto;
  aspect-ratio: auto; height: auto}
#figures .caption-label {display: none}
"""


def build_page(inferencer: TCNNInferencer, name: str) -> 'gradio.Blocks':
    """Make the page.

    Args:
        inferencer: The trained model, of whole images.
        name: Of the checkpoint, for the heading.

    The API has two calls, both of an image and a list of classes (empty: those of the labels):
    `/predict` gives :func:`answers.as_json`, `/show` the table and the figures of the page.
    """
    import gradio

    def predict(image: str | None, classes: list[str] | None = None) -> dict[str, Any]:
        """Labels, scores of all classes, and best patches of the labels or of chosen classes."""
        return as_json(inferencer, answer(inferencer, image, classes or (), score_maps=False))

    def show(image: str | None, classes: list[str] | None = None) -> tuple[str, list[Any]]:
        """A table of scores (HTML), and one figure per label or chosen class (PNG)."""
        found = answer(inferencer, image, classes or ())
        left = more_than_shown(found)
        if left:
            found.notes.append(left)
        return as_table(inferencer, found), as_figures(inferencer, found)

    with gradio.Blocks(
        title='tcnn_mm', analytics_enabled=False, delete_cache=DELETE_UPLOADS
    ) as page:
        gradio.Markdown('# Labels, localization maps and best patches')
        gradio.Textbox(name, label='checkpoint', interactive=False, max_lines=1)
        with gradio.Row():
            with gradio.Column(scale=1):
                image: Any = gradio.Image(
                    type='filepath',
                    sources=['upload', 'clipboard'],
                    label='image',
                )
                # The inferencer reads the file, with our limits; Gradio would decode it first.
                image.preprocess = _path_of
                classes = gradio.Dropdown(
                    inferencer.classes,
                    multiselect=True,
                    label='classes to show; none: the labels',
                )
                button = gradio.Button('Predict', variant='primary', elem_id='predict')
            with gradio.Column(scale=2):
                table = gradio.HTML(label='scores', elem_id='table')
                figures = gradio.Gallery(
                    label='best patches and localization map per class',
                    show_label=False,  # it would cover the first title
                    columns=1,
                    object_fit='contain',
                    height='auto',
                    format='png',
                    elem_id='figures',
                )
        plain = gradio.JSON(visible=False)
        # One call of the model at a time, whichever of the two it is for.
        alone: dict[str, Any] = dict(concurrency_id='model', concurrency_limit=1)
        inputs = [image, classes]
        button.click(_told(gradio.Error, show), inputs, [table, figures], api_name='show', **alone)
        gradio.Button(visible=False).click(
            _told(gradio.Error, predict), inputs, plain, api_name='predict', **alone
        )
    return page


def _path_of(payload: Any) -> str | None:
    """The file of an upload; None without one."""
    return None if payload is None else payload.path


def _told(error_type: type[Exception], function: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose errors that the user can fix are shown as one line."""
    import functools

    @functools.wraps(function)
    def call(*args: Any) -> Any:
        try:
            return function(*args)
        except UserError as error:
            raise error_type(str(error)) from error

    return call
