"""Every private name of the toolbox that we must touch: one function each."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmengine.config import Config, ConfigDict, DictAction
from mmengine.logging import MMLogger


def config_dict(cfg: Config) -> ConfigDict:
    """The dict of a config itself, not a copy: what is changed in it is changed in the config."""
    return cfg._cfg_dict


def ignore_import_warnings() -> None:
    """Silence what mmcv and mmdet say when mmpretrain imports them without their compiled ops.

    Nothing of ours needs those ops. For processes of our own: it changes their warnings and log.
    """
    warnings.filterwarnings('ignore', message='Fail to import ``MultiScaleDeformableAttention``')
    MMLogger.get_current_instance().addFilter(
        lambda record: not record.getMessage().startswith('Line NMS is not compiled')
    )


@contextmanager
def quiet_log() -> Iterator[None]:
    """Hold back what the toolbox logs below a warning, on standard output too."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel('WARNING')
    try:
        yield
    finally:
        logger.setLevel(level)


def parse_option_value(text: str) -> Any:
    """Value of a `--cfg-options KEY=TEXT`: a number, word, tuple or list, by mmengine's rules.

    Raises:
        ValueError: mmengine cannot read it.
    """
    try:
        return DictAction._parse_iterable(text)
    except (AssertionError, RecursionError) as error:  # of mmengine's reader of lists
        raise ValueError(f'not readable as a value: {text}') from error
