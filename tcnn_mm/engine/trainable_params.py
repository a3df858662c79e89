"""An optimizer over what trains, and nothing else."""

from mmengine.optim import DefaultOptimWrapperConstructor
from mmengine.registry import OPTIM_WRAPPERS, OPTIMIZERS

from tcnn_mm.errors import UserError
from tcnn_mm.registry import OPTIM_WRAPPER_CONSTRUCTORS


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class TrainableParams(DefaultOptimWrapperConstructor):
    """Trainable parameters only, ordered by name, one group.

    mmengine's default gives frozen parameters to the optimizer too, where they cost memory and
    tie a checkpoint's optimizer state to what was frozen. For other learning rates by layer use
    mmengine's constructor with `paramwise_cfg`, which skips frozen parameters as well.
    """

    def __call__(self, model):
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
