import pytest

from core.ingest.clean.randomness import looks_random


@pytest.mark.parametrize("text", ["k3j9x2m1pq7a", "0f8fad5b-d9cb-469f-a165-70867728950e", "a1b2c3d4e5f60718"])
def test_keys_are_random(text: str) -> None:
    assert looks_random(text)


@pytest.mark.parametrize(
    "text", ["garden-gnome-2025", "iphone15promax256gb", "levis-501-w32-l34", "20250131120000"]
)
def test_words_with_numbers_are_not(text: str) -> None:
    assert not looks_random(text)
