import pytest

from core.base.errors import InputError, SettingsError
from core.base.schema import Raw
from core.base.settings import IngestSettings
from core.ingest.read.headers import looks_like_header, map_headers, normalise_header, require, user_keys

DEFAULT = IngestSettings()


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("page_location", "page_location"),
        ("Page_Location", "page_location"),
        ("event_params.page_location", "page_location"),
        ("event_param_page_location", "page_location"),
        ("param_page_location", "page_location"),
        ("ep_page_location", "page_location"),
        ("event_params_page_location_string_value", "page_location"),
        ("event_params.ga_session_id.value.int_value", "ga_session_id"),
        ("device.web_info.browser", "device_web_info_browser"),
        ("\ufeffevent_name ", "event_name"),
        ("event_params_ep_x", "ep_x"),  # only one prefix goes
        ("param_", "param_"),
    ],
)
def test_the_header_rule(name: str, plain: str) -> None:
    assert normalise_header(name) == plain


def test_aliases_in_their_order() -> None:
    names = ["page_path", "page_url", "clientId", "ts", "source", "traffic_source_source"]
    found = map_headers(names, DEFAULT)
    assert found.by_name == {
        Raw.USER_KEY: "clientId",
        Raw.EVENT_TIMESTAMP: "ts",
        Raw.PAGE_LOCATION: "page_url",
        Raw.TRAFFIC_SOURCE: "traffic_source_source",
        Raw.EVENT_SOURCE: "source",
    }
    assert found.candidates[Raw.PAGE_LOCATION] == ("page_url", "page_path")


def test_a_plain_column_comes_before_a_parameter_of_the_same_name() -> None:
    found = map_headers(["event_params.page_location", "page_location"], DEFAULT)
    assert found.by_name[Raw.PAGE_LOCATION] == "page_location"


def test_what_an_event_is_worth_is_money_only_where_no_column_holds_revenue() -> None:
    worth = ["event_params.value.value.double_value", "event_params.currency"]
    assert map_headers(worth, DEFAULT).by_name == dict(
        zip((Raw.PURCHASE_REVENUE, Raw.CURRENCY), worth, strict=True)
    )
    both = map_headers([*worth, "ecommerce.purchase_revenue"], DEFAULT)
    assert both.by_name[Raw.PURCHASE_REVENUE] == "ecommerce.purchase_revenue"


def test_user_id_is_never_taken_without_being_chosen() -> None:
    names = ["event_timestamp", "page_location", "user_id"]
    header = map_headers(names, DEFAULT)
    assert Raw.USER_KEY not in header.columns
    with pytest.raises(InputError, match="--user-key COLUMN"):
        require(header, "a.csv", DEFAULT)
    chosen = IngestSettings(user_key="user_id")
    require(map_headers(names, chosen), "a.csv", chosen)


def test_a_chosen_key_is_exactly_that_column() -> None:
    names = ["user_pseudo_id", "user_properties.crm_id", "event_timestamp", "page_location"]
    found = map_headers(names, IngestSettings(user_key="user_properties_crm_id"))
    assert found.by_name[Raw.USER_KEY] == "user_properties.crm_id"
    assert Raw.USER_KEY not in map_headers(names, IngestSettings(user_key="customer")).columns


def test_the_mapping_overrules_the_rule_and_an_empty_one_leaves_a_field_out() -> None:
    names = ["user_pseudo_id", "event_timestamp", "page_location", "screen", "page_title"]
    mapping = {Raw.PAGE_LOCATION: "screen", Raw.PAGE_TITLE: ""}
    found = map_headers(names, IngestSettings(mapping=mapping))
    assert found.by_name[Raw.PAGE_LOCATION] == "screen"
    assert Raw.PAGE_TITLE not in found.columns


def test_of_amplitudes_columns_ga4s_own_key_comes_first() -> None:
    names = ["amplitude_id", "device_id", "event_type", "event_time", "url"]
    assert map_headers(names, DEFAULT).by_name[Raw.USER_KEY] == "device_id"
    assert map_headers([*names, "user_pseudo_id"], DEFAULT).by_name[Raw.USER_KEY] == "user_pseudo_id"


def test_a_mapping_of_an_unknown_field_is_refused() -> None:
    with pytest.raises(SettingsError, match="'page'"):
        map_headers(["a"], IngestSettings(mapping={"page": "a"}))


def test_missing_columns_are_named_with_what_was_found_and_tried() -> None:
    header = map_headers(["foo", "page_location"], DEFAULT)
    with pytest.raises(InputError) as error:
        require(header, "a.csv", DEFAULT)
    message = str(error.value)
    for part in (
        "a.csv",
        "'foo', 'page_location'",
        "the user",
        "client_id",
        "event_timestamp",
        "collector_tstamp",
    ):
        assert part in message
    assert "page_path" not in message  # that one is not missing


def test_a_double_column_is_refused_only_if_it_is_needed() -> None:
    with pytest.raises(InputError, match=r"'page_location'.*appears 2 times"):
        map_headers(["page_location", "page_location"], DEFAULT)
    assert map_headers(["x", "x", "page_location"], DEFAULT).by_name == {Raw.PAGE_LOCATION: "page_location"}


def test_a_header_among_data_is_told_from_data() -> None:
    assert looks_like_header(["Event_Name", "event_timestamp", "user_pseudo_id"])
    assert not looks_like_header(["page_view", "1611210000000000", "1.2"])
    assert not looks_like_header(["event_name", "name", "url"])  # words that data may hold, and no time


def test_user_keys_likely_ones_first() -> None:
    names = ["event_name", "color", "customer_no", "user_id", "user_pseudo_id"]
    assert user_keys(names, ["event_name"]) == ("user_pseudo_id", "user_id", "customer_no", "color")


@pytest.mark.parametrize(
    ("more", "column"),
    [((), "name"), (("context_page_url",), None), (("context.page.url", "type", "event"), "type")],
)
def test_the_name_of_a_segment_call_is_its_page(more: tuple[str, ...], column: str | None) -> None:
    found = map_headers(["anonymous_id", "timestamp", "url", "name", *more], DEFAULT)
    assert found.by_name.get(Raw.EVENT_NAME) == column


@pytest.mark.parametrize(
    ("names", "column"),
    [
        ("anonymous_id event_type context_ip", "event_type"),
        ("anonymous_id event_type type context_ip", "event_type"),
        ("anonymous_id name type context_ip", "name"),  # a table of one's own: type may be web or app
        ("anonymous_id type context_ip", "type"),
        ("anonymous_id event event_type context_ip", "event"),  # a table of tracks
        ("anonymousId name type context.ip", "type"),  # raw calls, all of them pages with a name
    ],
)
def test_a_table_with_an_anonymous_id_and_a_context_has_its_names_read(names: str, column: str) -> None:
    found = map_headers([*names.split(), "timestamp", "page_url"], DEFAULT)
    assert found.by_name.get(Raw.EVENT_NAME) == column
