"""Real installers through the presets: installing passes, publishing, auditing and searching reach no registry.

Judged by what the fake registries received. The control: over plain routes for the same hosts the same attempts
arrive.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import kept_patterns
import pytest
import registry_fakes as fakes

from bot_bottle.egress.presets.registries import REGISTRIES
from bot_bottle.testing.upstream import FakeUpstream

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).resolve().parents[3]
STOLEN = "attackers-own-t0ken"
CLIENT_TIMEOUT_S = 120
OFF = {"outbound_detectors": False, "inbound_detectors": False}
"""On plain routes: what the control sends is to arrive."""


def hosts(preset: str) -> list[str]:
    return [host.host for host in REGISTRIES[preset].access["read"]]


@dataclass
class Ground:
    """A proxy in front of fake registries, and a home for clients."""

    home: Path
    proxy: str
    ca: Path
    upstreams: tuple[FakeUpstream, ...]
    env: dict[str, str] = field(default_factory=dict)

    def run(self, *argv: str, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            argv, cwd=cwd or self.home, env={**self.env, **env}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=CLIENT_TIMEOUT_S,
        )  # fmt: skip

    def received(self) -> list[str]:
        """``METHOD path`` of every request that arrived, queries left out."""
        return [
            f"{request.method} {request.target.partition('?')[0]}"
            for upstream in self.upstreams
            for request in upstream.requests
        ]

    def raw(self) -> bytes:
        return b"".join(upstream.raw for upstream in self.upstreams)


@contextmanager
def ground(
    tmp_path: Path, names: Sequence[str], pages: fakes.Pages, *, preset: str | None
) -> Iterator[Ground]:
    """*preset* None: plain routes for the hosts *names*."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    routes = tmp_path / "routes.yaml"
    entries = [{"preset": preset}] if preset else [{"host": name, "dlp": OFF} for name in names]
    routes.write_text(json.dumps({"log": 1, "routes": entries}))
    registry = fakes.Registry(pages)
    with FakeUpstream(registry) as secure, FakeUpstream(registry, tls=False) as plain:
        roots = tmp_path / "upstream.pem"
        roots.write_text(secure.ca_pem)
        ways = [f"{name}:443:127.0.0.1:{secure.port}" for name in names]
        ways += [f"{name}:80:127.0.0.1:{plain.port}" for name in names]
        kept_patterns.lay(home)
        argv = [sys.executable, "-m", "bot_bottle", "proxy", "--listen", "127.0.0.1:0"]
        argv += ["--routes", str(routes), "--extra-ca", str(roots)]
        argv += [word for way in ways for word in ("--connect-to", way)]
        source = os.environ.get("PYTHONPATH", "")
        env = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}
        process = subprocess.Popen(
            argv,
            env={**env, "PYTHONPATH": source},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            line = process.stdout.readline() if process.stdout else ""
            assert line.startswith("listening on "), line
            proxy = f"http://{line.removeprefix('listening on ').strip()}"
            ca = home / ".bot-bottle/proxy/ca.pem"
            told = dict.fromkeys(("http_proxy", "https_proxy", "HTTPS_PROXY", "HTTP_PROXY"), proxy)
            trusted = (
                "SSL_CERT_FILE",
                "NODE_EXTRA_CA_CERTS",
                "PIP_CERT",
                "CARGO_HTTP_CAINFO",
                "CURL_CA_BUNDLE",
            )
            yield Ground(home, proxy, ca, (secure, plain), {**env, **told, **dict.fromkeys(trusted, str(ca))})
        finally:
            process.kill()
            process.communicate()


def needs(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed (scripts/setup.sh slow)")
    return found


def succeeded(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stdout + done.stderr


# -- Python
def test_pip(tmp_path: Path) -> None:
    """``pip install`` passes; an upload as twine makes it, a search and a token are refused."""
    index, files = hosts("pypi")
    url = f"https://{index}"
    with ground(tmp_path, (index, files), fakes.pypi(index, files), preset="pypi") as there:
        argv = [sys.executable, "-m", "pip", "install", "--no-cache-dir", "--disable-pip-version-check"]
        argv += ["--no-deps", "--target", str(there.home / "site"), "--index-url", f"{url}/simple"]
        done = there.run(*argv, fakes.NAME, PIP_CONFIG_FILE=os.devnull)
        succeeded(done)
        assert (there.home / "site/bb_sample.py").exists()
        installed = len(there.received())
        for attempt in pypi_attempts(index):
            assert there.run(needs("curl"), "-sS", *attempt).stdout.endswith("403"), attempt
        assert len(there.received()) == installed
        assert STOLEN.encode() not in there.raw()


def pypi_attempts(index: str) -> list[list[str]]:
    status = ["-o", os.devnull, "-w", "%{http_code}"]
    upload = ["-F", ":action=file_upload", "-F", f"content={STOLEN}"]
    signed = ["-u", f"__token__:{STOLEN}"]
    return [
        [*status, *signed, *upload, f"https://{index}/legacy/"],
        [*status, *signed, *upload, f"https://upload.{index}/legacy/"],
        [*status, "--data-binary", f"<methodCall>{STOLEN}</methodCall>", f"https://{index}/pypi"],
        [*status, f"https://{index}/search/?q={STOLEN}"],
        [*status, "--data-binary", STOLEN, f"https://{index}/_/oidc/mint-token"],
        [*status, f"https://{index}/simple/x/?token={STOLEN}"],
    ]


def test_pypi_over_a_plain_route(tmp_path: Path) -> None:
    """The control: the same uploads arrive."""
    index, files = hosts("pypi")
    names = (index, files, f"upload.{index}")
    with ground(tmp_path, names, fakes.pypi(index, files), preset=None) as there:
        for attempt in pypi_attempts(index):
            there.run(needs("curl"), "-sS", *attempt)
        assert there.received().count("POST /legacy/") == 2
        assert there.raw().count(STOLEN.encode()) >= 6


def test_uv(tmp_path: Path) -> None:
    """Another client of the same index."""
    uv = REPOSITORY / ".venv/bin/uv"
    if not uv.exists():
        pytest.skip("there is no uv in .venv")
    index, files = hosts("pypi")
    with ground(tmp_path, (index, files), fakes.pypi(index, files), preset="pypi") as there:
        argv = [str(uv), "pip", "install", "--no-cache", "--no-config", "--python", sys.executable]
        argv += ["--target", str(there.home / "site"), "--index-url", f"https://{index}/simple"]
        succeeded(there.run(*argv, fakes.NAME))
        assert (there.home / "site/bb_sample.py").exists()


# -- JavaScript
def npm_env(there: Ground, host: str) -> dict[str, str]:
    (there.home / ".npmrc").write_text(f"//{host}/:_authToken={STOLEN}\n")
    nothing = str(there.home / "nothing")
    return {
        "npm_config_globalconfig": nothing,
        "npm_config_registry": f"https://{host}/",
        "npm_config_fetch_retries": "0",
        "npm_config_update_notifier": "false",
        "npm_config_cache": str(there.home / "cache"),
    }


def npm_project(there: Ground, lock: str) -> Path:
    project = there.home / "project"
    project.mkdir()
    package = json.loads(lock)["packages"][""]
    (project / "package.json").write_text(json.dumps(package))
    (project / "package-lock.json").write_text(lock)
    return project


NPM_ATTEMPTS = (("publish", "--access", "public"), ("audit",), ("search", STOLEN), ("whoami",), ("ping",))


def test_npm(tmp_path: Path) -> None:
    """``npm ci`` and ``npm install`` of a scoped package pass; publishing, audit and the rest reach nobody."""
    npm = needs("npm")
    host = hosts("npm")[0]
    pages, lock = fakes.npm(host)
    with ground(tmp_path, (host,), pages, preset="npm") as there:
        env, project = npm_env(there, host), npm_project(there, lock)
        succeeded(there.run(npm, "ci", cwd=project, **env))
        assert (project / "node_modules/@bb/sample/package.json").exists()
        fresh = there.home / "fresh"
        fresh.mkdir()
        succeeded(there.run(npm, "install", f"{fakes.SCOPED}@{fakes.VERSION}", cwd=fresh, **env))
        assert (fresh / "node_modules/@bb/sample/package.json").exists()
        assert f"GET /{fakes.SCOPED}" in there.received()
        for attempt in NPM_ATTEMPTS:
            assert there.run(npm, *attempt, cwd=project, **env).returncode != 0, attempt
        assert {line.partition(" ")[0] for line in there.received()} == {"GET"}
        assert all("/-/npm/v1" not in line and "/-/v1" not in line for line in there.received())
        assert STOLEN.encode() not in there.raw()


def test_npm_over_a_plain_route(tmp_path: Path) -> None:
    """The control: the package and the list of dependencies arrive."""
    npm = needs("npm")
    host = hosts("npm")[0]
    pages, lock = fakes.npm(host)
    with ground(tmp_path, (host,), pages, preset=None) as there:
        env, project = npm_env(there, host), npm_project(there, lock)
        for attempt in NPM_ATTEMPTS:
            there.run(npm, *attempt, cwd=project, **env)
        assert "PUT /project" in there.received()
        assert any(line.startswith("POST /-/npm/v1/security/") for line in there.received())
        assert STOLEN.encode() in there.raw()


# -- Rust
def cargo_env(there: Ground) -> dict[str, str]:
    rustup = os.environ.get("RUSTUP_HOME", os.path.expanduser("~/.rustup"))
    return {"CARGO_HOME": str(there.home / "cargo"), "CARGO_NET_RETRY": "0", "RUSTUP_HOME": rustup}


def cargo_project(there: Ground) -> Path:
    project = there.home / "project"
    (project / "src").mkdir(parents=True)
    (project / "src/lib.rs").write_text("")
    about = 'description = "x"\nlicense = "MIT"\nname = "bb_mine"\nversion = "0.1.0"\nedition = "2021"\n'
    (project / "Cargo.toml").write_text(f'[package]\n{about}[dependencies]\n{fakes.CRATE} = "1"\n')
    return project


CARGO_PUBLISH = ("publish", "--no-verify", "--allow-dirty", "--token", STOLEN)


def cargo() -> str:
    program = needs("cargo")
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    version = tuple(int(part) for part in [*said.split(), "", "0.0"][1].split(".")[:2])
    if version < (1, 70):
        pytest.skip("cargo is older than 1.70, which asks the sparse index by default")
    return program


def test_cargo(tmp_path: Path) -> None:
    """``cargo fetch`` passes; publishing, searching and owners are refused."""
    program, names = cargo(), hosts("crates")
    with ground(tmp_path, names, fakes.crates(*names), preset="crates") as there:
        env, project = cargo_env(there), cargo_project(there)
        succeeded(there.run(program, "fetch", cwd=project, **env))
        assert any("download" in line or ".crate" in line for line in there.received())
        for attempt in (
            CARGO_PUBLISH,
            ("search", STOLEN),
            ("owner", "--list", fakes.CRATE, "--token", STOLEN),
        ):
            assert there.run(program, *attempt, cwd=project, **env).returncode != 0, attempt
        assert {line.partition(" ")[0] for line in there.received()} == {"GET"}
        assert STOLEN.encode() not in there.raw()


def test_cargo_over_a_plain_route(tmp_path: Path) -> None:
    """The control: the crate arrives."""
    program, names = cargo(), hosts("crates")
    with ground(tmp_path, names, fakes.crates(*names), preset=None) as there:
        argv = (program, *CARGO_PUBLISH)
        env = {**there.env, **cargo_env(there)}
        process = subprocess.Popen(
            argv, cwd=cargo_project(there), env=env, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            deadline = time.monotonic() + CLIENT_TIMEOUT_S
            while "PUT /api/v1/crates/new" not in there.received():
                assert time.monotonic() < deadline, there.received()
                time.sleep(0.05)
        finally:
            process.kill()  # it would wait a minute for the index to show the crate
            process.wait()


# -- Go
def test_go(tmp_path: Path) -> None:
    """``go mod download`` passes, also over the part of the mirror that fetches nothing itself."""
    program, names = needs("go"), hosts("go")
    pages = fakes.go(names[0])
    cached = {name.replace(" /", " /cached-only/", 1): page for name, page in pages.items()}
    with ground(tmp_path, names, {**pages, **cached}, preset="go") as there:
        project = there.home / "project"
        project.mkdir()
        (project / "go.mod").write_text(f"module a\n\ngo 1.19\n\nrequire {fakes.MODULE} v{fakes.VERSION}\n")
        for part in ("", "/cached-only"):
            env = {
                "GOPROXY": f"https://{names[0]}{part}", "GOSUMDB": "off", "GOFLAGS": "-modcacherw",
                "GOPATH": f"{there.home}/go{part}", "GOCACHE": f"{there.home}/c", "GOTOOLCHAIN": "local",
            }  # fmt: skip
            succeeded(there.run(program, "mod", "download", cwd=project, **env))
            assert f"GET {part}/{fakes.MODULE}/@v/v{fakes.VERSION}.zip" in there.received()


# -- Debian
def test_apt(tmp_path: Path) -> None:
    """``apt-get update`` and ``apt-get download`` pass, over http and https."""
    program, host = needs("apt-get"), hosts("debian")[0]
    with ground(tmp_path, hosts("debian"), fakes.debian(host, tmp_path), preset="debian") as there:
        for scheme in ("http", "https"):
            root = there.home / scheme
            for part in ("etc", "state/lists/partial", "cache/archives/partial"):
                (root / part).mkdir(parents=True)
            (root / "status").write_text("")
            (root / "etc/list").write_text(f"deb [trusted=yes] {scheme}://{host}/debian stable main\n")
            options = {
                "Dir::Etc::SourceList": root / "etc/list", "Dir::Etc::SourceParts": "-", "Dir::Etc::Parts": "-",
                "Dir::Etc::Main": "-", "Dir::State": root / "state", "Dir::State::status": root / "status",
                "Dir::Cache": root / "cache", "APT::Sandbox::User": "", "Acquire::https::CAInfo": there.ca,
                "Acquire::Check-Valid-Until": "false", "Acquire::http::Proxy": there.proxy,
                "Acquire::https::Proxy": there.proxy, "Acquire::Languages": "none",
            }  # fmt: skip
            flags = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
            config = root / "empty"
            config.write_text("")
            succeeded(there.run(program, *flags, "update", cwd=root, APT_CONFIG=str(config)))
            succeeded(there.run(program, *flags, "download", fakes.NAME, cwd=root, APT_CONFIG=str(config)))
            assert list(root.glob("*.deb"))
        assert {line.partition(" ")[0] for line in there.received()} == {"GET"}
