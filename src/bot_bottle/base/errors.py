"""The root of every exception family of ours.

A family has its own subclass beside the interface that raises it (``ManifestError`` in ``manifest``,
``SandboxError`` in ``sandbox.contract``); only ``cli.errors`` turns one into an exit status.
"""


class BotBottleError(Exception):
    """Something that the person at the keyboard can mend; the message says how.

    Messages are lower case, without a final period, quote input with ``!r`` and end with the fix.
    """
