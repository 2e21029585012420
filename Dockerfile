# Evenhand's image: one for the API, the workers, beat, Flower and the migrations. docker-compose.yml starts them.

FROM python:3.13-slim AS build
RUN python -m venv --without-pip /opt/evenhand
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PIP_PYTHON=/opt/evenhand/bin/python
WORKDIR /src
COPY requirements.lock ./
RUN pip install --require-hashes --only-binary :all: --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY worker ./worker
COPY api_stub ./api_stub
RUN pip install --no-deps --no-build-isolation . \
    && pip uninstall --yes editables hatchling pathspec pluggy tomlkit trove-classifiers

FROM python:3.13-slim
COPY --from=build /opt/evenhand /opt/evenhand
# A named volume mounted at /srv/uploads takes over its owner.
RUN useradd --uid 10001 --no-create-home --home-dir /tmp evenhand \
    && install --directory --owner=evenhand /srv/uploads
ENV PATH=/opt/evenhand/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    EVENHAND_HOME=/tmp
WORKDIR /tmp
USER 10001
ENTRYPOINT ["evenhand"]
