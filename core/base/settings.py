"""Settings of every stage, one frozen model each: defaults, limits, and errors in plain words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, Self, TypeAlias, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)

from core.base.errors import SettingsError
from core.base.schema import DIMENSION_FIELDS, RESERVED_KEYS, TEMPLATE_OUTCOME, View, dimensions_in

_SIZE: Final = TypeAdapter(ByteSize)
_ITEM_CATEGORY: Final = re.compile(r"(items?(\[\])?[._](0[._])?)?item_category", re.IGNORECASE)
"""Names of the column of an item's category, in the shapes of an export."""
_SHOWN_CHARACTERS: Final = 200
"""Most characters of a rejected value in the message."""
_VALUELESS: Final = ("missing", "too_short", "too_long")
"""Kinds of pydantic errors about missing or too many values, whose message does not repeat the value."""


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def _reason(kind: str, message: str, limits: Mapping[str, Any], what: str) -> str:
    """Say what is wrong with a value, in terms of the setting and not of a Python tuple."""
    if kind == "too_short":
        fewest = limits["min_length"]
        needed = f"{what} are needed" if fewest > 1 else f"of {what} is needed"
        return f"at least {fewest} {needed}, not {limits['actual_length']}"
    if kind == "too_long":
        return f"at most {limits['max_length']} {what} are possible, not {limits['actual_length']}"
    return message.removeprefix("Value error, ")


def size_in_bytes(text: str) -> int:
    """Read ``100GB``, ``1.5 TiB`` or a number of bytes; GB is decimal and GiB binary, as by IEC 80000-13.

    Raises:
        SettingsError: If it is none of them.
    """
    whole = re.fullmatch(r"\s*[\d.]+\s*[a-zA-Z]*\s*", text)  # ByteSize reads 1,5GB as one byte
    try:
        return int(_SIZE.validate_python(text if whole else ""))
    except ValidationError as error:
        raise SettingsError(f"{text!r} is no size", allowed="a number of bytes, or such as 4GB") from error


class Settings(BaseModel):
    """Base of all settings: frozen, no unknown keys, compared and hashed by value."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    unshown: ClassVar[frozenset[str]] = frozenset()
    """Settings whose value is not repeated in an error, because it may hold a secret."""
    added: ClassVar[frozenset[str]] = frozenset()
    """Settings added later, written only where they are set, so that earlier results keep their keys."""
    removed: ClassVar[frozenset[str]] = frozenset()
    """Settings of earlier versions: ignored where old files still name them."""

    @model_validator(mode="before")
    @classmethod
    def _without_removed(cls, values: Any) -> Any:  # noqa: ANN401 - pydantic checks what comes in
        if not isinstance(values, Mapping):
            return values
        return {name: value for name, value in values.items() if name not in cls.removed}

    @model_serializer(mode="wrap")
    def _as_ever(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        unset = {name for name in self.added if getattr(self, name) == type(self).model_fields[name].default}
        return {name: value for name, value in dump(self).items() if name not in unset}

    @classmethod
    def checked(cls, /, **values: Any) -> Self:  # noqa: ANN401 - pydantic checks what comes in
        """Build the settings, with a readable error.

        Raises:
            SettingsError: If a value is outside its limits; the message names the first such setting.
        """
        return checked(cls, values)


_AnyModel = TypeVar("_AnyModel", bound=BaseModel)


def checked(model: type[_AnyModel], values: Mapping[str, Any]) -> _AnyModel:
    """Build a model, with a readable error.

    Args:
        model: Its class; values of the settings in its ``unshown`` are not repeated in an error.
        values: Name → value, unchecked.

    Raises:
        SettingsError: If a value is outside its limits; the message names the first such setting.
    """
    try:
        return model(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        reason = _reason(first["type"], first["msg"], first.get("ctx", {}), name.rpartition(".")[2])
        if not name:  # settings that do not go together: the reason names them
            raise SettingsError(reason) from error
        unshown = name in getattr(model, "unshown", ()) or first["type"] in _VALUELESS
        value = "" if unshown else f" = {_shown(first['input'])}"
        raise SettingsError(f"{name}{value} is not possible: {reason}") from error


class UrlRule(Settings):
    """A URL rule of the analyst: replaces every match of a regular expression in a canonical URL."""

    pattern: str
    replacement: str = ""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return value


class UrlSettings(Settings):
    """How raw page locations become canonical pages (see ``core/ingest/clean/urls.py``)."""

    merge_hosts: bool = False
    """Drop ``www.`` and ``shop.`` so that hosts of one site share their pages."""
    lower_path: bool = True
    keep_fragment: bool = False
    """Keep any ``#fragment``; hash routes (``#/…``) are kept either way."""
    keep_params: tuple[str, ...] = (
        *("q", "query", "search", "s", "k", "ssearch", "search_query", "keyword"),
        *("category", "cat", "cgid", "page_id", "p", "id", "route", "controller"),
        *("product_id", "id_product", "pid", "path", "information_id"),  # OpenCart, PrestaShop, Salesforce
    )
    """Query parameters that make another page; every other parameter is dropped."""
    collapse_ids: bool = True
    """Replace ids, UUIDs, long hex and dates in a path by a placeholder where they shatter a pattern."""
    rules: tuple[UrlRule, ...] = ()


_ColumnName: TypeAlias = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)
]


class IngestSettings(Settings):
    """How input files are read and which records are left out."""

    mapping: dict[str, str] = Field(default_factory=dict)
    """Field of :class:`core.base.schema.Raw` → column, where the analyst overrules the header rule."""
    user_key: str = "user_pseudo_id"
    """The column (by its normalised name) that identifies a user."""
    added = frozenset({"page_view", "stream", "dimensions", "join_logins"})
    join_logins: bool = False
    """Join the cookies of signed-in users: one that shows exactly one ``user_id`` becomes that user."""
    page_view: Annotated[str, StringConstraints(strip_whitespace=True)] = ""
    """Name of the events that are page views; empty to take the one of
    :data:`core.ingest.read.tools.PAGE_VIEWS` that the files have. Without names of events all records are."""
    stream: Annotated[str, StringConstraints(strip_whitespace=True)] = ""
    """Platform (``WEB``, ``ANDROID``, ``IOS``) or ``stream_id`` whose events alone are used; all if empty."""
    exclude_internal: bool = True
    exclude_debug: bool = True
    exclude_bots: bool = False
    """Leave bot-like ids out altogether instead of showing them as a separate group."""
    session_gap_minutes: Annotated[int, Field(ge=1, le=1440)] = 30
    """Inactivity that ends a session where ``ga_session_id`` is missing."""
    strip_pages: tuple[str, ...] = ()
    """Canonical pages to leave out of the sequences (a confirmation page that gives the outcome away)."""
    dimensions: Annotated[tuple[_ColumnName, ...], Field(max_length=len(DIMENSION_FIELDS))] = ()
    """Columns kept as attributes of users, as the files spell them (``user_properties.plan``, ``region``)."""
    url: UrlSettings = UrlSettings()
    mask_own: bool = True
    """Mask values that belong to one user each (docs/method.md); known patterns are masked either way."""
    keep_places: tuple[str, ...] = ()
    """Names of places (``Receipt.places``) whose values are not personal, whatever they look like."""
    mask_places: tuple[str, ...] = ()
    """Names of places whose values are all masked."""
    known_pages: frozenset[str] = Field(default=frozenset(), exclude=True, repr=False)
    """Pages that a model was trained on, where new users are read for it: many saw them there, so no number
    in them is personal, however few see them here. They belong to the model and are written nowhere else."""

    @field_validator("dimensions")
    @classmethod
    def _are_different(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if twice := [name for name in value if value.count(name) > 1]:
            raise ValueError(f"{twice[0]!r} is listed twice")
        return value

    @model_validator(mode="after")
    def _joins_cookies(self) -> Self:
        if self.join_logins and self.user_key == "user_id":
            raise ValueError("join_logins joins cookies to user_id, which is the user key already")
        return self

    @property
    def columns(self) -> dict[str, str]:
        """Field of :data:`core.base.schema.RAW_TEXT_COLUMNS` → column, for all columns the analyst named."""
        return {**self.mapping, **dict(zip(DIMENSION_FIELDS, self.dimensions, strict=False))}

    @property
    def dimension_keys(self) -> dict[str, str]:
        """Key of each dimension, its column of ``users`` → its field.

        The key is the last part of the name; where that is taken the whole name, else with the field.
        """
        keys: dict[str, str] = {}
        for field, name in zip(DIMENSION_FIELDS, self.dimensions, strict=False):
            short, whole = (
                re.sub(r"\W+", "_", one.lower()).strip("_") for one in (name.rpartition(".")[2], name)
            )
            taken = keys.keys() | RESERVED_KEYS
            free = [key for key in (short, whole) if key and key not in taken and dimensions_in([key])]
            keys[free[0] if free else f"{whole}_{field}"] = field
        return keys

    @property
    def item_category(self) -> str:
        """The field of the dimension that is the category of items; empty where none is."""
        fields = zip(DIMENSION_FIELDS, self.dimensions, strict=False)
        named = (field for field, name in fields if _ITEM_CATEGORY.fullmatch(name.strip()))
        return next(named, "")

    def viewing(self, page_view: str) -> Self:
        """Return a copy whose ``page_view`` is this event name, so that later events are read alike."""
        return self.model_copy(update={"page_view": page_view})


class Encoder(StrEnum):
    """What turns a user's page views into a vector."""

    TRANSFORMER = "transformer"
    BAG = "bag"
    """A bag of pages: nothing to train, and blind to order, time, themes and types."""


class Preset(StrEnum):
    """Amount of training: each preset names a set of :class:`TrainSettings`."""

    BAG = "bag"
    FAST = "fast"
    BALANCED = "balanced"
    THOROUGH = "thorough"


class Device(StrEnum):
    """Where the model runs; ``auto`` takes a GPU when there is one."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class TrainSettings(Settings):
    """Hyperparameters of the UserBehaviorTransformer and of its training (docs/method.md)."""

    added = frozenset({"ignore_length"})
    encoder: Encoder = Encoder.TRANSFORMER
    """With a bag of pages, only ``max_length`` and ``min_count`` count."""
    epochs: Annotated[int, Field(ge=1, le=200)] = 15
    max_user_steps: Annotated[int, Field(ge=1, le=10**10)] = 500_000
    """Users seen in all epochs together; bounds the time on large data, which need fewer epochs."""
    batch_size: Annotated[int, Field(ge=8, le=8192)] = 512
    """Users a step; each gives an anchor slice and a positive slice."""
    learning_rate: Annotated[float, Field(gt=0, le=0.1)] = 4e-3
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.01
    margin: Annotated[float, Field(gt=0, le=2)] = 0.3
    """Triplet margin on L2 distances between unit vectors (so at most 2)."""
    hidden_dim: Annotated[int, Field(ge=16, le=512)] = 64
    layers: Annotated[int, Field(ge=1, le=8)] = 1
    heads: Annotated[int, Field(ge=1, le=16)] = 4
    feedforward_dim: Annotated[int, Field(ge=16, le=2048)] = 128
    embedding_dim: Annotated[int, Field(ge=8, le=512)] = 128
    page_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Share of page views in training whose page is replaced by its directory, as for a new page."""
    max_length: Annotated[int, Field(ge=4, le=512)] = 64
    """Page views of a user that are read, the latest ones."""
    min_count: Annotated[int, Field(ge=1, le=1000)] = 3
    """Pages viewed less often share the id of their directory, or the unknown id."""
    ignore_length: bool = False
    """Remove all of what the vectors say about a user's number of page views, instead of six tenths."""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    device: Device = Device.AUTO

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if self.hidden_dim % (2 * self.heads):  # each head turns pairs of channels by the position
            raise ValueError(
                f"hidden_dim ({self.hidden_dim}) must be an even multiple of heads ({self.heads})"
            )
        return self

    @classmethod
    def preset(cls, preset: Preset, **changes: Any) -> Self:  # noqa: ANN401 - pydantic checks what comes in
        """Return the settings of a preset, with some of them changed.

        Raises:
            SettingsError: If a changed value is outside its limits.
        """
        return cls.checked(**{**PRESETS[preset], **changes})


PRESETS: dict[Preset, dict[str, Any]] = {
    Preset.BAG: {"encoder": Encoder.BAG},
    Preset.FAST: {"encoder": Encoder.TRANSFORMER, "epochs": 5, "max_user_steps": 150_000},
    Preset.BALANCED: {"encoder": Encoder.TRANSFORMER, "epochs": 15, "max_user_steps": 500_000},
    Preset.THOROUGH: {
        "encoder": Encoder.TRANSFORMER,
        "epochs": 30, "max_user_steps": 2_000_000, "hidden_dim": 96, "heads": 6, "feedforward_dim": 192,
    },
}  # fmt: skip


class ViewWeights(Settings):
    """Weight of each view. Only the ratios matter; absent views are left out."""

    added = frozenset({"insist", "activity"})
    url: Annotated[float, Field(ge=0, le=1)] = 0.5
    theme: Annotated[float, Field(ge=0, le=1)] = 0.3
    type: Annotated[float, Field(ge=0, le=1)] = 0.2
    activity: Annotated[float, Field(ge=0, le=1)] = 0.0
    insist: bool = False
    """Use exactly these weights; else a factor and the labelled share of page views scale each of them."""

    @model_validator(mode="after")
    def _something_counts(self) -> Self:
        if not any(map(self.of, View)):
            raise ValueError("at least one weight must be above 0")
        return self

    def of(self, view: View) -> float:
        """Return the weight of one view."""
        weight: float = getattr(self, view)
        return weight


class ClusterSettings(Settings):
    """How the combined embeddings are cut into segments."""

    removed = frozenset({"algorithm", "min_cluster_size"})
    n_clusters: Annotated[int, Field(ge=2, le=50)] = 6
    auto: bool = False
    """Take the number that :mod:`core.segments.levels` suggests in place of ``n_clusters``."""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    n_init: Annotated[int, Field(ge=1, le=200)] = 40
    """Random starts of a cold fit; a warm start needs one."""


class OutcomeCount(StrEnum):
    """How several outcomes are counted; a user with any of them has converted either way."""

    ANY = "any"
    """Every outcome counts: a user can count for several."""
    FIRST = "first"
    """Only a user's first outcome counts, with its sessions and its revenue."""


_NO_OUTCOME: Final = "none"
"""Value on the command line or in a link for "nothing counts as the outcome"."""


def _chosen_outcomes(value: object) -> object:
    several = (value,) if isinstance(value, str) else value
    return () if several == (_NO_OUTCOME,) else several


ChosenOutcomes: TypeAlias = Annotated[tuple[str, ...] | None, BeforeValidator(_chosen_outcomes)]
"""Chosen outcomes: events, ``page:/path`` or ``template:/path/:slug``; empty for no outcome, None where the
choice is left to the data."""


def named_outcomes(chosen: tuple[str, ...] | None) -> list[str]:
    """Return the values that choose these outcomes in a command or link: ``["none"]`` for (), [] for None."""
    return [_NO_OUTCOME] if chosen == () else list(chosen or ())


class AnalyzeSettings(Settings):
    """What the profiles of segments report."""

    outcome: ChosenOutcomes = None
    """Outcomes whose users count as converted; None takes the first known conversion in the data, if any."""
    outcome_counts: OutcomeCount = OutcomeCount.ANY
    top_pages: Annotated[int, Field(ge=1, le=200)] = 15
    samples: Annotated[int, Field(ge=1, le=100)] = 5
    """Medoids shown per segment, and as many random users."""

    @property
    def without_templates(self) -> Self:
        """These settings without outcomes that are path templates."""
        if self.outcome is None:
            return self
        outcomes = tuple(outcome for outcome in self.outcome if not outcome.startswith(TEMPLATE_OUTCOME))
        return self.model_copy(update={"outcome": outcomes})
