# The app for a machine without a GPU.
#
#   docker build --tag fer-studio .
#   docker run --init --publish 127.0.0.1:8501:8501 --volume fer-studio:/data fer-studio     then http://localhost:8501
#
# FER_HOSTS=studio.example.org allows host names other than localhost. To a container all visitors are remote:
# FER_ALLOW_TRAINING=1 allows them to train, delete and use folders of the container.
# --build-arg EXTRAS=all adds training and evaluation, with PyTorch for CPUs.
FROM python:3.13-slim AS build
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.13-slim
ARG EXTRAS=app
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
# The wheel contains the models; nothing is downloaded later.
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    --mount=type=bind,source=constraints.txt,target=/constraints.txt \
    pip install --no-cache-dir --extra-index-url "$TORCH_INDEX" --constraint /constraints.txt \
        "$(ls /wheels/*.whl)[$EXTRAS]" \
    && useradd --create-home --uid 1000 studio \
    && install --directory --owner studio /data
USER 1000
WORKDIR /home/studio
ENV FER_HOME=/data PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8501
HEALTHCHECK --start-period=30s CMD ["python", "-c", "import urllib.request as web; web.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=5)"]
CMD ["fer-studio", "app", "--server.address", "0.0.0.0", "--server.headless", "true"]
