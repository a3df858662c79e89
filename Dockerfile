# tcnn_mm with its ImageNet weights and the page in the browser, for the CPU or for CUDA.
#
#   docker build -t tcnn_mm .                                                       # CPU
#   docker build -t tcnn_mm:cuda --build-arg TORCH_INDEX=https://pypi.org/simple .            # CUDA
#
#   docker run --rm -v "$PWD:/work" tcnn_mm fit MY_IMAGES --out fits/mine
#   docker run --rm -v "$PWD:/work" -p 127.0.0.1:7860:7860 tcnn_mm \
#       app --checkpoint model.pth --host 0.0.0.0
#
# CUDA: torch's packages of the Python package index bring its libraries (4.8 GB); the host needs a driver and the NVIDIA container
# toolkit (docker run --gpus all). What is written belongs to user 1000: --user "$(id -u)" where
# yours is another.
FROM python:3.11-slim-bookworm

# OpenCV's libraries.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 tcnn

ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
WORKDIR /src
COPY requirements/constraints.txt requirements/constraints.txt
# Before the package: a change of it does not install torch again.
# hadolint ignore=DL3013
RUN pip install --no-cache-dir -c requirements/constraints.txt \
    torch torchvision --index-url "$TORCH_INDEX"
COPY . .
RUN pip install --no-cache-dir -c requirements/constraints.txt '.[weights,vis,export,app]'

USER 1000
ENV TCNN_CACHE=/tmp/tcnn_mm MPLCONFIGDIR=/tmp/matplotlib
WORKDIR /work
ENTRYPOINT ["tcnn"]
CMD ["--help"]
