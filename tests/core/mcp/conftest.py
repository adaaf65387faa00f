"""The finished run of the command line's tests."""

from tests.core.cli.conftest import every_run_is_quick, finished, shop

__all__ = ["every_run_is_quick", "finished", "shop"]
