"""What several tests of ``core`` share."""

from tests.smollm import smollm

__all__ = ["smollm"]
