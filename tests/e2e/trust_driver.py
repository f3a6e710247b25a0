"""Runs clients one after another and tells what each did; the same file inside a bottle and outside.

``python3 trust_driver.py SPEC``: SPEC is JSON, a list of runs ``{key, argv, env, unset, given}``; a
list of ``{key, status, said, asked, met}`` goes to standard output. Inside it listens on two ports of loopback:

* a relay to the proxy, which notes the first line of each connection (*asked*): so it shows whether a client
  took the proxy that the variables name, or went its own way and was carried;
* a stranger: a TLS server under a CA that nobody knows, which notes the first line of each request (*met*).

Standard library only: a bottle has no more.
"""

import contextlib
import json
import os
import socket
import ssl
import subprocess
import sys
import threading

TIMEOUT_S = 40
SAID_CHARACTERS = 3000
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n"


class Recorder:
    """A relay on *port* to *proxy_port*, both of loopback."""

    def __init__(self, port, proxy_port):
        self.asked = []
        self._proxy_port = proxy_port
        self._listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, socket.create_connection(("127.0.0.1", self._proxy_port)) as proxy:
            first = b""
            while b"\n" not in first and (more := client.recv(65536)):
                first += more
            self.asked.append(first.split(b"\r\n")[0].decode("latin-1"))
            proxy.sendall(first)
            back = threading.Thread(target=self._copy, args=(proxy, client), daemon=True)
            back.start()
            self._copy(client, proxy)
            back.join()

    @staticmethod
    def _copy(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)


class Stranger:
    """A TLS server on *port* with the chain and key of *file*."""

    def __init__(self, port, file):
        self.met = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(file)
        self._listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            plain, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain):
        with (
            contextlib.suppress(OSError),
            plain,
            self._context.wrap_socket(plain, server_side=True) as client,
        ):
            first = b""
            while b"\r\n\r\n" not in first and (more := client.recv(65536)):
                first += more
            if first:
                self.met.append(first.split(b"\r\n")[0].decode("latin-1"))
            client.sendall(ANSWER)


def run(task):
    """(status, what it said). Input stays open until the end: some clients hang up when theirs ends."""
    env = {name: value for name, value in os.environ.items() if name not in task["unset"]} | task["env"]
    os.makedirs(env["HOME"], exist_ok=True)
    with subprocess.Popen(
        task["argv"],
        env=env,
        cwd=env["HOME"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        late = threading.Timer(TIMEOUT_S, process.kill)
        late.start()
        if task["given"]:
            with contextlib.suppress(OSError):
                process.stdin.write(task["given"].encode())
                process.stdin.flush()
        else:
            process.stdin.close()
        said = process.stdout.read()
        status = process.wait()
        late.cancel()
        with contextlib.suppress(OSError):
            process.stdin.close()
    return status, said.decode("utf-8", "replace")[-SAID_CHARACTERS:]


def main(path):
    with open(path, encoding="utf-8") as file:
        spec = json.load(file)
    asked, met = [], []
    if spec["inside"]:  # the ports of a host are not ours
        asked = Recorder(spec["recorder_port"], spec["proxy_port"]).asked
        met = Stranger(spec["stranger_port"], spec["stranger"]).met
    results = []
    for task in spec["runs"]:
        asked.clear()
        met.clear()
        status, said = run(task)
        results.append(
            {"key": task["key"], "status": status, "said": said, "asked": list(asked), "met": list(met)}
        )
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
