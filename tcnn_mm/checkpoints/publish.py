"""Weights-only files of checkpoints: no optimizer, no log, nothing to unpickle."""

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.checkpoints.writing import write_checkpoint

# Entries of a checkpoint's meta that are kept.
KEPT = ('cfg', 'dataset_meta', 'tcnn_mm', 'epoch', 'seed')


def publish(checkpoint: str, out: str, *, config: bool = True, trust: bool = False) -> int:
    """Write the weights, class names, config, record and thresholds of a checkpoint.

    The same weights give the same file.

    Args:
        out: A name that ends in `.safetensors` gives that format, any other torch's.
        config: Whether to keep the config.
        trust: Unpickle the checkpoint fully.

    Returns:
        Number of tensors.

    Raises:
        UserError: No checkpoint that can be read; safetensors is not installed.
    """
    content = load_safely(checkpoint, trust=trust)
    kept = KEPT if config else KEPT[1:]
    meta = {key: content['meta'][key] for key in kept if key in content['meta']}
    state = {k: v.cpu().contiguous() for k, v in sorted(content['state_dict'].items())}
    write_checkpoint(out, dict(meta=meta, state_dict=state))
    load_safely(out)
    return len(state)
