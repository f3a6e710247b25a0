"""The gate: beside a bottle, the one process that its git talks to (ruling 42).

*upstream*: a repository that the manifest names; *mirror*: a bare copy of it, of what upstream gave and nothing else;
*quarantine*: where a push lies until it is judged. git does the git work, always in a sandbox (``confined``); the key
of an upstream meets two commands only. What decides is in ``bot_bottle.gitgate``, without input or output.
"""
