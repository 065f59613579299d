"""What the server counts, for Prometheus."""

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

MULTIPROCESS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)
_METHODS = frozenset({"GET", "POST", "DELETE", "HEAD", "OPTIONS"})


class Metrics:
    """Counters of one application; those of several worker processes are added up when they are read."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "whyrec_requests", "Requests answered.", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "whyrec_request_seconds", "Time to answer.", ("route",), buckets=_SECONDS, registry=self._registry
        )
        self._live = Histogram(
            "whyrec_live_seconds", "Time that a model took.", ("what",), buckets=_SECONDS, registry=self._registry
        )
        self._batches = Counter("whyrec_batches", "Batches of interactions.", ("outcome",), registry=self._registry)
        self._interactions = Counter("whyrec_interactions", "Interactions kept.", registry=self._registry)
        self._version = Gauge(
            "whyrec_version", "Published version.", registry=self._registry, multiprocess_mode="mostrecent"
        )
        # Looking a labelled child up costs as much as counting.
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def answered(self, method: str, route: str, status: int, *, seconds: float) -> None:
        """Count a request."""
        key = (method, route, status)
        children = self._children.get(key)
        if children is None:
            shown = method if method in _METHODS else "other"
            children = (self._requests.labels(shown, route, str(status)), self._seconds.labels(route))
            if method in _METHODS:
                self._children[key] = children
        children[0].inc()
        children[1].observe(seconds)

    def live(self, what: str, seconds: float) -> None:
        """Note how long a live model took."""
        self._live.labels(what).observe(seconds)

    def kept(self, n: int, *, repeated: bool) -> None:
        """Count a batch of interactions."""
        self._batches.labels("repeated" if repeated else "kept").inc()
        if not repeated:
            self._interactions.inc(n)

    def version(self, number: int) -> None:
        """Note what is being served."""
        self._version.set(number)

    def text(self) -> bytes:
        """All of it, of all workers, in Prometheus' text format."""
        if MULTIPROCESS_VARIABLE not in os.environ:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
