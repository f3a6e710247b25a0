"""The clients of threat F6: how each is asked for a URL, and how it is told what to trust. Tables only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PROXY, TRUST = "<proxy>", "<trust>"
"""Where in an argv the options go by which a client is told of a proxy, or of the only roots to trust."""

RAW = "GET /{path}/raw HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True)
class Client:
    """``{…}`` in an argument: url, path (of it), host, port, recorder (port of a proxy), pem, jks (files of
    roots), home, kit (the directory with what a test brings)."""

    name: str
    argv: tuple[str, ...]
    request: str
    """what the upstream gets, after the path of the URL"""
    proxy: str
    """variable: the environment tells it the proxy; option: only its command line can; none: nothing can, or
    it does not look: it is carried"""
    proxy_options: tuple[str, ...] = ()
    by_files: bool = True
    """whether it trusts our CA with no variable set, as in a program that clears its children's environment"""
    trust_options: tuple[str, ...] = ()
    """for one that reads no variable of :data:`bot_bottle.launch.environment.TRUST`"""
    trust_env: Mapping[str, str] = field(default_factory=dict)
    """beside those variables, for one that adds the system's roots to what they name"""
    env: Mapping[str, str] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    given: str = ""
    exclusive: bool = True
    """False: it can be told of further roots, but not to leave the system's out"""
    succeeds: bool = True
    """False: it wants a registry's or repository's answer and ends with an error once it has ours"""

    @property
    def is_pips(self) -> bool:
        return self.env.get("PYTHONPATH") == "{kit}"


FETCH = "fetch('{url}/x').then(answer => answer.text()).then(text => console.log(text))"
DENO_FETCH = "console.log(await (await fetch('{url}/x')).text())"
NODE_HTTPS = (
    "require('https').get('{url}/x', answer => answer.pipe(process.stdout))"
    ".on('error', error => {{ console.error(error.message); process.exit(1) }})"
)
REQUESTS = "from pip._vendor import requests; print(requests.get('{url}/x', timeout=30).text)"
HTTPX = "import httpx; print(httpx.get('{url}/x').text)"
URLLIB = "import sys, urllib.request; print(urllib.request.urlopen('{url}/x').read())"

NPM = {
    "npm_config_fetch_retries": "0",
    "npm_config_update_notifier": "false",
    "npm_config_globalconfig": "{kit}/nothing/npmrc",  # this host's may name roots
}

CLIENTS = (
    Client("curl", ("/usr/bin/curl", "-sS", "{url}/x"), "GET /x", "variable"),
    Client(
        "openssl s_client",
        (
            "/usr/bin/openssl", "s_client", "-connect", "{host}:{port}", "-servername", "{host}",
            "-verify_return_error", "-verify_hostname", "{host}", "-ign_eof", "-brief", PROXY,
        ),
        "GET /raw",
        "option",
        proxy_options=("-proxy", "127.0.0.1:{recorder}"),
        given=RAW,
    ),
    Client(
        "gnutls-cli",
        ("/usr/bin/gnutls-cli", TRUST, "-p", "{port}", "{host}"),
        "GET /raw",
        "none",
        trust_options=("--x509cafile", "{pem}"),
        given=RAW,
    ),
    Client("go", ("{kit}/get", "{url}/x"), "GET /x", "variable"),
    Client(
        "uv",
        (
            "{kit}/uv", "pip", "install", "--no-cache", "--no-config", "--python", "/usr/bin/python3",
            "--target", "{home}/target", "--index-url", "{url}/simple", "nothing",
        ),
        "GET /simple/nothing/",
        "variable",
        by_files=False,
        env={"UV_HTTP_RETRIES": "0"},
        succeeds=False,
    ),
    Client(
        "cargo",
        ("/usr/bin/cargo", "-Z", "sparse-registry", "search", "--registry", "other", "nothing"),
        "GET /config.json",
        "variable",
        env={
            "CARGO_REGISTRIES_OTHER_INDEX": "sparse+{url}/",
            "CARGO_NET_RETRY": "0",
            "RUSTC_BOOTSTRAP": "1",  # Debian 12's takes sparse registries on demand only
        },
        exclusive=False,  # its libcurl also reads all of /etc/ssl/certs
        succeeds=False,
    ),
    Client(
        "java",
        ("/usr/bin/java", TRUST, PROXY, "-cp", "{kit}", "Get", "{url}/x"),
        "GET /x",
        "option",
        proxy_options=("-Dhttps.proxyHost=127.0.0.1", "-Dhttps.proxyPort={recorder}"),
        trust_options=("-Djavax.net.ssl.trustStore={jks}",),
    ),
    Client("node", ("{kit}/node", "-e", FETCH), "GET /x", "variable", by_files=False),
    Client("node https", ("{kit}/node", "-e", NODE_HTTPS), "GET /x", "variable", by_files=False),
    Client(
        "node --use-system-ca",
        ("{kit}/node", "--use-system-ca", "-e", FETCH),
        "GET /x",
        "variable",
        unset=("NODE_EXTRA_CA_CERTS",),
    ),
    Client("node of the host", ("/usr/bin/node", "-e", FETCH), "GET /x", "none", by_files=False),
    Client(
        "deno",
        ("{kit}/deno", "eval", DENO_FETCH),
        "GET /x",
        "variable",
        by_files=False,
        env={"DENO_NO_UPDATE_CHECK": "1"},
    ),
    Client(
        "pip",
        (
            "/usr/bin/python3", "-m", "pip", "download", "--no-cache-dir", "--disable-pip-version-check",
            "--retries", "0", "--index-url", "{url}/simple", "nothing",
        ),
        "GET /simple/nothing/",
        "variable",
        env={"PYTHONPATH": "{kit}"},
        succeeds=False,
    ),
    Client(
        "git",
        ("/usr/bin/git", "ls-remote", "{url}/x.git"),
        "GET /x.git/info/refs?service=git-upload-pack",
        "variable",
        trust_env={"GIT_SSL_CAPATH": "{kit}/nothing"},
        succeeds=False,
    ),
    Client("python urllib", ("/usr/bin/python3", "-c", URLLIB), "GET /x", "variable"),
    Client(
        "python requests",
        ("/usr/bin/python3", "-c", REQUESTS),
        "GET /x",
        "variable",
        env={"PYTHONPATH": "{kit}"},
    ),
    Client(
        "python httpx",
        ("/usr/bin/python3", "-c", HTTPX),
        "GET /x",
        "variable",
        by_files=False,
        env={"PYTHONPATH": "{kit}/site"},
    ),
    Client(
        "npm",
        ("/usr/bin/npm", "view", "--registry", "{url}/", "nothing"),
        "GET /nothing",
        "variable",
        by_files=False,
        env=NPM,
        succeeds=False,
    ),
    Client(
        "pnpm",
        ("{kit}/node", "{kit}/pnpm/bin/pnpm.cjs", "view", "--registry", "{url}/", "nothing"),
        "GET /nothing",
        "variable",
        by_files=False,
        env=NPM,
        succeeds=False,
    ),
    Client(
        "maven",
        (
            "/usr/bin/mvn", "-B", "-f", "{kit}/pom.xml", TRUST, "-Durl={url}", "-Dmaven.repo.local={home}/{path}",
            "org.example:nothing:1:x",
        ),
        "GET /org/example/nothing/1/nothing-1.pom",
        "none",
        trust_options=("-Djavax.net.ssl.trustStore={jks}",),
        succeeds=False,
    ),
)  # fmt: skip
