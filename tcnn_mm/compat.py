"""Every private name of the toolbox that we must touch: one function each."""

from typing import Any

from mmengine.config import Config, ConfigDict, DictAction


def config_dict(cfg: Config) -> ConfigDict:
    """The dict of a config itself, not a copy: what is changed in it is changed in the config."""
    return cfg._cfg_dict


def parse_option_value(text: str) -> Any:
    """Value of a `--cfg-options KEY=TEXT`: a number, word, tuple or list, by mmengine's rules.

    Raises:
        ValueError: mmengine cannot read it.
    """
    try:
        return DictAction._parse_iterable(text)
    except (AssertionError, RecursionError) as error:  # of mmengine's reader of lists
        raise ValueError(f'not readable as a value: {text}') from error
