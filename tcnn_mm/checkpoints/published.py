"""Weight files that torchvision and timm publish: where they are, and what they expect."""

import os
import os.path as osp
from typing import Any, NamedTuple

from tcnn_mm.checkpoints.download import named_sha256
from tcnn_mm.errors import UserError

# Of torchvision's own weights; those of others, in its documentation, say their own.
TORCHVISION_LICENCE = 'BSD-3-Clause'
LICENCES = {
    'https://github.com/facebookresearch/SWAG/blob/main/LICENSE': 'CC-BY-NC-4.0',
}
# Of the file in each repository of timm's weights.
_HUB_FILE = 'model.safetensors'


class PublishedFile(NamedTuple):
    """A weight file on a server.

    Attributes:
        url: Where it is.
        file: Its name in a folder of weights.
        sha256: Of the file, hex, or its beginning; '' where it is not published.
        size: Megabytes; None if not published.
        pixels: What the weights expect: `size` of a patch, `mean` and `std` in grey levels 0–255,
            `channel_order`.
        licence: Of the weights.
        top1: Accuracy on ImageNet, percent, as the library says; None if it does not.
        notes: What else is to be known.
    """

    url: str
    file: str
    sha256: str
    size: float | None
    pixels: dict[str, Any]
    licence: str
    top1: float | None
    notes: str = ''


def _pixels(size: int, mean: Any, std: Any) -> dict[str, Any]:
    """Preprocessing in grey levels 0–255; the libraries give it in units of 255."""
    mean, std = (tuple(round(255 * float(v), 3) for v in values) for values in (mean, std))
    return dict(size=size, mean=mean, std=std, channel_order='rgb')


def torchvision_file(name: str) -> PublishedFile:
    """torchvision's best weights of one of its networks.

    Args:
        name: Of the network, e.g. 'resnet50'.
    """
    import torchvision

    weights = torchvision.models.get_model_weights(name).DEFAULT
    look, meta = weights.transforms(), weights.meta
    file = osp.basename(weights.url)
    return PublishedFile(
        url=weights.url,
        file=file,
        sha256=named_sha256(file),
        size=meta['_file_size'],
        pixels=_pixels(look.crop_size[0], look.mean, look.std),
        licence=LICENCES.get(meta.get('license', ''), meta.get('license', TORCHVISION_LICENCE)),
        top1=meta['_metrics']['ImageNet-1K']['acc@1'],
    )


def timm_file(name: str) -> PublishedFile:
    """timm's weights of one of its networks, from its repository on the Hugging Face hub.

    Args:
        name: Of the network, perhaps with the tag of its weights: 'resnet18', 'resnet18.a1_in1k'.

    Raises:
        UserError: timm is not installed, or publishes no weights of this network.
    """
    import_timm(name)
    import timm

    cfg = timm.get_pretrained_cfg(name, allow_unregistered=True)
    if cfg is None or not (cfg.hf_hub_id or cfg.url):
        raise UserError(f'{name}: timm publishes no weights of this network')
    if cfg.hf_hub_id:
        host = os.environ.get('HF_ENDPOINT', 'https://huggingface.co').rstrip('/')
        url = f'{host}/{cfg.hf_hub_id}/resolve/main/{_HUB_FILE}'
        file = f'{osp.basename(cfg.hf_hub_id)}.safetensors'
    else:
        url = str(cfg.url)
        file = osp.basename(url)
    return PublishedFile(
        url=url,
        file=file,
        sha256=named_sha256(file),
        size=None,
        pixels=_pixels(cfg.input_size[-1], cfg.mean, cfg.std),
        licence=cfg.license or 'not stated',
        top1=None,
    )


def import_timm(name: str) -> None:
    """Check that timm is installed.

    Raises:
        UserError: It is not; names the network and the command.
    """
    try:
        import timm  # noqa: F401
    except ImportError as error:
        raise UserError(f"{name}: is timm's; pip install 'tcnn_mm[timm]'") from error
