# mmpretrain's CIFAR-10 config with the two adaptation layers of the method.
# Only the head changes.
#
#   tcnn train mixing/resnet18_adaptation-head_cifar10
#   tcnn test mixing/resnet18_adaptation-head_cifar10 \
#       work_dirs/resnet18_adaptation-head_cifar10/epoch_200.pth
#
# Expected figure and time: not measured, because the data (170 MB, downloaded by mmpretrain) were
# unavailable. mmpretrain's linear head has 94.82 % top-1.
# `background=False`: every image has a class.
_base_ = 'mmpretrain::resnet/resnet18_8xb16_cifar10.py'
model = dict(
    head=dict(
        _delete_=True,
        type='tcnn_mm.AdaptationHead',
        num_classes=10,
        in_channels=512,
        background=False,
    )
)
