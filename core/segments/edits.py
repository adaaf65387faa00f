"""What an analyst changed in segments by hand: each change as data, to be kept, told, and done again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from core.base.settings import Settings
from core.base.wording import counted


class Merge(Settings):
    """Segments that became one."""

    kind: Literal["merge"] = "merge"
    segments: tuple[int, ...]
    kept: int
    """The id that it goes on with: that of the largest."""
    users: int

    @property
    def text(self) -> str:
        """``Merged 2 and 5 into 2: 812 users``."""
        return f"Merged {numbers(self.segments)} into {self.kept + 1}: {counted(self.users, 'user')}"


class Split(Settings):
    """A segment that was cut into parts."""

    kind: Literal["split"] = "split"
    segment: int
    parts: tuple[int, ...]
    """Their ids, the largest first: it keeps that of the segment."""
    users: int

    @property
    def text(self) -> str:
        """``Split 3 into 3 and 7: 411 users``."""
        return f"Split {self.segment + 1} into {numbers(self.parts)}: {counted(self.users, 'user')}"


class SetAside(Settings):
    """Segments whose users are in none since."""

    kind: Literal["set_aside"] = "set_aside"
    segments: tuple[int, ...]
    users: int

    @property
    def text(self) -> str:
        """``Set aside 4: 93 users``."""
        return f"Set aside {numbers(self.segments)}: {counted(self.users, 'user')}"


class Gather(Settings):
    """A segment of chosen users, who left theirs."""

    kind: Literal["gather"] = "gather"
    made: int
    why: str
    """How they were chosen: a rule, or a place on the map."""
    users: int
    aside: bool = False
    """Whether they were set aside before: of others, who was set aside stays so."""

    @property
    def text(self) -> str:
        """``Made 8 of 93 users: drawn on the map``."""
        why = f": {self.why}" if self.why else ""
        return f"Made {self.made + 1} of {counted(self.users, 'user')}{why}"


class Regroup(Settings):
    """Segments that are the levels of a facet, in place of all others."""

    kind: Literal["regroup"] = "regroup"
    parts: tuple[int, ...]
    """Their ids, in the order of the levels."""
    why: str
    """What the facet asks."""
    users: int

    @property
    def text(self) -> str:
        """``Regrouped 811 users by a facet, How often they come: 9, 10 and 11``."""
        return f"Regrouped {counted(self.users, 'user')} by a facet, {self.why}: {numbers(self.parts)}"


Edit: TypeAlias = Annotated[Merge | Split | SetAside | Gather | Regroup, Field(discriminator="kind")]


def made(edits: Sequence[Edit]) -> set[int]:
    """Segments that are what they are by hand, some of them no longer there."""
    found: set[int] = set()
    for edit in edits:
        match edit:
            case Merge():
                found.add(edit.kept)
            case Split() | Regroup():
                found.update(edit.parts)
            case Gather():
                found.add(edit.made)
    return found


def chosen(edits: Sequence[Edit]) -> set[int]:
    """Segments with chosen users, also by a split or merge: nothing led to them that could do so again."""
    found: set[int] = set()
    for edit in edits:
        match edit:
            case Gather():
                found.add(edit.made)
            case Regroup():
                found.update(edit.parts)
            case Split() if edit.segment in found:
                found.update(edit.parts)
            case Merge() if found.intersection(edit.segments):
                found.add(edit.kept)
    return found


def numbers(segments: Sequence[int]) -> str:
    """Segments as they are numbered on screen: ``2, 3 and 5``."""
    told = [str(segment + 1) for segment in segments]
    return " and ".join(part for part in (", ".join(told[:-1]), told[-1]) if part)
