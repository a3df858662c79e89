# The paper's source task 1000C: ILSVRC-2012, Krizhevsky's network.
#
#   export TCNN_DATA=…     (holds imagenet/train/<wnid>/*.JPEG and imagenet/val/<wnid>/*.JPEG)
#   tcnn train source_in1k --amp
#   tcnn test source_in1k work_dirs/source_in1k/epoch_N.pth
#   python tools/model_converters/publish_model.py work_dirs/source_in1k/epoch_N.pth \
#       $TCNN_WEIGHTS/source_in1k.pth
#
# Expected: the paper has 18 % top-5 error (accuracy/top5 82). Ours is not measured, because
# ImageNet and a GPU were unavailable. On 100 of its images, at batch 32 and lr 0.0025, the loss
# falls from 5.5 to 4.2 in 70 steps (chance: 4.6); with He's initial weights it is nan after 4.
# Time: about a week on one GPU of 2013.
# Not in the paper: momentum, weight decay and batch size (Krizhevsky's); when a loss has "stopped
# moving" (PlateauStages: 3 epochs within 1 %).
# A transfer from these weights needs variant='krizhevsky' and this backbone's `preprocessing`; a
# file that expects other pixels than the model gives is refused.
_base_ = './_base_/experiments/source_in1k.py'
