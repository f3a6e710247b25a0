"""What may be asked of the operator, and what an answer is: types, limits, states, the files' names. Pure.

Words: a *proposal* is one question, with an id; a *response* is its answer; a *claim* is one operator session's
right to answer it; a *lease* says that such a session is there at all. Where the files lie and who writes which
is in ``files``. Nothing here reads a file, a clock or a policy.
"""
