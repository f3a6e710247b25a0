"""Full-screen questions of ``start``: which agent, which bottles, what name and colour.

A *model* (``single``, ``multi``, ``naming``) is a state machine without a terminal: keys in, lines out, a
result at the end. ``shown`` runs one on ``/dev/tty`` with Textual, which is imported there alone and only when
a screen is shown. Nothing here reads a manifest or decides what is done with an answer; text that comes from
files or from a person goes through ``base.text.printable`` and is never taken for markup.
"""
