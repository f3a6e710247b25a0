"""What passes through the proxy and is over: given back, by the C library's heap and by Python's.

glibc raises the size from which it maps memory by itself to that of the largest block that was freed (mallopt(3),
``M_MMAP_THRESHOLD``). From then on windows of decoders and blocks of text lie in the heap between what lives long, and
what is freed there is not given back: a body of 2 GB of noise left 400 MB. A bound that is set stays.

Python looks for garbage when so many objects more were made than freed; each collection, also of the youngest alone,
starts that count anew. Whoever collects the youngest by the clock has to see to the older ones, too: with few
requests a second, nothing else ever would, and all that had outlived one collection and then ended in a cycle
would stay (a connection with its TLS: 30 KiB).
"""

from __future__ import annotations

import ctypes
import gc
from time import perf_counter

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
"""``malloc.h``"""

MAPPED_FROM_BYTES = 64 * 1024
"""A block that is scanned and a decoder's window are larger; what a request allocates besides is smaller."""
KEPT_BYTES = 256 * 1024
"""of free memory at the heap's end"""


def keep_heap_small() -> None:
    """For the whole process, from now on. Nothing happens where the C library has no such bounds (musl)."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return
    mallopt(_M_MMAP_THRESHOLD, MAPPED_FROM_BYTES)
    mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES)


MIDDLE_EVERY = 10
"""sweeps; as many young collections as Python itself lets go by before it looks at what survived them"""
ALL_EVERY = 100
"""sweeps: 50 seconds"""
ALL_SHARE = 0.005
"""Of the time, at most: a collection of all takes a microsecond for ten objects, and ten thousand connections have
some hundred each."""


class Garbage:
    """Cycles that nothing uses any more, collected by the clock."""

    def __init__(self) -> None:
        self._sweeps = 0
        self._not_before = 0.0

    def sweep(self, now: float) -> None:
        """Collect; *now*: the time, in seconds."""
        self._sweeps += 1
        if self._sweeps >= ALL_EVERY and now >= self._not_before:
            self._sweeps = 0
            begun = perf_counter()
            gc.collect()
            self._not_before = now + (perf_counter() - begun) / ALL_SHARE
        elif self._sweeps % MIDDLE_EVERY == 0:
            gc.collect(1)
        else:
            gc.collect(0)  # a tenth of a millisecond: decoders are few objects, and much memory
