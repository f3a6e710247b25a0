"""The C library's heap, kept from growing with what passes through the proxy.

glibc raises the size from which it maps memory by itself to that of the largest block that was freed (mallopt(3),
``M_MMAP_THRESHOLD``). From then on windows of decoders and blocks of text lie in the heap between what lives long, and
what is freed there is not given back: a body of 2 GB of noise left 400 MB. A bound that is set stays.
"""

from __future__ import annotations

import ctypes

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
