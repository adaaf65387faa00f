"""Levels that were not measured, for tests of what reads them."""

from __future__ import annotations

from core.segments.levels import AspectStructure, SegmentLevel, SegmentLevels, Structure
from core.segments.visit_tokens import Aspect


def supported(*ks: int) -> SegmentLevels:
    """Levels of these numbers of segments; a gradient without any."""
    return SegmentLevels(
        users=73,
        verdict=Structure.SEGMENTS if ks else Structure.GRADIENT,
        levels=tuple(
            SegmentLevel(k=k, error_rate=0.001, agreement=0.9, shares=tuple([1 / k] * k)) for k in sorted(ks)
        ),
        described_k=max(ks, default=2),
        aspects={
            Aspect.PAGES: AspectStructure(verdict=Structure.SEGMENTS, k=3),
            Aspect.TEMPO: AspectStructure(verdict=Structure.GRADIENT),
            Aspect.ACTIVITY: AspectStructure(verdict=Structure.NONE),
        },
        gains=(0.0, 0.4, 0.9, 1.1, *[1.0] * max(1, max(ks, default=0) - 4)),
        gradient_gain=0.5 if ks else 1.2,
    )


TOO_FEW = SegmentLevels(users=10, verdict=Structure.NONE)
