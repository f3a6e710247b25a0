"""A text read another way: what is encoded, compressed or escaped in it, decoded and with its place.

``find.find_views(text, budget, depth, carry, fresh, last)`` gives the :class:`view.View` of one layer; each
gives those of the next by :meth:`view.View.views`. What a candidate holds that could not be looked at is a
:class:`view.Undecoded`, never silence.

Words: a *trigger* is a cheap native search that says where to look; a *candidate* is a place in a text that may be
encoded; a *run* is a stretch of base64 or hex characters, over line breaks; *packed* data is compressed data; the
*overlap* is the beginning of a text that was the end of the block before, what follows it is *fresh*.

The caller's side of a stream::

    carry, budget = Carry(), Budget()
    for each block of the stream, with overlap:
        for item in find_views(block, budget, carry=carry, fresh=size of the overlap, last=nothing follows):
            judge(item.data); walk(item.views())      # before the next item is taken, at most once

A candidate that touches the end of a block goes on in the next by ``carry``: its next view begins with the decoded
overlap (``View.fresh`` bytes), and what was found inside goes on inside, since each open candidate holds the carry
of its own data. A whole text is a stream of one block; then ``carry``, ``fresh`` and ``last`` need not be given.

What needs no state has none: base64, hex and escapes of *text* show themselves anywhere (the top bit of each byte
is clear, which a pattern sees at every alignment), so after a border they are found again by their shape.

Left out, since nothing cheap tells them from ordinary text: token patterns in base58, in base85 without its marks,
in base64 wrapped to lines under 32 characters, in base32 in small letters, and in raw deflate or brotli that does
not begin its text. Known secrets are found in those forms without any view (``dlp.known``).
"""
