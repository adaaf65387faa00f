"""``python -m core …``."""

from core.cli.cli import main

if __name__ == "__main__":
    main()
