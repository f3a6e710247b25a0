"""Package registries: what an installation asks, by GET and HEAD. Never publishing, accounts, tokens, search, or
what takes a list of one's packages (threats E3).

This file names public registries on purpose: they are what a route opens, not where anything of ours comes from.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot_bottle.egress.presets.parts import Host, Preset, exact, prefix, regex

_NPM_NAME = r"(?:@[A-Za-z0-9~-][A-Za-z0-9._~-]*/)?[A-Za-z0-9~_][A-Za-z0-9._~-]*"
"""https://docs.npmjs.com/cli/v10/configuring-npm/package-json#name; older names have capitals. None begins with
a hyphen, below which the registry's own services lie."""

_NPM_READS = (
    regex(
        f"/{_NPM_NAME}",
        f"/{_NPM_NAME}/[A-Za-z0-9.+~-]+",
        f"/{_NPM_NAME}/-/[A-Za-z0-9._~+-]+[.]tgz",
        "/-/npm/v1/attestations/.+",
    ),
    exact("/-/npm/v1/keys"),
)

_CRATE = "[A-Za-z0-9_-]{1,64}"
"""https://doc.rust-lang.org/cargo/reference/registry-index.html#name-restrictions"""

_MODULE = "(?:/[A-Za-z0-9._~!-]+)+"
_VERSION = "[A-Za-z0-9._~!+-]+"
_SERVED = rf"/@(?:latest|v/(?:list|{_VERSION}\.(?:info|mod|zip)))"
"""https://go.dev/ref/mod#goproxy-protocol, capitals as ``!`` and the small letter"""
_SUM_DB = f"(?:supported|latest|lookup{_MODULE}@{_VERSION}|tile(?:/[0-9x.p]+|/data)+)"
"""https://go.dev/ref/mod#checksum-database"""
_GO_PAGES = ("https://go.dev/ref/mod#goproxy-protocol", "https://proxy.golang.org/")

REGISTRIES: Mapping[str, Preset] = {
    "crates": Preset(
        "cargo fetch, cargo build; from cargo 1.70 on, whose index is no git repository",
        {
            "read": (
                Host(
                    "index.crates.io",
                    (
                        exact("/config.json"),
                        regex(
                            "/[12]/[a-z0-9_-]{1,2}",
                            "/3/[a-z0-9_-]/[a-z0-9_-]{3}",
                            "/[a-z0-9_-]{2}/[a-z0-9_-]{2}/[a-z0-9_-]{4,64}",
                        ),
                    ),
                    ("https://doc.rust-lang.org/cargo/reference/registry-index.html#sparse-protocol",),
                    headers=("cargo-protocol",),
                ),
                Host(
                    "static.crates.io",
                    (prefix("/crates"),),
                    ("https://crates.io/data-access#crate-files",),
                ),
                Host(
                    "crates.io",
                    (regex(f"/api/v1/crates/{_CRATE}(?:/[0-9]{_VERSION}(?:/download)?)?"),),
                    ("https://doc.rust-lang.org/cargo/reference/registry-web-api.html",),
                ),
            )
        },
        "cargo publish, yank, owner, login; search; accounts and tokens",
    ),
    "debian": Preset(
        "apt-get update, apt-get install",
        {
            "read": (
                Host(
                    "deb.debian.org",
                    (prefix("/debian", "/debian-security", "/debian-debug"),),
                    ("https://deb.debian.org/", "https://wiki.debian.org/DebianRepository/Format"),
                    ports=(),
                ),
                Host(
                    "security.debian.org",
                    (prefix("/debian-security"),),
                    ("https://www.debian.org/security/",),
                    ports=(),
                ),
            )
        },
        "uploads, bug reports, other services of the project",
    ),
    "go": Preset(
        "go mod download, go get",
        {
            "read": (
                Host(
                    "proxy.golang.org",
                    (regex(f"(?:/cached-only)?{_MODULE}{_SERVED}", f"/sumdb/sum[.]golang[.]org/{_SUM_DB}"),),
                    _GO_PAGES,
                ),
                Host(
                    "sum.golang.org",
                    (regex(f"/{_SUM_DB}"),),
                    ("https://go.dev/ref/mod#checksum-database",),
                ),
            ),
            "cached": (Host("proxy.golang.org", (regex(f"/cached-only{_MODULE}{_SERVED}"),), _GO_PAGES),),
        },
        "nothing can be published there; with `read` the mirror fetches what it does not have from the host that "
        "the module's path names, so a name can carry data to that host: `access: cached` with "
        "`GOPROXY=https://proxy.golang.org/cached-only` and a complete `go.sum` closes that",
    ),
    "npm": Preset(
        "npm ci, npm install, pnpm and yarn alike",
        {
            "read": (
                Host(
                    "registry.npmjs.org",
                    _NPM_READS,
                    (
                        "https://github.com/npm/registry/blob/main/docs/REGISTRY-API.md",
                        "https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md",
                        "https://docs.npmjs.com/about-registry-signatures",
                    ),
                    credential=True,
                ),
                Host(
                    "registry.yarnpkg.com",
                    _NPM_READS,
                    ("https://yarnpkg.com/configuration/yarnrc#npmRegistryServer",),
                ),
            )
        },
        "npm publish, unpublish, deprecate, dist-tag, access, owner, login, token; audit (sends the list of "
        "dependencies); search; ping, whoami",
    ),
    "pypi": Preset(
        "pip install, uv sync",
        {
            "read": (
                Host(
                    "pypi.org",
                    (
                        prefix("/simple", "/integrity"),
                        regex("/pypi/[A-Za-z0-9._-]+(?:/[A-Za-z0-9._!+-]+)?/json"),
                    ),
                    (
                        "https://docs.pypi.org/api/index-api/",
                        "https://docs.pypi.org/api/integrity/",
                        "https://docs.pypi.org/api/json/",
                    ),
                ),
                Host(
                    "files.pythonhosted.org",
                    (prefix("/packages"),),
                    ("https://docs.pypi.org/api/index-api/",),
                ),
            )
        },
        "uploads (another host), search, XML-RPC, accounts, tokens, trusted publishing",
    ),
}
