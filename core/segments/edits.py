"""Changes that an analyst made to segments by hand, as data: to be stored, shown, and applied again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from core.base.settings import Settings
from core.base.wording import pluralise


class Merge(Settings):
    """Several segments merged into a single one."""

    kind: Literal["merge"] = "merge"
    segments: tuple[int, ...]
    kept: int
    """Id of the merged segment: that of the largest."""
    users: int

    @property
    def text(self) -> str:
        """The change in words: ``Merged 2 and 5 into 2: 812 users``."""
        return (
            f"Merged {segment_numbers(self.segments)} into {self.kept + 1}: {pluralise(self.users, 'user')}"
        )


class Split(Settings):
    """A segment split into several parts."""

    kind: Literal["split"] = "split"
    segment: int
    parts: tuple[int, ...]
    """Ids of the parts, largest first, which keeps the id of the segment."""
    users: int

    @property
    def text(self) -> str:
        """The change in words: ``Split 3 into 3 and 7: 411 users``."""
        return f"Split {self.segment + 1} into {segment_numbers(self.parts)}: {pluralise(self.users, 'user')}"


class SetAside(Settings):
    """Segments set aside, whose users are in none since."""

    kind: Literal["set_aside"] = "set_aside"
    segments: tuple[int, ...]
    users: int

    @property
    def text(self) -> str:
        """The change in words: ``Set aside 4: 93 users``."""
        return f"Set aside {segment_numbers(self.segments)}: {pluralise(self.users, 'user')}"


class Gather(Settings):
    """A segment made of chosen users, who left their segments."""

    kind: Literal["gather"] = "gather"
    made: int
    why: str
    """How the users were chosen: a rule, or a place on the map."""
    users: int
    aside: bool = False
    """Whether the chosen users were set aside before; otherwise users set aside do not join."""

    @property
    def text(self) -> str:
        """The change in words: ``Made 8 of 93 users: drawn on the map``."""
        why = f": {self.why}" if self.why else ""
        return f"Made {self.made + 1} of {pluralise(self.users, 'user')}{why}"


class Regroup(Settings):
    """Segments replaced by the levels of a facet."""

    kind: Literal["regroup"] = "regroup"
    parts: tuple[int, ...]
    """Ids of the new segments, in the order of the levels."""
    why: str
    """Question that the facet asks."""
    users: int

    @property
    def text(self) -> str:
        """The change in words: ``Regrouped 811 users by a facet, How often they come: 9, 10 and 11``."""
        return (
            f"Regrouped {pluralise(self.users, 'user')} by a facet, {self.why}: {segment_numbers(self.parts)}"
        )


Edit: TypeAlias = Annotated[Merge | Split | SetAside | Gather | Regroup, Field(discriminator="kind")]


def made_segments(edits: Sequence[Edit]) -> set[int]:
    """Ids of segments made by hand, some of which no longer exist."""
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


def chosen_segments(edits: Sequence[Edit]) -> set[int]:
    """Ids of segments of chosen users or of a facet, also split or merged since: clustering leads to none."""
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


def segment_numbers(segments: Sequence[int]) -> str:
    """Write segment ids (from 0) as they are numbered on screen (from 1): ``2, 3 and 5``."""
    told = [str(segment + 1) for segment in segments]
    return " and ".join(part for part in (", ".join(told[:-1]), told[-1]) if part)
