# The paper's rule for all its nets: lr 0.01, ÷10 when the training loss stops moving, the end after
# three stages; 90 epochs are an upper bound. Momentum, weight decay: Krizhevsky's.
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=5e-4))
train_cfg = dict(by_epoch=True, max_epochs=90, val_interval=1)
val_cfg = test_cfg = dict()
param_scheduler = None
# --auto-scale-lr: other batch sizes need lr in proportion (32 images at lr 0.01: the units of FC7
# die; at 0.0025 the loss falls; measured on 100 images).
auto_scale_lr = dict(base_batch_size=128)
