"""May this request leave, and with what. Pure: no I/O, no asyncio, no SQL, no proxy."""
