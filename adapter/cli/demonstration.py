"""The two adapters of the demo: ours in this process, the other hospital in one of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import adapter
from adapter.bootstrap import Services, fixtures
from adapter.errors import Unavailable
from adapter.fhir_json import loads
from adapter.services.demo import Demo
from adapter.services.servers import add
from adapter.sync.pull import pull
from adapter.sync.run import push

START_SECONDS = 30.0


@contextmanager
def demonstration(case: str = "dual-diagnosis") -> Iterator[Demo]:
    """Two adapters in a temporary folder, ours and the other hospital's, ready for the demo. Raises Unavailable."""
    records = loads((fixtures() / case / "records.json").read_bytes())
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="careplan-demo-"))
        url = stack.enter_context(other_adapter(Path(folder)))
        services = stack.enter_context(Services(url=f"sqlite:///{folder}/ours.db"))
        add(services.store(), "north", url)
        partner = stack.enter_context(services.partner("north"))
        converter = services.converter()
        yield Demo(
            records, converter.to_fhir, converter.from_fhir, services.border().validate, services.checker().issues,
            services.take_in, services.store(), lambda: push(partner), lambda: pull(partner), partner.client,
        )  # fmt: skip


@contextmanager
def other_adapter(folder: Path) -> Iterator[str]:
    """A second adapter as a process of its own, with its store in this folder; the base of its FHIR face."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CAREPLAN_")}
    found = os.pathsep.join(filter(None, [str(Path(adapter.__file__).parent.parent), kept.get("PYTHONPATH")]))
    environment = kept | {"PYTHONPATH": found, "CAREPLAN_DATABASE_URL": f"sqlite:///{folder}/other.db"}
    command = [sys.executable, "-m", "adapter.cli", "serve", "--port", str(port)]
    with (folder / "other.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)  # noqa: S603
        try:
            _await(process, port)
            yield f"http://127.0.0.1:{port}/fhir"
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _await(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise Unavailable("The second adapter did not start.", remedy="Try `careplan serve` by itself to see why.")
