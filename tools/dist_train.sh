#!/usr/bin/env bash
# Train with several processes: NCCL with GPUs, gloo without.
#   tools/dist_train.sh CONFIG PROCESSES [flags of tools/train.py]
# Several machines: NNODES, NODE_RANK, MASTER_ADDR and PORT, as for torchrun.
set -euo pipefail
CONFIG=$1 PROCESSES=$2
# exec: a signal to this script is one to the launcher.
exec "${PYTHON:-python}" -m torch.distributed.run --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" \
    --nproc_per_node="$PROCESSES" \
    "$(dirname "$0")/train.py" "$CONFIG" --launcher pytorch "${@:3}"
