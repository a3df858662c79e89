"""Build an optimizer over the trainable parameters alone."""

import torch
from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS, OPTIMIZERS

from tcnn_mm.errors import UserError
from tcnn_mm.registry import OPTIM_WRAPPER_CONSTRUCTORS


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class TrainableParams(DefaultOptimWrapperConstructor):
    """Passes the trainable parameters to the optimizer, ordered by name, in one group.

    mmengine's default passes frozen parameters too: they use memory, and the optimizer state of a
    checkpoint then depends on which layers were frozen. For a learning rate per layer use
    mmengine's constructor with `paramwise_cfg`, which skips frozen parameters too.
    """

    def __call__(self, model: torch.nn.Module) -> OptimWrapper:
        """Build the optimizer and its wrapper for a model.

        Raises:
            UserError: `paramwise_cfg` is set; no parameter is trainable.
        """
        if self.paramwise_cfg:
            raise UserError(
                'TrainableParams takes no paramwise_cfg; use '
                "constructor='mmengine.DefaultOptimWrapperConstructor' for it"
            )
        model = getattr(model, 'module', model)
        named = sorted(
            (name, parameter)
            for name, parameter in model.named_parameters()
            if parameter.requires_grad
        )
        if not named:
            raise UserError('nothing to train: every parameter is frozen; shorten `frozen`')
        wrapper = dict(self.optim_wrapper_cfg)
        wrapper.setdefault('type', 'OptimWrapper')
        optimizer = dict(self.optimizer_cfg, params=[parameter for _, parameter in named])
        return OPTIM_WRAPPERS.build(
            wrapper, default_args=dict(optimizer=OPTIMIZERS.build(optimizer))
        )
