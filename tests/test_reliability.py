"""Counts of docs/reliability.md are those of the tests that it names."""

import importlib
import math
import re

import pytest

from tests.support.docs_pages import read_page

# Words of the page → what is counted: a list of a test module (of a dict the keys that start so),
# or the cases of a test. Several are added.
COUNTS = {
    '{0} moments of a save, {0} resumed': ['engine.test_atomic_checkpoint:MOMENTS'],
    '{0} moments, {0} resumed': ['engine.test_atomic_checkpoint:test_a_full_disk_at_any_write'],
    'no checkpoint | same | {0} kinds |': [
        'engine.test_atomic_checkpoint:test_a_damaged_newest_checkpoint_is_skipped_and_named',
    ],
    '{0} kinds of tensors': ['checkpoints.test_strict:test_tensors_are_exactly_those_of_the_model'],
    'tensors, {0} of classes': ['checkpoints.test_strict:test_classes_are_compared_in_order'],
    'of classes, {0} entries of the record': [
        'engine.test_strict_checkpoint:test_another_way_of_scoring_is_refused_unless_asked_for'
    ],
    '{0} kinds of keys': [
        'engine.test_config_keys:test_a_key_that_nothing_reads',
        'engine.test_config_keys:test_an_option_that_nothing_reads',
    ],
    'kinds of keys, {0} of arguments': [
        'engine.test_config_parts:test_a_wrong_argument_is_named_by_its_key',
        'engine.test_config_parts:test_values_of_a_model_are_checked_when_it_is_built',
    ],
    '{0} moments, {0} equal': ['inference.test_interrupted_prediction:MOMENTS'],
    '| {0} moments and': ['inference.test_interrupted_prediction:test_a_full_disk_at_any_write'],
    'moments and {0} signals': [
        'inference.test_interrupted_prediction:test_a_signal_ends_the_command',
    ],
    '| {0} changes, {0} refused': [
        'inference.test_interrupted_prediction:test_results_of_another_prediction_are_not_mixed'
    ],
    '| {0} alterations refused': [
        'inference.test_results_file:test_an_altered_line_is_refused',
        'inference.test_results_file:test_bytes_that_are_no_text',
    ],
    '| {0} kills, 2 full disks': [
        'reports.test_interrupted_report:test_a_killed_report_is_whole_or_as_before',
    ],
    '| {0} ids,': ['test_hostile_names:IDS'],
    'ids, {0} names of classes': ['test_hostile_names:CLASSES'],
    '| {0} writes, {0} bit-equal; slow: 20 moments': ['engine.test_build_bank:MOMENTS'],
    'slow: {0} moments in time': ['engine.test_build_bank:test_a_kill_at_any_time'],
    'moments in time and {0} of two processes': [
        'engine.test_build_bank:test_a_kill_of_two_processes',
    ],
    'in time and 10 of two processes, {0} bit-equal': [
        'engine.test_build_bank:test_a_kill_at_any_time',
        'engine.test_build_bank:test_a_kill_of_two_processes',
    ],
    '| {0} files of {0};': ['engine.test_build_bank:test_a_full_disk_is_one_line'],
    '2 recipes; {0} kills': ['checkpoints.test_owner_lock:test_a_killed_owner_holds_nothing'],
    'test_build_bank.py` | {0} kinds |': [
        'engine.test_build_bank:test_a_draft_of_another_kind_is_begun_anew'
    ],
    '| {0} + ': ['engine.test_build_bank:test_nan_features_stop_with_the_ids'],
    '| {0} kinds of edits': ['engine.test_bank_check:test_edited_annotations_are_noticed'],
    '| {0} sizes; 0.9 s': ['engine.test_image_digests:test_each_byte_and_the_size_count'],
    'kinds × {0} readers': ['datasets.test_hostile_images:READERS'],
    '| {0} bombs': ['datasets.test_hostile_images:BOMBS'],
    '| {0} keys, ': [
        'checkpoints.test_config_text:test_a_type_that_is_no_registered_part_is_refused',
    ],
    ' keys, {0} configs': ['inference.test_trained_model:HOSTILE'],
    '| {0} entries, {0} refused': [
        'checkpoints.test_record_types:test_an_altered_record_is_one_line',
    ],
    '| {0} hostile arrays and scalars refused': ['checkpoints.test_loading:HOSTILE'],
    '| {0} plans of names': ['estimator.test_fit_config:test_any_name_reads_back'],
    'drawn from {0} pieces': ['estimator.test_fit_config:PIECES'],
    '| {0} files × 3 encodings': ['datasets.formats.test_xml_head:HOSTILE'],
    '3 encodings, {0} refused': ['datasets.formats.test_xml_head:test_hostile_xml_is_one_line'],
    '| {0} wrong values, ': ['cli.test_wrong_arguments:USAGE'],
    'values, {0} wrong paths and files': ['cli.test_wrong_arguments:ERRORS'],
    'files, {0} errors of the system': [
        'cli.test_wrong_arguments:test_what_the_system_refuses_is_one_line',
    ],
    '`tests/tools/test_numbers.py` | {0} wrong values': ['tools.test_numbers:WRONG'],
    '| {0} moments of 21 writes': ['estimator.test_interrupted_fit:test_a_kill_at_any_write'],
    'writes, {0} moments in time': ['estimator.test_interrupted_fit:test_a_kill_at_any_time'],
    'moments in time, {0} bit-equal': [
        'estimator.test_interrupted_fit:test_a_kill_at_any_write',
        'estimator.test_interrupted_fit:test_a_kill_at_any_time',
    ],
    '| {0} writes, {0} bit-equal; 10 images': ['estimator.test_cross_validation:WRITES'],
    'test_interrupted_fit.py` | {0} writes, {0} bit-equal |': [
        'estimator.test_interrupted_fit:WRITES',
    ],
    '| {0} files (': [f'hostile.test_corpus:{part}' for part in ('DATA', 'CHECKPOINTS', 'OTHERS')],
    '({0} images, ': ['hostile.test_corpus:DATA/images/'],
    ' images, {0} XML, ': ['hostile.test_corpus:DATA/xml/'],
    ' XML, {0} COCO, ': ['hostile.test_corpus:DATA/coco/'],
    ' COCO, {0} CSV, ': ['hostile.test_corpus:DATA/csv/'],
    ' CSV, {0} YOLO, ': ['hostile.test_corpus:DATA/yolo/'],
    'checkpoints, {0} lists of ids': ['hostile.test_corpus:OTHERS/ids'],
    ' ids, {0} parts of banks': [
        'hostile.test_corpus:OTHERS/manifest',
        'hostile.test_corpus:OTHERS/rows',
    ],
    ' YOLO, {0} checkpoints': ['hostile.test_corpus:CHECKPOINTS'],
    ': 127 refused, {0} counted or noted': ['hostile.test_corpus:NOTED'],
    '| {0} kills, 1 full disk': [
        'engine.test_atomic_checkpoint:test_a_published_file_is_whole_or_absent',
    ],
    '{0} kinds of wrong names found': ['test_remedies:WRONG'],
    '| {0} wrappers': ['datasets.test_dataset_wrappers:WRAPPERS'],
    '| {0} names of folders': ['engine.test_read_config:FOLDERS'],
    'folders, {0} mistakes': ['engine.test_read_config:test_what_a_config_does_wrong_is_one_line'],
    '| {0} paths whose named file loads': [
        'checkpoints.test_checkpoint_path:test_the_file_that_is_named_loads'
    ],
    'loads, {0} kinds of files': ['checkpoints.test_checkpoint_path:test_a_file_of_another_kind'],
    '| {0} parts, ': ['cli.test_part_errors:test_a_part_that_cannot_be_built_is_one_line'],
    ' parts, {0} keys |': ['engine.test_config_entries:test_a_key_that_nothing_reads_is_named'],
    '| {0} settings, ': ['estimator.test_begun_fit:test_other_settings_are_named'],
    'test_dry_run.py` | {0} kinds': ['benchmarks.test_dry_run:REFUSED'],
    '{0} processes × 2 signals × 2 activities': ['test_lost_processes:PROCESSES'],
    'killed in {0} of 4 epochs': [
        'engine.test_resume_by_processes:test_two_killed_processes_resume_bit_equal',
    ],
    'test_consistency.py` | {0} kinds': [
        'reports.test_consistency:test_files_of_two_tests_are_refused',
    ],
    '| {0} sets |': ['test_dependencies:test_both_distributions_of_opencv_have_one_version'],
}


def number_of(what):
    """Length of a list (of a dict those keys that start with what follows), or cases of a test."""
    module, _, name = what.partition(':')
    name, _, start = name.partition('/')
    found = getattr(importlib.import_module(f'tests.{module}'), name)
    if not callable(found):
        return sum(str(one).startswith(start) for one in found)
    marks = [mark for mark in getattr(found, 'pytestmark', []) if mark.name == 'parametrize']
    return math.prod(len(list(mark.args[1])) for mark in marks)


@pytest.mark.parametrize('words', COUNTS)
def test_a_count_of_the_page(words):
    """The sentence has the number of today, or one that is a little smaller, never more."""
    pattern = re.escape(words.format('@')).replace('@', r'(\d+)', 1).replace('@', r'\1')
    (said,) = {int(found[1]) for found in re.finditer(pattern, read_page('docs/reliability.md'))}
    count = sum(map(number_of, COUNTS[words]))
    assert 0.7 * count <= said <= count
