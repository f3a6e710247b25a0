"""Puts together what ``test_trust.py`` runs: programs that are not below /usr, roots, runs for the driver."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from java_class import CLASS_NAME, get_class
from trust_clients import PROXY, TRUST, Client

from bot_bottle.launch import environment
from bot_bottle.sidecar.proxy.ca import CertificateAuthority
from bot_bottle.store.java_keystore import trust_store

REPOSITORY = Path(__file__).resolve().parents[2]
STRANGER = "localhost"
ONE_FILE_ONLY = {**dict.fromkeys(environment.TRUST, "{pem}"), "SSL_CERT_DIR": "{kit}/nothing"}
"""Variables by which a client is told to trust the roots of one file only."""

GO_PROGRAM = """\
package main

import ("fmt"; "io"; "net/http"; "os")

func main() {
	answer, err := http.Get(os.Args[1])
	if err != nil { fmt.Fprintln(os.Stderr, err); os.Exit(1) }
	io.Copy(os.Stdout, answer.Body)
}
"""


PROJECT = """\
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>org.example</groupId><artifactId>project</artifactId><version>1</version>
  <pluginRepositories>
    <pluginRepository><id>central</id><url>${url}</url></pluginRepository>
  </pluginRepositories>
</project>
"""
"""Of Maven's: what it needs comes from the URL of the command line."""

_HTTPX = ("anyio", "certifi", "h11", "httpcore", "httpx", "idna", "typing_extensions.py")


def fill(place: Path) -> None:
    """Put into *place*, for anybody to read: node, deno, uv, pip, httpx, pnpm, a Go program, a Java class, a
    Maven project, the driver, and ``stranger.pem``, ``.jks`` and ``-server.pem`` of a CA that nobody knows."""
    for source in (
        _npm_program("node-linux-{}", "bin/node"),
        _npm_program("@deno/linux-{}-glibc", "deno"),
        REPOSITORY / ".venv/bin/uv",
        Path(__file__).with_name("trust_driver.py"),
    ):
        if source.exists():
            shutil.copy(source, place)
    for packages in (REPOSITORY / ".venv/lib").glob("python3*/site-packages"):
        shutil.copytree(packages / "pip", place / "pip")
        for name in _HTTPX:
            copy = shutil.copytree if (packages / name).is_dir() else shutil.copy
            (place / "site").mkdir(exist_ok=True)
            copy(packages / name, place / "site" / name)
    pnpm = REPOSITORY / "tools/clients/node_modules/pnpm"
    if pnpm.exists():
        shutil.copytree(pnpm, place / "pnpm")
    (place / "pom.xml").write_text(PROJECT)
    if shutil.which("go"):
        _compile_go(place)
    (place / f"{CLASS_NAME}.class").write_bytes(get_class())
    (place / "nothing").mkdir()
    stranger = CertificateAuthority.create()
    leaf = stranger.leaf(STRANGER)
    (place / "stranger-server.pem").write_bytes(leaf.chain_pem + leaf.key_pem)
    write_roots(place, "stranger", stranger.ca_pem)
    subprocess.run(["chmod", "-R", "a+rX", str(place)], check=True)


def _npm_program(package: str, program: str) -> Path:
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return REPOSITORY / "tools/clients/node_modules" / package.format(machine) / program


def _compile_go(place: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="bb-go-", dir="/var/tmp") as cache:
        (Path(cache) / "get.go").write_text(GO_PROGRAM)
        env = {"PATH": os.environ["PATH"], "HOME": cache, "GOCACHE": cache, "CGO_ENABLED": "0"}
        env |= {"GO111MODULE": "off", "GOTOOLCHAIN": "local"}
        subprocess.run(["go", "build", "-o", str(place / "get"), "get.go"], cwd=cache, env=env, check=True)


def write_roots(place: Path, name: str, pem: str) -> dict[str, str]:
    """A file of roots, for everybody and for Java; as words of a :class:`Client`."""
    (place / f"{name}.pem").write_text(pem)
    (place / f"{name}.jks").write_bytes(trust_store(pem))
    return {"pem": f"{place}/{name}.pem", "jks": f"{place}/{name}.jks"}


def missing(client: Client, kit: Path) -> str:
    """Why *client* can't run here; empty: it can."""
    program = client.argv[0].format(kit=kit)
    if not os.access(program, os.X_OK):
        return f"{os.path.basename(program)} is not installed (scripts/setup.sh slow)"
    if client.name == "pip" and not (kit / "pip").exists():
        return "there is no pip in .venv"
    if client.name == "pnpm" and not (kit / "pnpm").exists():
        return "pnpm is not installed (scripts/setup.sh slow)"
    if client.name == "node of the host" and _major_of_node() >= 22:
        return "this host's node reads NODE_USE_ENV_PROXY, so it is like the other one"
    return ""


def _major_of_node() -> int:
    argv = ["/usr/bin/node", "--version"]
    version = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    return int(version.lstrip("v").split(".")[0])


def path_of(client: str, way: str) -> str:
    """Below which a client asks in one run, so that the upstream's record tells them apart."""
    return f"{client}/{way}".replace(" ", "_")


def run_of(
    client: Client,
    way: str,
    words: Mapping[str, str],
    *,
    env: Mapping[str, str] | None = None,
    unset: Sequence[str] = (),
    options: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, object]:
    """A run for ``trust_driver``: *options* fill the places of the argv, *env* comes below the client's own."""
    words = {**words, "path": path_of(client.name, way)}
    words["url"] = "https://{host}:{port}/{path}".format_map(words)
    argv: list[str] = []
    for word in client.argv:
        argv += (options or {}).get(word, ()) if word in (PROXY, TRUST) else (word,)
    own = {**(env or {}), **client.env}
    return {
        "key": [client.name, way],
        "argv": [word.format_map(words) for word in argv],
        "env": {k: v.format_map(words) for k, v in own.items() if k not in client.unset}
        | {"HOME": words["home"]},
        "unset": [*unset, *client.unset],
        "given": client.given.format_map(words),
    }


def trusting_only(
    client: Client, way: str, words: Mapping[str, str], unset: Sequence[str] = ()
) -> dict[str, object]:
    """A run in which the client is told to trust ``{pem}`` and nothing else."""
    env = {**ONE_FILE_ONLY, **client.trust_env}
    return run_of(client, way, words, env=env, unset=unset, options={TRUST: client.trust_options})
