"""Where the settings of a language model come from."""

from pathlib import Path

from core.llm import LlmSettings
from core.llm.origins import ENVIRONMENT, TYPED, Origins, origins, places


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
