"""The real HAPI FHIR server that tests run against: built once, started on a free loopback port, ended with its starter.

    python tests/hapi/launch.py            build where needed, serve until Ctrl-C; prints READY and the URL
    python tests/hapi/launch.py --build    only build, so that later runs need no network

Jars and everything built go to `.cache/hapi/` of the checkout, or to `$CAREPLAN_CACHE/hapi/`.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

SERVER = Path(__file__).resolve().parent / "server"
MAIN = "org.careplanadapter.hapi.Main"
START_SECONDS = 180
STOP_SECONDS = 60
BUILD_SECONDS = 900
LEAST_JAVA = 17
KEPT_LOGS = 10


class CannotLaunch(Exception):
    """The server cannot be started; the message says why."""


class CannotBuild(CannotLaunch):
    """There is no server to start: no Maven, or nothing to download it from."""


def say(text: str) -> None:
    """A line of progress, for people."""
    print(f"hapi: {text}", file=sys.stderr, flush=True)


def cache_dir(name: str = "hapi") -> Path:
    """Where what a server is made of is kept, and what is built."""
    chosen = os.environ.get("CAREPLAN_CACHE")
    root = Path(chosen) if chosen else Path(__file__).resolve().parents[2] / ".cache"
    return root.resolve() / name


def missing_tools() -> str:
    """Why Java or Maven cannot be used, or an empty string. A finished build needs no Maven."""
    java = shutil.which("java")
    if java is None:
        return f"no java on the PATH (Java {LEAST_JAVA} or newer is needed)"
    told = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60).stderr
    version = told.split('"')[1].split(".")[0] if '"' in told else ""
    if version.isdigit() and int(version) < LEAST_JAVA:
        return f"java is version {version}, {LEAST_JAVA} or newer is needed"
    for tool in () if _is_built() else ("javac", "mvn"):
        if shutil.which(tool) is None:
            return f"no {tool} on the PATH (a JDK and Maven are needed to build the server once)"
    return ""


def _source_hash() -> str:
    digest = hashlib.sha256()
    for path in [SERVER / "pom.xml", *sorted(SERVER.glob("src/**/*.java"))]:
        digest.update(path.relative_to(SERVER).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _build_dir() -> Path:
    return cache_dir() / f"build-{_source_hash()}"


def _is_built() -> bool:
    listing = _build_dir() / "classpath.txt"
    if not (_build_dir() / "hapi-launcher.jar").exists() or not listing.exists():
        return False
    return all(Path(jar).exists() for jar in listing.read_text().strip().split(os.pathsep))


def build() -> Path:
    """The folder with the launcher's jar and its `classpath.txt`; built unless pom and sources are unchanged."""
    cache_dir().mkdir(parents=True, exist_ok=True)
    with locked(cache_dir() / "build.lock"):
        if not _is_built():
            _run_maven()
    return _build_dir()


def _run_maven() -> None:
    mvn = shutil.which("mvn")
    if mvn is None:
        raise CannotBuild("no mvn on the PATH")
    repository = cache_dir() / "m2"
    say(f"building the server into {_build_dir()} (about 240 MB of jars from Maven Central the first time)")
    command = [mvn, "-B", "-q", "-f", str(SERVER / "pom.xml"), f"-Dmaven.repo.local={repository}"]
    command += [f"-Dout={_build_dir()}", "-Dmaven.test.skip=true", "package"]
    began = time.monotonic()
    # What is already in the repository is enough for a changed launcher: ask the network only where it is not.
    for extra in (["-o"], []) if repository.exists() else ([],):
        done = subprocess.run([*command, *extra], capture_output=True, text=True, timeout=BUILD_SECONDS)
        if done.returncode == 0 and _is_built():
            say(f"built in {time.monotonic() - began:.0f} s")
            _remove_older_builds()
            return
    raise CannotBuild("Maven could not build the server:\n" + (done.stdout + done.stderr)[-3000:])


def _remove_older_builds() -> None:
    for folder in cache_dir().glob("build-*"):
        if folder != _build_dir():
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def locked(path: Path, *, shared: bool = False) -> Iterator[None]:
    """Holds a lock between processes; the kernel lets go of it when a process dies."""
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield


@dataclass
class Hapi:
    """A running server: its base URL and its process."""

    base: str
    process: subprocess.Popen[str]
    log: Path
    archive: Path

    def stop(self) -> None:
        """Ends it: end of input first, which it obeys; signals only if it does not."""
        if self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()
        for last_word in (self.process.terminate, self.process.kill):
            try:
                self.process.wait(STOP_SECONDS)
                break
            except subprocess.TimeoutExpired:
                last_word()
        self.process.wait()
        fresh = _fresh(self.archive, self.log)
        if fresh.exists():
            # Whole at once, so that no other server starts from half an archive.
            fresh.replace(self.archive)
        for orphan in self.archive.parent.glob("classes-*.jsa"):
            orphan.unlink(missing_ok=True)


def start(options: Mapping[str, str] | None = None) -> Hapi:
    """Builds where needed, starts, waits until it is ready. `options` are the launcher's, such as `SERVER_ID=UUID`.

    Raises CannotLaunch, with the end of the server's log.
    """
    folder = build()
    log = new_log(cache_dir())
    archive = folder / "classes.jsa"
    with log.open("w") as errors:
        process = subprocess.Popen(
            _java(folder, archive, log),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment({"HOST": "127.0.0.1", "PORT": "0", **(options or {})}),
        )
    base = await_ready(process, log)
    return Hapi(base, process, log, archive)


def new_log(place: Path) -> Path:
    """The file for what a server says; of the older ones a few are kept."""
    folder = place / "logs"
    folder.mkdir(exist_ok=True)
    for old in sorted(folder.glob("*.log"))[:-KEPT_LOGS]:
        old.unlink(missing_ok=True)
    return folder / f"{time.time_ns()}-{os.getpid()}.log"


def _fresh(archive: Path, log: Path) -> Path:
    return archive.with_name(f"{archive.stem}-{log.stem}.jsa")


def _java(folder: Path, archive: Path, log: Path) -> list[str]:
    classpath = os.pathsep.join([str(folder / "hapi-launcher.jar"), (folder / "classpath.txt").read_text().strip()])
    # A class archive saves about six seconds a start; the first run makes it when it ends.
    sharing = (
        f"-XX:SharedArchiveFile={archive}" if archive.exists() else f"-XX:ArchiveClassesAtExit={_fresh(archive, log)}"
    )
    quiet = ["-Xlog:disable", "-Xlog:all=error:stderr"]
    return ["java", "-XX:+UseSerialGC", "-Xmx1g", "-XX:TieredStopAtLevel=1", sharing, *quiet, "-cp", classpath, MAIN]


def environment(options: Mapping[str, str]) -> dict[str, str]:
    """Only what is meant: a stray PORT or VALIDATE of the caller's environment would change the server."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "JAVA_HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, **options}


def await_ready(process: subprocess.Popen[str], log: Path) -> str:
    """The URL that it says when it is ready. Raises CannotLaunch, with the end of its log."""
    lines: queue.Queue[str] = queue.Queue()
    assert process.stdout is not None
    threading.Thread(target=_pump, args=(process.stdout, lines), daemon=True).start()
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(queue.Empty):
            line = lines.get(timeout=0.2)
            if line.startswith("READY "):
                return line.split()[1]
        if process.poll() is not None and lines.empty():
            break
    process.kill()
    process.wait()
    raise CannotLaunch("the server did not start; its log ends:\n" + log.read_text(errors="replace")[-3000:])


def _pump(stream: Iterator[str], lines: queue.Queue[str]) -> None:
    for line in stream:
        lines.put(line)


class Server(Protocol):
    """A server that runs."""

    base: str
    process: subprocess.Popen[str]

    def stop(self) -> None:
        """Ends it."""


def command(
    about: str,
    options: str,
    build: Callable[[], object],
    start: Callable[[dict[str, str]], Server],
    tell: Callable[[str], None],
) -> int:
    """The command that starts a server and says where; `options` is the help for what it may be told."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--build", action="store_true", help="only build")
    parser.add_argument("option", nargs="*", metavar="NAME=VALUE", help=options)
    given = parser.parse_args()
    try:
        if given.build:
            build()
            return 0
        server = start(dict(option.split("=", 1) for option in given.option))
    except CannotLaunch as error:
        tell(str(error))
        return 3
    print(f"READY {server.base}", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        server.process.wait()
    server.stop()
    return 0


def main() -> int:
    """The command."""
    about = "A real HAPI FHIR server on loopback, for tests."
    return command(about, "options of the server, such as SERVER_ID=UUID", build, start, say)


if __name__ == "__main__":
    sys.exit(main())
