"""What each shipped config promises: one row a config. A new config is one more row here.

Keys of a row (those of `DEFAULTS` may be left out):
    trains    names of the parameters that train, or ALL
    outputs   of FCb, background among them
    width     of FC7, the features
    metrics   modes of VOCDevkitAP, else the metrics' names
    train, test   type and arguments of the data sets; of a bank, of its source
    sampler   its type
    aggregator    of patches' votes: its type
    k         of a PowerMeanAggregator
    pretrained    file name, or None
    server    competition whose files `--server` writes, or None
    slow      whether its run waits for `make test-slow`
    needs     a package that not every environment has, or None
    run       options that make it small enough for one step and one test on drawn data (see
              test_config_runs.py); None: not run there
"""

HEAD = {f'head.{layer}.{leaf}' for layer in ('FCa', 'FCb') for leaf in ('weight', 'bias')}
CONTEXT = {name.replace('head', 'context') for name in HEAD}
FC6 = {'backbone.classifier.1.weight', 'backbone.classifier.1.bias'}
ALL = 'all'

TORCHVISION = 'alexnet-owt-7be5be79.pth'
MINIVOC_SOURCE = 'minivoc_source.pth'
MINIVOC_VIT = 'epoch_30.pth'
MOBILENET = 'mobilenet_v2_tf2_int8deq_imagenet.pth'
SQUEEZENET = 'squeezenet1_0_deepcompression_imagenet.pth'
RESNET = 'resnet50_8xb32_in1k_20210831-ea4938fc.pth'
CONVNEXT = 'convnext-tiny_32xb128_in1k_20221207-998cf3e9.pth'
VIT = 'vit-base-p16_pt-32xb128-mae_in1k_20220623-4c544545.pth'
TIMM = 'mobilenetv4_conv_small.e2400_r224_in1k.bin'
LITE = 'efficientnet_lite{}'  # of the zoo


def voc(split, **options):
    return dict(type='tcnn_mm.VOCObjects', split=split, **options)


def minivoc(split):
    return dict(type='tcnn_mm.MiniVOC', split=split, task='target')


def action(split, **options):
    return dict(type='tcnn_mm.VOCAction', split=split, **options)


# The convolutions stay as they are; what follows them is narrow.
NARROW = {
    'model.backbone.fc_channels': 64,
    'model.head.in_channels': 64,
    'model.head.hidden_channels': 16,
}
OBJECTS = {**NARROW, 'model.sampler.grid.scales': [1.0]}
PERSONS = NARROW
DENSE = {'model.head.hidden_channels': 16, 'model.sampler.grid.scales': [1.0]}

# The same family, as small as it goes.
SMALL_NETS = {
    RESNET: {'model.backbone.depth': 18, 'model.head.in_channels': 512},
    CONVNEXT: {
        'model.backbone.arch': dict(_delete_=True, depths=[1, 1, 1, 1], channels=[8, 16, 24, 32]),
        'model.head.in_channels': 32,
    },
    VIT: {
        'model.backbone.arch': dict(
            _delete_=True, embed_dims=16, num_layers=1, num_heads=2, feedforward_channels=32
        ),
        'model.backbone.img_size': 64,
        'model.head.in_channels': 16,
    },
    TIMM: {'model.backbone.model_name': 'test_resnet', 'model.head.in_channels': 96},
}


def mixed(pretrained, width, **options):
    small = {**DENSE, 'model.preprocessing.size': 64, **SMALL_NETS[pretrained]}
    return dict(VOC07, width=width, pretrained=pretrained, run=small, **options)


DEFAULTS = dict(
    sampler='PatchSampler',
    aggregator='PowerMeanAggregator',
    k=5,
    server=None,
    needs=None,
    run=None,
    slow=False,
)
MINIVOC = dict(
    outputs=7,
    width=256,
    metrics=['voc10', 'voc07', 'PointLocalization'],
    train=minivoc('train'),
    test=minivoc('test'),
)
VOC07 = dict(
    trains=HEAD,
    outputs=21,
    width=4096,
    metrics=['voc07', 'voc10', 'PointLocalization'],
    train=voc('trainval'),
    test=voc('test'),
    pretrained=TORCHVISION,
)
VOC12 = dict(
    trains=HEAD,
    outputs=21,
    width=4096,
    metrics=['voc10'],
    train=voc('train'),
    test=voc('val'),
    pretrained=TORCHVISION,
    server='comp2',
    run=OBJECTS,
)
ACTION = dict(
    trains=HEAD,
    outputs=11,
    width=6144,
    metrics=['VOCActionAP'],
    train=action('train', other=True),
    test=action('val', other=True),
    sampler='ObjectSquareSampler',
    pretrained='source_1512.pth',
    server='comp10',
    run=PERSONS,
)
MOBILENET_VOC07 = dict(VOC07, width=1280, pretrained=MOBILENET)
MOBILENET_VOC12 = dict(
    VOC12, width=1280, pretrained=MOBILENET, metrics=['voc10', 'PointLocalization']
)
LITE_VOC07 = dict(VOC07, width=1280, needs='timm')
SQUEEZENET_VOC07 = dict(VOC07, width=512, pretrained=SQUEEZENET, k=20)
WITH_CONTEXT = dict(trains=HEAD | CONTEXT, aggregator='MaxAggregator', run=DENSE, slow=True)

ROWS = {
    'tcnn_minivoc.py': dict(MINIVOC, trains=HEAD, pretrained=MINIVOC_SOURCE),
    'tcnn_minivoc_bank.py': dict(
        MINIVOC, trains=HEAD, pretrained=MINIVOC_SOURCE, train=minivoc('trainval')
    ),
    'tcnn_minivoc_no-pretrain.py': dict(MINIVOC, trains=ALL, pretrained=None),
    **{
        f'mixing/tcnn_minivoc_vit{mode}.py': dict(
            MINIVOC, trains=HEAD, width=64, pretrained=MINIVOC_VIT, train=minivoc('trainval')
        )
        for mode in ('', '_dense')
    },
    'tcnn_voc07.py': dict(VOC07, run=OBJECTS, slow=True),
    'tcnn_voc07_bank.py': dict(VOC07, run=OBJECTS, slow=True),
    'tcnn_voc07_plateau.py': dict(VOC07, run=OBJECTS, slow=True),
    'tcnn_voc07_no-pretrain.py': dict(VOC07, trains=ALL, pretrained=None, run=OBJECTS, slow=True),
    'mixing/tcnn_mobilenetv2_voc07.py': dict(MOBILENET_VOC07, run=DENSE, slow=True),
    'mixing/tcnn_mobilenetv2_voc07_banks.py': dict(MOBILENET_VOC07, run=DENSE, slow=True),
    'mixing/tcnn_mobilenetv2_voc07_context.py': dict(MOBILENET_VOC07, **WITH_CONTEXT),
    'mixing/tcnn_mobilenetv2_voc07_rescore.py': MOBILENET_VOC07,
    **{
        f'mixing/tcnn_efficientnet-lite{number}_voc07{kind}.py': dict(
            LITE_VOC07, pretrained=LITE.format(number), **options
        )
        for number in (0, 2)
        for kind, options in {
            '': {},
            '_context': dict(trains=HEAD | CONTEXT),
            '_rescore': {},
        }.items()
    },
    'mixing/tcnn_resnet50_voc07.py': mixed(RESNET, 2048, slow=True),
    'mixing/tcnn_convnext_voc07.py': mixed(CONVNEXT, 768, slow=True),
    'mixing/tcnn_vit_voc07.py': mixed(VIT, 768),
    'mixing/tcnn_vit_voc07_dense.py': mixed(VIT, 768),
    'mixing/tcnn_timm_voc07.py': mixed(TIMM, 1280, needs='timm'),
    'mixing/tcnn_small_voc07_no-pretrain.py': dict(
        VOC07, trains=ALL, width=256, pretrained=None, run=DENSE, slow=True
    ),
    'mixing/tcnn_squeezenet_voc07.py': dict(SQUEEZENET_VOC07, run=DENSE, slow=True),
    'mixing/tcnn_squeezenet_voc07_context.py': dict(SQUEEZENET_VOC07, **WITH_CONTEXT),
    'mixing/tcnn_squeezenet_voc07_rescore.py': SQUEEZENET_VOC07,
    'tcnn_voc12.py': VOC12,
    'tcnn_voc12_no-pretrain.py': dict(VOC12, trains=ALL, pretrained=None, server='comp1'),
    'tcnn_voc12_pre-1000r.py': dict(VOC12, pretrained='source_1000r.pth'),
    'tcnn_voc12_pre-1512.py': dict(VOC12, width=6144, pretrained='source_1512.pth'),
    'tcnn_voc12_action.py': ACTION,
    'tcnn_voc12_action_unfreeze-fc6.py': dict(ACTION, trains=HEAD | FC6),
    'tcnn_voc12_action_no-pretrain.py': dict(ACTION, trains=ALL, pretrained=None, server='comp9'),
    'tcnn_voc12_action_sliding.py': dict(
        ACTION,
        metrics=['voc10'],
        train=action('train', view='image', other=False),
        test=action('val', view='image', other=False),
        sampler='PatchSampler',
        server=None,
        run=OBJECTS,
    ),
    'mixing/tcnn_mobilenetv2_voc12.py': dict(MOBILENET_VOC12, run=DENSE),
    'mixing/tcnn_mobilenetv2_voc12_rescore.py': dict(MOBILENET_VOC12, run=None, server=None),
}
ROWS = {name: dict(DEFAULTS, **row) for name, row in ROWS.items()}
# No patches with labels: test_source_configs.py and test_weak_configs.py describe them.
OTHERS = {
    'source_minivoc.py',
    'mixing/source_minivoc_vit.py',  # test_minivoc_vit.py
    'source_in1k.py',
    'source_1000r.py',
    'source_1512.py',
    'tcnn_minivoc_weak.py',
    'tcnn_voc07_weak.py',
    'mixing/tcnn_mobilenetv2_voc07_weak.py',
    'mixing/tcnn_mobilenetv2_coco.py',  # test_own_data_configs.py
    'mixing/tcnn_mobilenetv2_image_list.py',
    # Models of mmpretrain and mmdet: test_mixing.py.
    'mixing/resnet18_labeled-patches_minivoc.py',
    'mixing/resnet18_adaptation-head_cifar10.py',
    'mixing/faster-rcnn_alexnet_voc07.py',
}
