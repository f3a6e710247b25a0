"""What a bottle finds in ``/etc`` and as the skeleton of ``/``: generated, nothing of the host's accounts.

The host's own ``/etc`` tells users, names and addresses; none of it is needed inside (ruling 6).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from bot_bottle.store.files import read_small

HOST_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # openSUSE
)
MAX_BUNDLE_BYTES = 8 * 1024 * 1024
"""Mozilla's roots are some 220 KiB."""

SKELETON_DIRECTORIES: Mapping[str, int] = {
    "dev": 0o755, "etc": 0o755, "home": 0o755, "home/node": 0o755, "home/node/workspace": 0o755,
    "mnt": 0o755, "opt": 0o755, "proc": 0o755, "root": 0o700, "run": 0o755, "run/bot-bottle": 0o755,
    "srv": 0o755, "sys": 0o755, "tmp": 0o1777, "usr": 0o755, "var": 0o755, "var/cache": 0o755,
    "var/lib": 0o755, "var/log": 0o755, "var/tmp": 0o1777,
}  # fmt: skip
"""Directory (parents first) to mode."""

USR_LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
"""With a merged ``/usr`` (all current distributions) ``/bin`` is a link to ``usr/bin``."""


def etc_files(identity: str) -> dict[str, str]:
    """File name to text. User ``node`` is uid 1000, which is who everything inside runs as."""
    shell = "/bin/bash" if os.path.exists("/usr/bin/bash") or os.path.exists("/bin/bash") else "/bin/sh"
    return {
        "passwd": (
            f"root:x:0:0:root:/root:{shell}\n"
            f"node:x:1000:1000:node:/home/node:{shell}\n"
            "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
        ),
        "group": "root:x:0:\ntty:x:5:\nnode:x:1000:\nnogroup:x:65534:\n",
        "hosts": f"127.0.0.1 localhost bottle {identity}\n::1 localhost ip6-localhost ip6-loopback\n",
        "hostname": "bottle\n",
        # the shim's resolver, which answers every name with a stand-in and asks nobody
        "resolv.conf": "nameserver 127.0.0.1\noptions attempts:1 timeout:3\n",
        "nsswitch.conf": (
            "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"
            "networks: files\nprotocols: files\nservices: files\nrpc: files\nethers: files\n"
        ),
        "shells": "/bin/sh\n/bin/bash\n",
    }


def host_roots() -> str:
    """The host's trusted roots as PEM; empty where no known bundle is there."""
    for name in HOST_BUNDLES:
        # the bundle may be a link of the distribution's own
        content = read_small(Path(os.path.realpath(name)), MAX_BUNDLE_BYTES)
        if content:
            return content.decode("utf-8", "replace")
    return ""
