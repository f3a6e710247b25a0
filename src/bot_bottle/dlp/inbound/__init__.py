"""What comes in: text that gives an agent orders is found, what hides it is taken out, secrets are covered.

A signal, never the boundary: who steers an agent is still held by what its bottle lets it do.

Words: a *trigger* is a cheap sign in the bytes as they come; around it a *passage* is cut out and *read* in several
ways (decoded, folded, as a human does not see it); a *row* is a wording that is looked for in those readings. What
only a concealed reading says is a block, what anybody can read is a warning.

Pure: no I/O, no HTTP, imports ``base`` and ``dlp`` only. Nothing here costs more than linear time in its input.
"""
