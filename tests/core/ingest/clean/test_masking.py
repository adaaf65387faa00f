"""Labels of users, masked."""

from __future__ import annotations

import numpy as np
import pytest

from core.ingest.clean.masking import mask_labels, outline
from tests.core.ingest.clean.audience import found


def test_labels_of_one_user_each_are_masked() -> None:
    labels = ["google / organic", *(f"letter-to-{chr(97 + n)}" for n in range(20))]
    masked = mask_labels("source", labels, np.array([500, *[1] * 20]), found())
    assert masked == ["google / organic", *["{…}"] * 20]


def test_rare_sources_stay() -> None:
    labels = ["google", "a.example", "b.example", "jane@x.com"]
    assert mask_labels("source", labels, np.array([500, 1, 1, 1]), found())[1:] == [
        "a.example",
        "b.example",
        "{email}",
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("2021-13-45 25:61", "2021-13-45 25:61"),
        ("soon", "s…"),
        ("https://x.example/Jo Smith?id=1234567", "h…://x.e…/J… S…?i…=1…"),
        ("jane@x.com", "{email}"),
        ("Hola Juan 612 345 678", "H… J… 6…"),
        ("612-345-678", "6…"),
        ("0x5f", "0x5f"),
        ("1605951606059719", "1605951606059719"),
        ("1.6e15", "1.6e15"),
    ],
)
def test_of_a_value_that_could_not_be_read_the_outline_is_shown(value: str, shown: str) -> None:
    assert outline(value) == shown
