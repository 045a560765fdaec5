"""/metrics: how the exchange stands, in Prometheus' text form."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from adapter.api.state import services
from adapter.services.metrics import Sample, samples

blueprint = Blueprint("metrics", __name__)


class _Gauges(Collector):
    """The samples of this moment, for the library to write."""

    def __init__(self, found: list[Sample]) -> None:
        self._found = found

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for name, rows in groupby(self._found, key=lambda one: one.name):
            some = list(rows)
            family = GaugeMetricFamily(name, some[0].help, labels=[label for label, _ in some[0].labels])
            for one in some:
                family.add_metric([value for _, value in one.labels], one.value)
            yield family


@blueprint.get("/metrics")
def metrics() -> Response:
    """Links by state, conflicts, lag, failures and pauses of each server; nothing of any record."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Gauges(samples(services().store(), services().now())))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
