"""Look at the patches that a config trains on, before training.

    python tools/visualizations/browse_patches.py configs/tcnn_minivoc.py --out patches --limit 8
    python tools/visualizations/browse_patches.py configs/tcnn_minivoc.py --coverage

Green: names an object. Red: background (the sampled share). Grey: deleted (two objects, or only a
difficult one). White: the annotated objects. `--coverage` prints, per class, how many objects no
patch can name and the scales that would. Of actions: the one square of each person.
"""

import argparse
import os.path as osp

import mmengine
import numpy as np
from mmengine.utils import track_progress
from PIL import Image, ImageDraw

from tcnn_mm.cli.arguments import add_common_arguments, load_config_from
from tcnn_mm.cli.errors import run_tool
from tcnn_mm.datasets.source_images import image_config
from tcnn_mm.errors import UserError
from tcnn_mm.models.samples import sample_name
from tcnn_mm.patches.coverage import measure_coverage
from tcnn_mm.registry import DATASETS, MODELS

COLORS = dict(object=(40, 200, 60), background=(230, 50, 40), deleted=(150, 150, 150))


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_common_arguments(parser)
    parser.add_argument('--split', choices=['train', 'test'], default='train', help='dataloader')
    parser.add_argument('--ids', nargs='+', help='only these images')
    parser.add_argument('--limit', type=int, default=8, help='images to draw')
    parser.add_argument('--out', default='patches', help='folder for the PNGs')
    parser.add_argument('--coverage', action='store_true', help='print the report, draw nothing')
    return parser.parse_args()


def draw(image, boxes, names, drawn, deleted, classes, background):
    """One image: white objects, grey deleted, red background, green object patches.

    Args:
        image (ndarray): (H, W, 3) RGB.
        boxes, names: Objects (N, 4) and their N names.
        drawn (Patches): The sampled ones.
        deleted (ndarray): (D, 4), a few of the deleted ones.
        classes (sequence[str]): K names.
        background (int): The background's label.
    """
    canvas = Image.fromarray(image).convert('RGB')
    zoom = max(1, round(500 / max(canvas.size)))
    canvas = canvas.resize((canvas.width * zoom, canvas.height * zoom))
    pen = ImageDraw.Draw(canvas)

    def frame(box, color, text='', width=1):
        box = [float(v) * zoom for v in box]
        pen.rectangle((box[0], box[1], box[2] - 1, box[3] - 1), outline=color, width=width)
        if text:
            pen.text((box[0] + 3, box[1] + 2), text, fill=color)

    for box in deleted:
        frame(box, COLORS['deleted'])
    for box, label in zip(drawn.xyxy, drawn.label, strict=True):
        if label == background:
            frame(box, COLORS['background'])
    for box, label in zip(drawn.xyxy, drawn.label, strict=True):
        if 0 <= label != background:
            frame(box, COLORS['object'], classes[label], 2)
    for box, name in zip(boxes, names, strict=True):
        frame(box, (255, 255, 255), name, 2)
    return canvas


def main():
    args = parse_args()
    cfg = load_config_from(args)
    # Of a config with a feature bank: the images that it is made from.
    dataset = DATASETS.build(image_config(cfg[f'{args.split}_dataloader'].dataset))
    cfg.model.pretrained = None
    model = MODELS.build(cfg.model)
    sampler, classes = model.sampler, dataset.metainfo['classes']
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    if args.coverage and not hasattr(sampler, 'labeler'):
        raise UserError(f'--coverage is of a grid; {type(sampler).__name__} has none')
    if args.coverage:
        print('\n'.join(measure_coverage(infos, classes, sampler.grid, sampler.labeler).table()))
        return
    chosen = [i for i, info in enumerate(infos) if not args.ids or info['img_id'] in args.ids]
    mmengine.mkdir_or_exist(args.out)
    random = np.random.default_rng(0)
    background = model.head.num_classes

    def one(i):
        item = dataset[i]
        sample, image = item['data_samples'], item['inputs'].permute(1, 2, 0).numpy()
        model.set_epoch(int(cfg.randomness.get('seed') or 0), 0)
        drawn = model.sample_patches(item['inputs'], sample, training=True)
        boxes, labels = sample.gt_bboxes.numpy(), sample.gt_bboxes_labels.numpy()
        grid, label = drawn.xyxy, drawn.label
        if hasattr(sampler, 'grid'):
            grid = sampler.grid(image.shape[:2])
            label, _ = sampler.labeler(grid, boxes, labels, sample.gt_bboxes_difficult.numpy())
        deleted = grid[label < 0]
        shown = deleted[random.permutation(len(deleted))[:10]]
        names = [classes[k] for k in labels]
        canvas = draw(image, boxes, names, drawn, shown, classes, background)
        path = osp.join(args.out, f'{sample_name(sample).replace("/", "_")}.png')
        canvas.save(path)
        counts = [int((drawn.label == background).sum()), int((drawn.label >= 0).sum())]
        where = 'in the grid' if hasattr(sampler, 'grid') else 'around a person'
        return (
            f'{path}: {len(grid)} patches {where}, drawn {counts[1] - counts[0]} object + '
            f'{counts[0]} background, {len(deleted)} deleted'
        )

    lines = track_progress(one, chosen[: args.limit])
    print('\n' + '\n'.join(lines))


if __name__ == '__main__':
    run_tool(main)
