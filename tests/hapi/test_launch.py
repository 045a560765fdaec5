"""The server itself: it runs, says what it is, and can be emptied."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import requests


def test_it_is_the_version_that_the_recipe_speaks_of(hapi: str) -> None:
    statement = requests.get(f"{hapi}/metadata", timeout=60).json()
    assert statement["software"]["version"] == "8.8.0"
    assert statement["fhirVersion"] == "4.0.1"


def test_it_listens_on_loopback_only(hapi: str) -> None:
    assert hapi.startswith("http://127.0.0.1:")


def test_it_can_be_emptied(empty_hapi: str) -> None:
    found = requests.get(f"{empty_hapi}/Patient", headers={"Cache-Control": "no-cache"}, timeout=60).json()
    assert found["total"] == 0


def test_it_ends_when_the_one_who_started_it_is_killed(hapi: str) -> None:
    launcher = Path(__file__).with_name("launch.py")
    starter = subprocess.Popen([sys.executable, str(launcher), "SERVER_ID=UUID"], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    with starter:
        ready = starter.stdout.readline()
        assert ready.startswith("READY http://127.0.0.1:")
        assert ready.split()[1] != hapi
        os.kill(starter.pid, signal.SIGKILL)
    assert _is_gone(urlsplit(ready.split()[1]).port or 0)


def _is_gone(port: int) -> bool:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return True
        time.sleep(0.1)
    return False
