# SGD in three stages, lr 0.01 / 0.001 / 0.0001 (paper, sec. 1); momentum and weight decay are
# Krizhevsky's. An epoch is a pass over the images with the sampler's `num_patches` each.
optim_wrapper = dict(
    constructor='tcnn_mm.TrainableParams',
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=5e-4),
)
train_cfg = dict(by_epoch=True, max_epochs=120)
param_scheduler = dict(type='MultiStepLR', by_epoch=True, milestones=[70, 100], gamma=0.1)
val_cfg = val_dataloader = val_evaluator = None
test_cfg = dict()
