"""What may not leave, and what may not come in unseen: bytes in, findings out.

Words: a *rule* is the shape of one vendor's credential; a *known secret* is a value that this bottle's sidecar
or environment holds; a *view* is a text read another way (decoded, normalised); a *hit* is a place in one text,
a *finding* a hit judged and named in the text that was asked about.

Used by the proxy (streams), the git gate and the logs (strings), and `bot-bottle scan`. It knows nothing of HTTP
or of a proxy, does no input or output, and never lets a matched value into a message.
"""
