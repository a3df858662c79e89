"""Refuse a checkpoint of another model, other classes or another way of scoring."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from tcnn_mm.checkpoints.loading import install_safe_loader_once
from tcnn_mm.checkpoints.strict import (
    NEW_LAYERS,
    RECORDED,
    check_classes,
    check_record,
    check_state,
    is_source_network,
    short_list,
)
from tcnn_mm.compat import resume_request, running_loop
from tcnn_mm.engine.trained_images import warn_of_trained_images
from tcnn_mm.engine.unwrap_model import unwrap_model
from tcnn_mm.models.patch_model import PatchModel
from tcnn_mm.registry import HOOKS


@HOOKS.register_module()
class StrictCheckpointHook(Hook):
    """Compares each checkpoint that a runner loads with its model and its data set.

    mmengine loads what fits and warns of the rest, so a checkpoint of another model is tested with
    random layers. Here names and shapes of the tensors and the class names, in order, must be
    equal. So must, of the record (`meta['tcnn_mm']`):

    * at test and validation: preprocessing, sampler, grid, aggregator, feature mode; the config's
      `allowed_differences`, a list of these names, says which may differ on purpose;
    * at resume: these, and the frozen parameters: to change them is `load_from`;
    * at `load_from` of a training: the preprocessing. A source network (a plain classifier) fills
      the backbone and neck of a `PatchModel`; head and context are new, which is logged.

    At test and validation a warning counts the images that were trained on.

    Where another package's tool runs the config, the file is read as data only, as `tcnn train`
    and `tcnn test` read it. They add this hook to any config.
    """

    # Before EMAHook exchanges the weights.
    priority = 'VERY_HIGH'

    def before_run(self, runner: Runner) -> None:
        """Make mmengine read checkpoints as data, before it reads one."""
        install_safe_loader_once()

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Compare; mmengine calls this before it fills the model.

        Raises:
            UserError: A difference.
        """
        # Of old checkpoints: mmengine would run this text when it resumes.
        (checkpoint.get('meta') or {}).pop('config', None)
        loop, (resumes, name) = running_loop(runner), resume_request(runner)
        name, model = name or 'the checkpoint', unwrap_model(runner)
        ours = isinstance(model, PatchModel)
        starts = loop == 'train' and not resumes
        transfer = starts and (not ours or is_source_network(checkpoint))
        fresh = check_state(checkpoint, model, name, NEW_LAYERS if transfer else ())
        if fresh:
            runner.logger.warning(f'{name}: new layers, not in the file: {short_list(fresh)}')
        if not fresh:
            data = getattr(runner, f'{loop}_loop').dataloader.dataset
            classes = (getattr(data, 'metainfo', None) or {}).get('classes') or ()
            check_classes(checkpoint, classes, name, f'the {loop} data')
            if loop != 'train':
                warn_of_trained_images(checkpoint, data, name, runner.logger)
        if not ours:
            return
        entries = ('preprocessing',) if starts else RECORDED
        allowed = runner.cfg.get('allowed_differences') or ()
        for text in check_record(checkpoint, model, name, entries, allowed):
            runner.logger.warning(f'{name}: as allowed_differences asks, {text}')
        if loop == 'train' and resumes:
            check_record(checkpoint, model, name, ('frozen',))
