"""What stands for a policy in mitmproxy: one host, some paths and methods, and a credential put in."""

import os

from mitmproxy import http


def request(flow: http.HTTPFlow) -> None:
    path = flow.request.path.partition("?")[0]
    inside = path == "/v1" or path.startswith("/v1/")
    if flow.request.host == os.environ["BENCH_HOST"] and inside and flow.request.method in ("GET", "POST"):
        flow.request.headers["authorization"] = "Bearer " + os.environ["BENCH_TOKEN"]
    else:
        flow.response = http.Response.make(403, b"blocked")
