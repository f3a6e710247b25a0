"""Registries on loopback with one tiny package each, as their clients expect them: answers by path and no more.

They take whatever is sent: what a client tried to store is in the record of the upstream.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import subprocess
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from bot_bottle.testing.upstream import RecordedRequest, UpstreamConnection

NAME, SCOPED, VERSION = "bb-sample", "@bb/sample", "1.0.0"
MODULE = "bb.example/sample"
CRATE = "bb_sample"
Pages = Mapping[str, bytes]
"""By ``host path``, without query."""


class Registry:
    """A responder: what is in *pages*, else 404; every other method is taken with 201."""

    def __init__(self, pages: Pages) -> None:
        self._pages = dict(pages)

    def __call__(self, request: RecordedRequest, connection: UpstreamConnection) -> None:
        if request.method not in ("GET", "HEAD"):
            connection.reply(201, b'{"ok": true}', [("Content-Type", "application/json")])
            return
        path = request.target.partition("?")[0]
        body = self._pages.get(f"{request.header('host')} {path}")
        kind = "text/html" if "/simple/" in path else "application/json"
        if body is None:
            connection.reply(404, b"{}", [("Content-Type", kind)])
        elif request.method == "HEAD":
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
        else:
            connection.reply(200, body, [("Content-Type", kind)])


def tar_gz(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def zipped(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def pypi(index: str, files: str) -> Pages:
    """A wheel and its project page."""
    stem = NAME.replace("-", "_")
    info = f"{stem}-{VERSION}.dist-info"
    wheel = zipped(
        {
            f"{stem}.py": b"",
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {VERSION}\n".encode(),
            f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/RECORD": f"{stem}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n".encode(),
        }
    )
    file = f"/packages/ab/cd/{stem}-{VERSION}-py3-none-any.whl"
    digest = hashlib.sha256(wheel).hexdigest()
    page = f'<!DOCTYPE html><a href="https://{files}{file}#sha256={digest}">{Path(file).name}</a>'
    return {f"{index} /simple/{NAME}/": page.encode(), f"{files} {file}": wheel}


def npm(host: str) -> tuple[Pages, str]:
    """Two packages, one with a scope; and a lock file for the first."""
    pages: dict[str, bytes] = {}
    locked: dict[str, object] = {}
    for name in (NAME, SCOPED):
        tarball = tar_gz({"package/package.json": json.dumps({"name": name, "version": VERSION}).encode()})
        path = f"/{name}/-/{name.rpartition('/')[2]}-{VERSION}.tgz"
        dist = {
            "tarball": f"https://{host}{path}",
            "integrity": "sha512-" + base64.b64encode(hashlib.sha512(tarball).digest()).decode(),
        }
        version = {"name": name, "version": VERSION, "dist": dist}
        document = {"name": name, "dist-tags": {"latest": VERSION}, "versions": {VERSION: version}}
        pages |= {f"{host} /{name}": json.dumps(document).encode(), f"{host} {path}": tarball}
        locked |= {
            f"node_modules/{name}": {
                "version": VERSION, "resolved": dist["tarball"], "integrity": dist["integrity"]
            }
        }  # fmt: skip
    project = {"name": "project", "version": "1.0.0", "dependencies": dict.fromkeys((NAME, SCOPED), VERSION)}
    lock = {"name": "project", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": project, **locked}}
    return pages, json.dumps(lock)


def crates(index: str, files: str, api: str) -> Pages:
    """One crate."""
    stem = f"{CRATE}-{VERSION}"
    manifest = f'[package]\nname = "{CRATE}"\nversion = "{VERSION}"\nedition = "2021"\n'.encode()
    crate = tar_gz({f"{stem}/Cargo.toml": manifest, f"{stem}/src/lib.rs": b""})
    entry = {
        "name": CRATE, "vers": VERSION, "deps": [], "features": {}, "yanked": False,
        "cksum": hashlib.sha256(crate).hexdigest(),
    }  # fmt: skip
    config = {"dl": f"https://{files}/crates", "api": f"https://{api}"}
    return {
        f"{index} /config.json": json.dumps(config).encode(),
        f"{index} /bb/_s/{CRATE}": json.dumps(entry).encode() + b"\n",
        f"{files} /crates/{CRATE}/{VERSION}/download": crate,
        f"{files} /crates/{CRATE}/{stem}.crate": crate,
    }


def go(host: str) -> Pages:
    """One module."""
    at = f"{host} /{MODULE}/@v"
    prefix = f"{MODULE}@v{VERSION}"
    mod = f"module {MODULE}\n".encode()
    return {
        f"{at}/list": f"v{VERSION}\n".encode(),
        f"{at}/v{VERSION}.info": json.dumps(
            {"Version": f"v{VERSION}", "Time": "2025-01-01T00:00:00Z"}
        ).encode(),
        f"{at}/v{VERSION}.mod": mod,
        f"{at}/v{VERSION}.zip": zipped({f"{prefix}/go.mod": mod, f"{prefix}/a.go": b"package sample\n"}),
    }


def debian(host: str, work: Path) -> Pages:
    """One package of architecture all in a suite without a signature; *work* is for building it."""
    tree = work / "deb"
    (tree / "DEBIAN").mkdir(parents=True)
    fields = f"Package: {NAME}\nVersion: {VERSION}\nArchitecture: all\nMaintainer: x <x@a.example>\n"
    (tree / "DEBIAN/control").write_text(fields + "Description: x\n")
    built = ["dpkg-deb", "--build", "--root-owner-group", str(tree), str(work / "x.deb")]
    subprocess.run(built, check=True, stdout=subprocess.DEVNULL)
    deb = (work / "x.deb").read_bytes()
    pool = f"pool/main/b/{NAME}_{VERSION}_all.deb"
    digest = hashlib.sha256(deb).hexdigest()
    packages = f"{fields}Description: x\nFilename: {pool}\nSize: {len(deb)}\nSHA256: {digest}\n\n".encode()
    machine = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True)
    listing = f"main/binary-{machine.stdout.strip()}/Packages"
    release = (
        f"Origin: x\nSuite: stable\nCodename: stable\nArchitectures: {machine.stdout.strip()} all\n"
        "Components: main\nDate: Wed, 01 Jan 2025 00:00:00 UTC\nSHA256:\n"
        f" {hashlib.sha256(packages).hexdigest()} {len(packages)} {listing}\n"
    )
    base = f"{host} /debian/dists/stable"
    return {
        f"{base}/Release": release.encode(),
        f"{base}/{listing}": packages,
        f"{host} /debian/{pool}": deb,
    }
