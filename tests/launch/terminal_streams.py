"""What programs write to terminals, made up: for property tests that compare us with an emulator."""

from __future__ import annotations

from hypothesis import strategies as st

ROWS, COLUMNS = 6, 12

_small = st.integers(0, 14)
_words = st.text(st.sampled_from("abz 漢é🙂"), min_size=1, max_size=15)


def _csi(finals: str) -> st.SearchStrategy[str]:
    """One optional parameter."""
    return st.builds(
        lambda n, f: f"\x1b[{'' if n is None else n}{f}", st.none() | _small, st.sampled_from(finals)
    )


moves = st.one_of(
    _csi("ABCDGd"),
    st.builds(lambda r, c: f"\x1b[{r};{c}H", _small, _small),
    st.sampled_from(["\r", "\n", "\b", "\t", "\x1bM", "\x1bD", "\x1bE", "\x1b7", "\x1b8"]),
)
draws = st.one_of(
    _words,
    st.sampled_from(["\x1b[K", "\x1b[1K", "\x1b[2K", "\x1b[J", "\x1b[1J", "\x1b[2J"]),
    _csi("PX@"),
    _csi("LM").map(lambda sequence: f"{sequence}\r"),  # whether the column stays, terminals don't agree on
    st.builds(
        lambda n: f"\x1b[{n}m", st.sampled_from(["", "0", "1", "7", "31", "44", "38;5;8", "38;2;1;2;3"])
    ),
)
margins = st.just("\x1b[r") | st.builds(
    lambda t, b: f"\x1b[{t};{b}r", st.integers(1, 3), st.integers(4, ROWS)
)
modes = st.sampled_from(
    ["\x1b[?25l", "\x1b[?25h", "\x1b[?7l", "\x1b[?7h"]
)  # (in origin mode terminals differ in what margins do)

streams = st.lists(st.one_of(moves, draws, margins, modes), max_size=40)
_visits = st.builds(
    lambda inside, back: ["\x1b[?1049h", "\x1b[H", *inside, *(["\x1b[?1049l"] if back else [])],
    st.lists(st.one_of(moves, draws, margins, modes), max_size=15),
    st.booleans(),
)
screens = st.builds(
    lambda before, visit, after: [*before, *visit, *(after if visit[-1:] == ["\x1b[?1049l"] else [])],
    streams,
    st.just([]) | _visits,
    streams,
).filter(lambda stream: not restores_what_a_visit_saved(stream))
"""With a visit to the alternate screen, which may last."""


def restores_what_a_visit_saved(stream: list[str]) -> bool:
    """DECRC behind a switch of screens with no DECSC since: to xterm mode 1049 saves as DECSC does (ctlseqs), to
    the emulator it saves apart, so that they don't agree on what is restored."""
    switched = False
    for piece in stream:
        if piece.startswith("\x1b[?1049"):
            switched = True
        elif piece == "\x1b7":
            switched = False
        elif piece == "\x1b8" and switched:
            return True
    return False
