# whyrec serve on the processor: docker build -t whyrec .
FROM python:3.11-slim

# LightGBM needs the system's OpenMP library.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libgomp1 \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/whyrec
COPY constraints.txt ./
# torch first and without CUDA (a build of "2.13.0+cpu" is preferred to 2.13.0): nothing pulls another one later.
RUN pip install --no-cache-dir --constraint constraints.txt \
      --extra-index-url https://download.pytorch.org/whl/cpu torch

COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN pip install --no-cache-dir --constraint constraints.txt ".[serve]"

# A store of SQLite and fitted runs lie below /data; nothing else is written to.
RUN useradd --system --home-dir /data --create-home whyrec
USER whyrec
WORKDIR /data
VOLUME /data
EXPOSE 8000

HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/ready', timeout=2)"]

ENTRYPOINT ["whyrec"]
CMD ["serve", "--store", "sqlite:////data/store.sqlite", "--host", "0.0.0.0", "--key-file", "/run/secrets/whyrec_keys"]
