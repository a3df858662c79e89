# The paper's main row from a feature bank: FC7 of all sampled patches is computed once, FCa and FCb
# train on mini-batches shuffled over all patches of all pictures, as in the paper (sec. 4).
#
#   export TCNN_DATA=…     (holds VOCdevkit/VOC2007)
#   export TCNN_WEIGHTS=…  (holds alexnet-owt-7be5be79.pth, torchvision's file)
#   python tools/dataset_converters/extract_features.py configs/tcnn_voc07_bank.py
#       (tools/train.py makes it where it is absent)
#   python tools/train.py configs/tcnn_voc07_bank.py
#   python tools/test.py configs/tcnn_voc07.py work_dirs/tcnn_voc07_bank/epoch_12.pth --amp
#
# Paper 77.7 (voc07 mAP); our figure: not measured, as for tcnn_voc07.
# The bank: 367,000 patches, 3.0 GB (counted on the full annotations); mirrored ones too:
# --cfg-options train_dataloader.dataset.flips=True, twice the disk and time. At the 280 patches a
# second of two CPU cores with AVX512-BF16 it takes 22 minutes, then an epoch of the heads 3.
_base_ = './_base_/experiments/tcnn_voc07_bank.py'
