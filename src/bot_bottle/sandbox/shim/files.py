"""Files written for the host: here, as the bottle's own user, so that a link in a hostile home leads
nowhere that the bottle could not have gone itself. The name is replaced, never what it points to."""

from __future__ import annotations

import os


def write(path: bytes, mode: int, content: bytes) -> None:
    """Put *content* at the absolute *path*, making directories (0755) on the way; raises OSError."""
    directory, name = os.path.split(path)
    if not path.startswith(b"/") or not name:
        raise OSError(22, "the path of a file must be absolute")
    os.makedirs(directory, exist_ok=True)
    temporary = directory + b"/." + name[:200] + b"." + os.urandom(6).hex().encode()
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(fd, view) :]
            os.fchmod(fd, mode & 0o7777)
        finally:
            os.close(fd)
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
