# The images of envoy-relay; each is a target: docker build --target scraper -t envoy-relay/scraper .
# The default target is the receiver, because it stands last.
ARG PYTHON_IMAGE=docker.io/library/python:3.13-slim-bookworm

# What builds the wheel, and the empty environment that an image fills. Locked dependencies come before our own code
# everywhere: a change of our own code does not install them again.
FROM ${PYTHON_IMAGE} AS tools
WORKDIR /source
COPY requirements/build.txt requirements/
RUN python3 -m venv /build \
    && /build/bin/pip install --no-cache-dir --require-hashes -r requirements/build.txt \
    && python3 -m venv --without-pip /opt/envoy-relay

# Our own wheel holds every package; each image keeps its own (deploy/keep-packages.sh).
FROM tools AS wheel
COPY . .
RUN RELAY_WITHOUT_PAGE=1 /build/bin/pip wheel --no-cache-dir --no-index --no-deps --no-build-isolation --wheel-dir /wheel .

# What every running image has. There is no installer in it. A named volume takes its owner and mode from the directory
# made here.
FROM ${PYTHON_IMAGE} AS runtime
RUN rm -rf /usr/local/lib/python3*/site-packages/* /usr/local/lib/python3*/ensurepip /usr/local/bin/pip* \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/envoy-relay /run/tokens /run/grafana-tokens /run/alerting /run/gateway
ENV PATH=/opt/envoy-relay/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/var/lib/envoy-relay
USER 10001:10001
WORKDIR /var/lib/envoy-relay
VOLUME /var/lib/envoy-relay
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"

FROM tools AS scraper-environment
COPY requirements/scraper.txt requirements/
RUN /build/bin/pip --python /opt/envoy-relay/bin/python install --no-cache-dir --only-binary :all: \
    --require-hashes -r requirements/scraper.txt
COPY deploy/keep-packages.sh deploy/
COPY --from=wheel /wheel /wheel
RUN /build/bin/pip --python /opt/envoy-relay/bin/python install --no-cache-dir --no-index --no-deps /wheel/*.whl \
    && deploy/keep-packages.sh /opt/envoy-relay "scraper shared" "receiver simulator standalone"

# The half at home: reads a gateway and posts what changed.
FROM runtime AS scraper
LABEL org.opencontainers.image.title="envoy-scraper" \
    org.opencontainers.image.description="Reads an Enphase gateway and posts every panel and every phase to your receiver"
COPY --from=scraper-environment /opt/envoy-relay /opt/envoy-relay
ENV ENVOY_STATE_DIR=/var/lib/envoy-relay \
    ENVOY_STATUS_HOST=0.0.0.0 \
    ENVOY_STATUS_PORT=8001
EXPOSE 8001
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 \
    CMD python -m shared.probe http://127.0.0.1:${ENVOY_STATUS_PORT}/healthz
CMD ["envoy-scraper", "run"]

FROM tools AS simulator-environment
COPY requirements/simulator.txt requirements/
RUN /build/bin/pip --python /opt/envoy-relay/bin/python install --no-cache-dir --only-binary :all: \
    --require-hashes -r requirements/simulator.txt
COPY deploy/keep-packages.sh deploy/
COPY --from=wheel /wheel /wheel
RUN /build/bin/pip --python /opt/envoy-relay/bin/python install --no-cache-dir --no-index --no-deps /wheel/*.whl \
    && deploy/keep-packages.sh /opt/envoy-relay "simulator shared" "scraper receiver standalone"

# A pretend gateway, for the demo.
FROM runtime AS simulator
LABEL org.opencontainers.image.title="envoy-simulator" \
    org.opencontainers.image.description="A simulated Enphase gateway with its house, for demonstrations and tests"
COPY --from=simulator-environment /opt/envoy-relay /opt/envoy-relay
EXPOSE 8080 8443
HEALTHCHECK --interval=10s --timeout=10s --start-period=30s --retries=3 \
    CMD python -m shared.probe http://127.0.0.1:8003/faults
CMD ["envoy-simulator", "run", "--host", "0.0.0.0", "--http-port", "8080", "--https-port", "8443", \
    "--control-port", "8003", "--state-dir", "/var/lib/envoy-relay"]

# The wheel with the page, which is built with the Node of requirements/web.txt.
FROM tools AS wheel-with-page
COPY requirements/web.txt requirements/
RUN /build/bin/pip install --no-cache-dir --require-hashes -r requirements/web.txt
COPY . .
RUN PYTHON=/build/bin/python receiver/web/build.sh \
    && /build/bin/pip wheel --no-cache-dir --no-index --no-deps --no-build-isolation --wheel-dir /wheel .

# LOCK=receiver_parquet adds pyarrow (some 150 MB), for answers as Parquet.
FROM tools AS receiver-environment
ARG LOCK=receiver
COPY requirements/${LOCK}.txt requirements/
RUN /build/bin/pip --python /opt/envoy-relay/bin/python install --no-cache-dir --only-binary :all: \
    --require-hashes -r requirements/${LOCK}.txt
COPY deploy/keep-packages.sh deploy/
COPY --from=wheel-with-page /wheel /wheel
RUN /build/bin/pip --python /opt/envoy-relay/bin/python install --no-cache-dir --no-index --no-deps /wheel/*.whl \
    && deploy/keep-packages.sh /opt/envoy-relay "receiver shared" "scraper simulator standalone"

# The hosted half: verifies, stores and serves readings; `envoy-receiver setup` prepares an InfluxDB.
FROM runtime AS receiver
LABEL org.opencontainers.image.title="envoy-receiver" \
    org.opencontainers.image.description="Receives readings of Enphase gateways, keeps them in InfluxDB or SQLite and serves them"
COPY --from=receiver-environment /opt/envoy-relay /opt/envoy-relay
ENV RECEIVER_STATE_DIR=/var/lib/envoy-relay \
    RECEIVER_HOST=0.0.0.0 \
    RECEIVER_PORT=8000 \
    RECEIVER_STATUS_HOST=0.0.0.0 \
    RECEIVER_STATUS_PORT=8002
EXPOSE 8000 8002
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 \
    CMD python -m shared.probe http://127.0.0.1:${RECEIVER_STATUS_PORT}/healthz
CMD ["envoy-receiver", "run"]
