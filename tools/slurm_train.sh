#!/usr/bin/env bash
# Train under slurm: NCCL with GPUs, gloo without (GPUS_PER_NODE=0).
#   [TASKS=8] [TASKS_PER_NODE=8] [GPUS_PER_NODE=8] [CPUS_PER_TASK=5] [SRUN_ARGS=…] \
#       tools/slurm_train.sh PARTITION JOB_NAME CONFIG [flags of tools/train.py]
set -euo pipefail
PARTITION=$1 JOB_NAME=$2 CONFIG=$3
TASKS=${TASKS:-8}
TASKS_PER_NODE=${TASKS_PER_NODE:-$((TASKS < 8 ? TASKS : 8))}
GPUS_PER_NODE=${GPUS_PER_NODE:-$TASKS_PER_NODE}
GRES=()
[ "$GPUS_PER_NODE" = 0 ] || GRES=(--gres="gpu:$GPUS_PER_NODE")
# shellcheck disable=SC2086  # SRUN_ARGS are words
srun -p "$PARTITION" --job-name="$JOB_NAME" "${GRES[@]}" --ntasks="$TASKS" \
    --ntasks-per-node="$TASKS_PER_NODE" --cpus-per-task="${CPUS_PER_TASK:-5}" \
    --kill-on-bad-exit=1 ${SRUN_ARGS:-} \
    "${PYTHON:-python}" -u "$(dirname "$0")/train.py" "$CONFIG" \
    --launcher slurm "${@:4}"
