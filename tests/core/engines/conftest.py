"""The emulator, for whoever asks for it."""

from tests.bigquery_emulator import emulator as emulator
