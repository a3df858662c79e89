# VOC 2007 from a feature bank: FC7 of all sampled patches is computed once.
# FCa and FCb train on mini-batches that are shuffled over all patches of all images, as in the
# paper (sec. 4).
#
#   export TCNN_DATA=…     (holds VOCdevkit/VOC2007)
#   export TCNN_WEIGHTS=…  (holds alexnet-owt-7be5be79.pth, torchvision's file)
#   tcnn train tcnn_voc07_bank      (makes the bank where it is absent)
#   tcnn test tcnn_voc07 work_dirs/tcnn_voc07_bank/epoch_12.pth --amp
#
# Expected: the paper has 77.7 voc07 mAP; ours is not measured, as for tcnn_voc07.
# Time: the bank has 367,000 patches, 3.0 GB (counted on the full annotations). At the 280 patches
# per second of two CPU cores with AVX512-BF16 it takes 22 minutes, then an epoch of the head 3.
# Mirrored patches too, for twice the disk and time:
# --cfg-options train_dataloader.dataset.flips=True
_base_ = './_base_/experiments/tcnn_voc07_bank.py'
