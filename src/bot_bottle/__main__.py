"""``python -m bot_bottle`` is the console script ``bot-bottle``."""

from bot_bottle.cli.main import main

if __name__ == "__main__":
    main()
