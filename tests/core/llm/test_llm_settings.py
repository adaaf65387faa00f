from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from core.base.errors import ResourceError, SettingsError
from core.llm import LlmSettings, ServerLlm
from core.llm.llm_settings import ENVIRONMENT, TYPED, Origins, origins, places, read_env_file, read_secrets


def test_settings_come_from_the_environment_and_do_not_show_the_key() -> None:
    settings = LlmSettings.from_environment({
        "BEHA2VEC_MODEL": "m", "OPENAI_BASE_URL": "http://localhost:11434/v1/", "OPENAI_API_KEY": "sk-secret"
    })  # fmt: skip
    assert (settings.model, settings.base_url, settings.host) == (
        "m", "http://localhost:11434/v1", "localhost:11434"
    )  # fmt: skip
    assert settings.api_key.get_secret_value() == "sk-secret"
    assert "sk-secret" not in repr(settings) + settings.model_dump_json()


def test_a_key_alone_means_openai_and_a_server_alone_means_no_key() -> None:
    with_key = LlmSettings.from_environment({"BEHA2VEC_MODEL": "m", "OPENAI_API_KEY": "k"})
    assert with_key.base_url == "https://api.openai.com/v1"
    local = LlmSettings.from_environment({"BEHA2VEC_MODEL": "m", "OPENAI_BASE_URL": "http://127.0.0.1:1/v1"})
    assert ServerLlm(local).identity == "m @ http://127.0.0.1:1/v1"


@pytest.mark.parametrize(
    "settings",
    [
        LlmSettings(model="m", base_url="http://127.0.0.1:1/v1"),
        LlmSettings(model="m", api_key=SecretStr("k")),
        LlmSettings(
            model="d", base_url="https://x.azure.test", api_key=SecretStr("k"), api_version="2024-10-21"
        ),
    ],
)
def test_a_child_with_another_environment_asks_the_same_server(settings: LlmSettings) -> None:
    others = {"OPENAI_API_KEY": "other", "OPENAI_MODEL": "other", "AZURE_OPENAI_ENDPOINT": "https://o.test"}
    assert LlmSettings.from_environment(others | settings.as_environment()) == settings


@pytest.mark.parametrize(
    ("environment", "missing"),
    [
        ({}, "BEHA2VEC_MODEL"),
        ({"OPENAI_API_KEY": "k"}, "BEHA2VEC_MODEL"),
        ({"BEHA2VEC_MODEL": "m"}, "OPENAI"),
    ],
)
def test_an_environment_without_a_model_is_an_error_that_says_what_to_set(
    environment: dict[str, str], missing: str
) -> None:
    with pytest.raises(ResourceError, match=f"{missing}.* is not set"):
        LlmSettings.from_environment(environment)


@pytest.mark.parametrize("url", ["ftp://host/v1", "localhost:8000", "https://user:pass@host/v1", "https://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="base_url"):
        LlmSettings.from_environment({"BEHA2VEC_MODEL": "m", "OPENAI_BASE_URL": url})
    with pytest.raises(ValidationError):
        LlmSettings(model="m", base_url=url)


@pytest.mark.parametrize(
    "url",
    ["https://me:sk-1@host/v1", "https://sk-1@host/v1", "https://host/v1?api-key=sk-1", "https://host/#sk-1"],
)
def test_a_key_in_an_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(SettingsError, match="base_url is not possible") as refused:
        LlmSettings.checked(model="m", base_url=url)
    with pytest.raises(ValidationError) as invalid:
        LlmSettings(model="m", base_url=url)
    assert "sk-1" not in f"{refused.value} {invalid.value}"


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


def test_the_first_place_that_has_something_wins(tmp_path: Path) -> None:
    write(tmp_path, ".streamlit/secrets.toml", '[llm]\nBEHA2VEC_MODEL = "toml"\nOPENAI_API_KEY = "of-toml"\n')
    write(tmp_path, "config.env", "export BEHA2VEC_MODEL='env file'\nOPENAI_API_KEY=of-file # a comment\n")

    def model(explicit: dict[str, str], environment: dict[str, str]) -> str:
        found = places(explicit, environment, tmp_path)
        return LlmSettings.from_sources(list(found.values())).model

    typed, environment = {"BEHA2VEC_MODEL": "typed"}, {"OPENAI_MODEL": "environment"}
    assert model(typed, environment) == "typed"
    assert model({}, environment) == "environment"
    assert model({}, {}) == "toml"
    (tmp_path / ".streamlit" / "secrets.toml").unlink()
    assert model({}, {}) == "env file"
    assert read_env_file(tmp_path / "config.env")["OPENAI_API_KEY"] == "of-file"


def test_a_key_is_never_sent_to_a_server_that_another_place_names() -> None:
    server, key = (
        {"OPENAI_BASE_URL": "http://evil.example/v1", "BEHA2VEC_MODEL": "m"},
        {"OPENAI_API_KEY": "sk"},
    )
    assert LlmSettings.from_sources([server, key]).api_key.get_secret_value() == "none"
    own = {**key, "OPENAI_BASE_URL": "http://evil.example/v1/"}
    assert LlmSettings.from_sources([server, own]).api_key.get_secret_value() == "sk"


def test_azure_has_its_own_variables() -> None:
    settings = LlmSettings.from_environment({
        "AZURE_OPENAI_ENDPOINT": "https://me.azure.example", "AZURE_OPENAI_API_KEY": "k",
        "AZURE_OPENAI_DEPLOYMENT": "gpt",
    })  # fmt: skip
    assert (settings.model, settings.host, settings.api_version) == ("gpt", "me.azure.example", "2024-10-21")


def test_files_that_are_not_there_have_nothing_and_damaged_ones_are_named_without_their_text(
    tmp_path: Path,
) -> None:
    assert read_secrets(tmp_path / "no.toml") == {}
    assert read_env_file(tmp_path / "no.env") == {}
    write(tmp_path, "secrets.toml", "OPENAI_API_KEY = sk-secret")
    with pytest.raises(ResourceError) as caught:
        read_secrets(tmp_path / "secrets.toml")
    assert "sk-secret" not in str(caught.value)


def found(typed: dict[str, str], environment: dict[str, str], folder: Path) -> Origins:
    asked = places(typed, environment, folder)
    return origins(asked, LlmSettings.from_sources(list(asked.values())))


def test_each_part_has_its_place(tmp_path: Path) -> None:
    (tmp_path / "config.env").write_text("OPENAI_API_KEY=k\nOPENAI_BASE_URL=http://localhost:1/v1\n")
    assert found({}, {"BEHA2VEC_MODEL": "m"}, tmp_path) == Origins(ENVIRONMENT, "config.env", "config.env")


def test_what_is_typed_wins_and_gets_no_key_of_another_server(tmp_path: Path) -> None:
    environment = {"BEHA2VEC_MODEL": "m", "OPENAI_API_KEY": "k"}
    made = found({"OPENAI_BASE_URL": "http://localhost:11434/v1"}, environment, tmp_path)
    assert made == Origins(ENVIRONMENT, TYPED, "")
    assert made.typed
    assert not found({}, environment, tmp_path).typed


def test_a_key_for_the_same_server_may_come_from_elsewhere(tmp_path: Path) -> None:
    url = {"OPENAI_BASE_URL": "http://localhost:11434/v1"}
    secrets = tmp_path / ".streamlit" / "secrets.toml"
    secrets.parent.mkdir()
    secrets.write_text('OPENAI_API_KEY = "k"\nOPENAI_BASE_URL = "http://localhost:11434/v1/"')
    made = found({**url, "BEHA2VEC_MODEL": "m"}, {}, tmp_path)
    assert made == Origins(TYPED, TYPED, ".streamlit/secrets.toml")
