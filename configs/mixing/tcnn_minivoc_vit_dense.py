# The small vision transformer of tcnn_minivoc_vit.py in dense mode: attention in tiles.
#
#   tcnn train mixing/source_minivoc_vit
#   tcnn train mixing/tcnn_minivoc_vit_dense
#   tcnn test mixing/tcnn_minivoc_vit_dense work_dirs/tcnn_minivoc_vit_dense/epoch_30.pth
#
# Expected, 3 seeds: voc10 mAP on test 63.4 (62.9–64.1), pointing AP 32.0 (31.6–32.3).
# Time: 20 s for the banks, 4 s for the head on one CPU core, after 12 minutes for the network.
# Larger tiles are worse here: docs/mixing.md.
_base_ = './tcnn_minivoc_vit.py'
model = dict(feature_mode='dense', dense_tile=64)
train_dataloader = dict(dataset=dict(bank='work_dirs/banks/tcnn_minivoc_vit_dense'))
test_dataloader = dict(dataset=dict(bank='work_dirs/banks/tcnn_minivoc_vit_dense_test-windows'))
