"""Whether gitleaks has read the whole of its ``git log``. It does not say so itself.

Measured (8.26): when the git that it starts is killed, or its output ends early, gitleaks reports what it has seen and
ends with status 0; a part of the output that its parser can't read ends the scan in the same silence. So the git that
it finds is a wrapper of ours: after a ``log`` that has ended well it prints one more commit, which holds a mark that
nobody can guess, and a rule of ours finds that mark. A report without it is of something unfinished.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

BIN = "/gate-bin"
"""first in gitleaks' PATH, in its sandbox alone"""
_GIT, _LAST, _CONFIG = f"{BIN}/git", "/gate-last-commit", "/gitleaks.toml"
_RULE = "gate-end-of-log"
_COMMIT, _FILE = "f" * 40, "gate-end"

_WRAPPER = f"""\
#!/bin/sh
/usr/bin/git "$@" || {{ echo 'git failed' >&2; exit 1; }}
for word do
\tcase $word in log) exec /usr/bin/cat {_LAST} ;; esac
done
"""


class Unfinished(Exception):
    """Not all was read."""


def _mark() -> str:
    return f"gate-end-{secrets.token_hex(16)}"


@dataclass(frozen=True)
class LogEnd:
    """The mark of one run."""

    mark: str = field(default_factory=_mark)

    def files(self, config: bytes) -> Mapping[str, bytes]:
        """The sandbox's files: the wrapper, what it adds, and *config* with the rule."""
        return {_GIT: _WRAPPER.encode(), _LAST: self.commit(), _CONFIG: config + self.rule()}

    def commit(self) -> bytes:
        """As ``git log -p -U0`` shows it."""
        head = f"commit {_COMMIT}\nAuthor: gate <gate@invalid>\nDate:   Thu Jan 1 00:00:00 1970 +0000"
        file = "diff --git a/gate-end b/gate-end\nnew file mode 100644\nindex 0000000..1111111"
        change = f"--- /dev/null\n+++ b/gate-end\n@@ -0,0 +1 @@\n+{self.mark}"
        return f"\n{head}\n\n    end\n\n{file}\n{change}\n".encode()

    def rule(self) -> bytes:
        """At the end of a configuration file."""
        return f"\n[[rules]]\nid = \"{_RULE}\"\nregex = '''{self.mark}'''\nkeywords = [\"{self.mark}\"]\n".encode()

    def read(self, report: bytes, *, of_file: bool = False) -> bytes:
        """*report* without the mark's finding. *of_file*: it is of standard input, which the mark ended.

        Raises :class:`Unfinished`: it is not there.
        """
        try:
            entries = msgspec.json.decode(report, type=list[dict[str, msgspec.Raw]])
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise Unfinished from error
        place = ("", "") if of_file else (_COMMIT, _FILE)
        left = [entry for entry in entries if not _is_end(entry, *place)]
        if len(left) != len(entries) - 1:
            raise Unfinished
        return msgspec.json.encode(left)


def _is_end(entry: Mapping[str, msgspec.Raw], commit: str, file: str) -> bool:
    return all(
        bytes(entry.get(key, msgspec.Raw())) == f'"{value}"'.encode()
        for key, value in (("RuleID", _RULE), ("Commit", commit), ("File", file))
    )
