"""What the git gate knows without touching anything: its settings, its rules, how objects are read, what is decided.

Words: an *upstream* is a repository elsewhere; a *mirror* is the gate's bare copy of it; a *push* is what one
``git push`` sends, a *ref update* is one line of it; the *quarantine* holds its objects until it is decided; a
*finding* is a place in it that must not leave. Nothing here runs a process, opens a file or a socket, or waits.
"""
