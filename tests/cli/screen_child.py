"""A process with a screen on its controlling terminal, for ``test_shown``: ``python screen_child.py KIND``.

Prints what came out, and whether the process is as it was before.
"""

from __future__ import annotations

import os
import signal
import sys
import termios

from bot_bottle.cli.errors import Exit
from bot_bottle.cli.screens.frame import Line, Size
from bot_bottle.cli.screens.shown import show
from bot_bottle.cli.screens.single import SinglePicker


class Broken(SinglePicker):
    """Fails when a key is pressed."""

    def press(self, key: str, character: str | None) -> None:
        raise RuntimeError("a bug in a model")


class Undrawable(SinglePicker):
    def view(self, size: Size) -> list[Line]:
        raise RuntimeError("a bug in a view")


KINDS = {"plain": SinglePicker, "broken": Broken, "undrawable": Undrawable}
NUMBERS = (signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH, signal.SIGINT)


def state(terminal: int) -> object:
    return termios.tcgetattr(terminal), [signal.getsignal(number) for number in NUMBERS]


def main() -> None:
    terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    before = state(terminal)
    model = KINDS[sys.argv[1]]("Select agent", ["one", "two", "[red]three"])
    try:
        end = f"shown={show(model, terminal)} result={model.result}"
    except Exit as error:
        end = f"exit={error.status}"
    except RuntimeError as error:
        end = f"raised={error}"
    print(f"{end} restored={state(terminal) == before}", flush=True)


if __name__ == "__main__":
    main()
