"""The two system calls that Python 3.11's ``os`` lacks, without the cost of importing ctypes whole."""

from __future__ import annotations

_PR_SET_DUMPABLE = 4
_CLONE_NEWUSER = 0x10000000


def _call(name: str, *arguments: int) -> tuple[int, int]:
    """Result and errno of a C function of integers. ``_ctypes`` alone loads in half a millisecond, all of
    ``ctypes`` in three."""
    import _ctypes  # the only module that can be missing: a build without libffi gets no bottle

    _ctypes.set_errno(0)
    program = _ctypes.dlopen(None, 0)  # type: ignore[arg-type]
    function = _ctypes.dlsym(program, name)
    result = _ctypes.call_function(function, arguments)
    return result, _ctypes.get_errno()


def hide() -> None:
    """Not dumpable: nobody of the same uid can trace us, read our memory or open our descriptors."""
    result, _ = _call("prctl", _PR_SET_DUMPABLE, 0, 0, 0, 0)
    if result != 0:
        raise OSError("prctl(PR_SET_DUMPABLE) failed")


def unshare_user_errno() -> int:
    """Try to make a user namespace: 0 when that worked, else errno."""
    result, _ = _call("unshare", _CLONE_NEWUSER)
    return 0 if result == 0 else 1
