"""Name pictures with a trained checkpoint: one JSON of results, and an overlay a picture.

    python tools/predict.py photo.jpg holiday/ --checkpoint work_dirs/tcnn_minivoc/epoch_100.pth
    python tools/predict.py holiday/ --checkpoint model.pth --out results --classes fish key

The checkpoint is enough: no config, data set or pretrained weights are needed. Folders are read
with their subfolders. OUT/predictions.json holds each picture's scores, labels and best patches;
OUT/overlays/ the score maps of its labels (at most three; of its best class where it has none).
Labels are the classes at or above their thresholds, which choose_thresholds.py stores in
the checkpoint; without them the best class alone, and the JSON says so. Pictures that cannot be
read are named at the end, with status 1; the others' results are there.
"""

import argparse
import json
import os.path as osp
from collections import Counter

import mmengine
from PIL import Image

from tcnn_mm.checkpoints.atomic_write import replacing
from tcnn_mm.cli.arguments import add_damping_argument
from tcnn_mm.cli.errors import run_tool
from tcnn_mm.errors import UserError
from tcnn_mm.inference.inferencer import TCNNInferencer
from tcnn_mm.inference.overlay import draw_overlay, unused_name

# Overlays of more classes would be too small to see.
MAPS = 3


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('images', nargs='+', metavar='IMAGE', help='pictures or folders of them')
    parser.add_argument('--checkpoint', required=True)
    parser.add_argument('--config', help='for a checkpoint that holds none')
    parser.add_argument('--out', default='predictions', help='default: predictions')
    parser.add_argument(
        '--classes', nargs='+', help='patches and overlays of these; default: of the labels'
    )
    parser.add_argument('--no-overlays', action='store_true', help='the JSON alone')
    add_damping_argument(parser)
    parser.add_argument(
        '--upright', action='store_true', help='turn pictures by their EXIF orientation'
    )
    parser.add_argument('--batch-size', type=int, default=4)
    parser.add_argument('--device', help="default: 'cuda' where there is a GPU, else 'cpu'")
    parser.add_argument('--trust-checkpoint', action='store_true', help='unpickle it fully')
    return parser.parse_args()


def shown_classes(result, wanted):
    """Of which classes patches and maps are shown: those asked for, the labels, the best one."""
    return wanted or result['labels'] or [max(result['scores'], key=result['scores'].get)]


def finish(result, args, taken):
    """A result as it stands in the JSON; its overlay is drawn here."""
    if 'error' in result:
        return result
    shown = shown_classes(result, args.classes)
    maps, image = result.pop('maps', None), result.pop('image', None)
    if maps is not None:
        name = unused_name(result['img_path'], taken)
        result['overlay'] = osp.join('overlays', name)
        drawn = draw_overlay(
            image, maps, shown[:MAPS], result['scores'], result['labels'], args.damping
        )
        Image.fromarray(drawn).save(osp.join(args.out, 'overlays', name))
    result['patches'] = {name: result['patches'][name] for name in shown}
    return result


def write_predictions(path, head, results):
    """The JSON, one line a picture: it can be read by eye and searched by line."""
    with replacing(path) as file:
        file.write(json.dumps(head, indent=1, ensure_ascii=False)[:-2] + ',\n "pictures": [\n')
        file.write(',\n'.join(json.dumps(result, ensure_ascii=False) for result in results))
        file.write('\n]}\n')


def summary(results, label_rule, out):
    """What the user reads at the end."""
    good = [result for result in results if 'error' not in result]
    if len(good) <= 10:
        for result in good:
            named = ', '.join(f'{n} ({result["scores"][n]:.2g})' for n in result['labels'])
            print(f'{result["img_path"]}: {named or "no class"}')
    else:
        counts = Counter(name for result in good for name in result['labels'] or ['no class'])
        print(', '.join(f'{name}: {count} pictures' for name, count in counts.most_common()))
    print(f'labels: {label_rule}')
    print(f'{len(good)} pictures: {osp.join(out, "predictions.json")}')


def main():
    args = parse_args()
    if args.batch_size < 1:
        raise UserError(f'--batch-size {args.batch_size}: it must be at least 1')
    inferencer = TCNNInferencer(
        args.config, args.checkpoint, args.device, trust=args.trust_checkpoint
    )
    if inferencer.needs_boxes:
        raise UserError(
            f'{args.checkpoint}: scores persons whose boxes are known; use '
            'tcnn_mm.TCNNInferencer with boxes=[…]'
        )
    overlays = not args.no_overlays
    mmengine.mkdir_or_exist(osp.join(args.out, 'overlays') if overlays else args.out)
    results, taken = [], set()
    found = inferencer.iter(
        args.images,
        score_maps=overlays,
        batch_size=args.batch_size,
        classes=args.classes,
        damping=args.damping,
        upright=args.upright,
        keep_image=overlays,
    )
    try:
        for result in found:
            results.append(finish(result, args, taken))
    finally:  # what is done is kept, whatever ends the rest
        head = dict(
            checkpoint=osp.abspath(args.checkpoint),
            classes=inferencer.classes,
            labels_are=inferencer.label_rule,
            thresholds=inferencer.thresholds,
        )
        write_predictions(osp.join(args.out, 'predictions.json'), head, results)
    summary(results, inferencer.label_rule, args.out)
    errors = [result['error'] for result in results if 'error' in result]
    if errors:
        listed = '\n'.join(errors)
        raise UserError(f'{len(errors)} of {len(results)} pictures could not be read:\n{listed}')


if __name__ == '__main__':
    run_tool(main)
