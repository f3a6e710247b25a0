"""Runs in a bottle, and once more outside of it: plays each row of a table and says what came back.

Rows come on standard input as JSON, results go to standard output. Outside (the argument ``outside``) a
careless proxy stands where the bottle's own does: it reads names as C programs do, and connects to all.
"""

import json
import os
import re
import socket
import ssl
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote

PROXY = ("127.0.0.1", 9099)
OUTSIDE = "outside" in sys.argv
EVIL = "93.184.216.66"
WAIT_S = 1.0 if OUTSIDE else 15.0
UNCHECKED = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
UNCHECKED.check_hostname = False
UNCHECKED.verify_mode = ssl.CERT_NONE


class Tls:
    """A client's end over a socket, so that its records can be cut up on the way."""

    def __init__(self, sock, sni, *, context=UNCHECKED, record=0, segment=0):
        self.sock, self.record, self.segment = sock, record, segment
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self.incoming, self.outgoing, server_hostname=sni)
        self._do(self.object.do_handshake)
        self.record = self.segment = 0

    def _flush(self):
        data = self.outgoing.read()
        if data and self.record:
            data = in_records(data, self.record)
        for at in range(0, len(data), self.segment or len(data) or 1):
            self.sock.sendall(data[at : at + (self.segment or len(data))])

    def _do(self, work, *args):
        while True:
            try:
                done = work(*args)
                self._flush()
                return done
            except ssl.SSLWantReadError:
                self._flush()
                data = self.sock.recv(65536)
                if not data:
                    raise ConnectionError("closed") from None
                self.incoming.write(data)

    def sendall(self, data):
        self._do(self.object.write, data)

    def recv(self, size):
        try:
            return self._do(self.object.read, size)
        except (ssl.SSLZeroReturnError, ConnectionError):
            return b""

    def close(self):
        self.sock.close()


def in_records(data, size):
    """The same handshake bytes in records of *size* (RFC 8446 section 5.1)."""
    out, at = b"", 0
    while at < len(data):
        kind, length = data[at : at + 3], int.from_bytes(data[at + 3 : at + 5], "big")
        body = data[at + 5 : at + 5 + length]
        step = size if kind[0] == 0x16 else len(body)
        for begin in range(0, len(body), step):
            piece = body[begin : begin + step]
            out += kind + len(piece).to_bytes(2, "big") + piece
        at += 5 + length
    return out


def read_head(sock):
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(1)
        if not more:
            break
        data += more
    return data


def read_all(sock, result):
    """Until the end; outside only until something has come: nobody there closes for us."""
    data = b""
    try:
        while True:
            more = sock.recv(65536)
            if not more:
                result["end"] = "closed"
                break
            data += more
            if OUTSIDE:
                break
    except TimeoutError:
        result["end"] = "open"
    except OSError:
        result["end"] = "closed"
    result["answers"] += [int(code) for code in re.findall(rb"HTTP/1\.1 (\d\d\d)", data)]
    result["text"] = (result["text"] + data.decode("latin-1"))[:4000]
    return data


def bytes_of(text):
    return text.encode("latin-1")


def ask(row, result):
    """One datagram; what is no query gets no answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.3)
        sock.sendto(bytes_of(row["send"][0]), tuple(row["dial"]))
        result["end"] = "closed"
        result["text"] = sock.recv(4096).decode("latin-1")
    return result


def play(row):
    result = {"connected": 0, "answers": [], "text": "", "end": "", "error": ""}
    sock = None
    try:
        if row.get("datagram"):
            return ask(row, result)
        sock = socket.create_connection(tuple(row.get("dial") or PROXY), 10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(WAIT_S)
        if row.get("connect"):
            sock.sendall(bytes_of(row["connect"]))
            head = read_head(sock)
            result["connected"] = int(head[9:12] or b"0")
            if result["connected"] != 200:
                result["text"] = (head + sock.recv(4096)).decode("latin-1")
                return result
        if row.get("plain"):
            sock.sendall(bytes_of(row["plain"]))
        for layer in row.get("tls", ()):
            if isinstance(sock, Tls):
                raise ValueError("one layer of TLS alone")
            name = None if layer["sni"] is None else bytes_of(layer["sni"])
            sock = Tls(sock, name, record=layer.get("record", 0), segment=layer.get("segment", 0))
            result["tls"] = True
        for number, piece in enumerate(row.get("send", ())):
            if number and row.get("turns") and not OUTSIDE:
                result["text"] += (got := sock.recv(65536)).decode("latin-1")
                result["answers"] += [int(code) for code in re.findall(rb"HTTP/1\.1 (\d\d\d)", got)]
            sock.sendall(bytes_of(piece))
        if row.get("ends") and not OUTSIDE:
            sock.shutdown(socket.SHUT_WR)
        read_all(sock, result)
    except (OSError, ValueError, UnicodeError) as error:
        result["error"] = type(error).__name__
        result["end"] = result["end"] or "closed"
    finally:
        if sock is not None:
            sock.close()
    return result


# -- the careless proxy


def careless_name(text):
    """Host and port as many programs would understand them."""
    text = unquote(text.partition("\0")[0].rpartition("@")[2]).partition("\0")[0]
    text = text.encode("latin-1", "ignore").decode("utf-8", "ignore")
    text = text.replace("\u3002", ".").replace("\uff0e", ".").strip()
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, rest.lstrip(":")
    host, _, port = text.partition(":")
    return re.split(r"[^0-9A-Za-z.-]", host)[0], port


def careless_dial(text, default):
    host, port = careless_name(text)
    port = (int(port) if port.isdigit() else 0) or default
    try:
        return socket.create_connection((host, port), 5)
    except (OSError, UnicodeError):
        return socket.create_connection((EVIL, port), 5)


def splice(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve(client):
    try:
        client.settimeout(5)
        data = b""
        while not re.search(rb"\r?\n\r?\n", data):
            more = client.recv(65536)
            if not more:
                break
            data += more
        lines = data.decode("latin-1").splitlines()
        words = [*lines[0].split(), "", ""][:2]
        if words[0].upper() == "CONNECT":
            upstream = careless_dial(words[1], 443)
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            upstream.sendall(re.split(rb"\r?\n\r?\n", data, maxsplit=1)[1])
        else:
            host = next((line[5:] for line in lines if line[:5].lower() == "host:"), EVIL)
            if "://" in words[1]:
                host = re.split(r"[/?#\\]", words[1].partition("://")[2])[0]
            upstream = careless_dial(host, 80)
            upstream.sendall(data)
        threading.Thread(target=splice, args=(client, upstream), daemon=True).start()
        splice(upstream, client)
    except (OSError, IndexError, ValueError):
        pass
    finally:
        client.close()


def careless_proxy():
    listener = socket.create_server(PROXY, backlog=512)

    def accept():
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def main():
    if OUTSIDE:
        careless_proxy()
    rows = json.load(sys.stdin)
    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(play, rows))
    print(json.dumps(results), flush=True)
    os._exit(0)


main()
