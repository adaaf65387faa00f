"""The log of calls: read back, cleared, and not spoilt by a damaged line."""

from pathlib import Path

from core.llm import CallLog, LoggedCall


def call(model: str) -> LoggedCall:
    return LoggedCall(
        "localhost", model, [{"role": "user", "content": "How many?"}], answer="[[F1]]", seconds=0.5
    )


def test_the_latest_call_comes_first(tmp_path: Path) -> None:
    log = CallLog(tmp_path)
    assert log.read() == []
    for model in "abc":
        log.write(call(model))
    assert [one["model"] for one in log.read()] == ["c", "b", "a"]
    assert [one["model"] for one in log.read(most=2)] == ["c", "b"]


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    log = CallLog(tmp_path)
    log.write(call("a"))
    with log.path.open("a") as file:
        file.write('{"model": "b", "mess\n[]\n')
    assert [one["model"] for one in log.read()] == ["a"]


def test_clearing_deletes_the_files_that_were_put_aside_too(tmp_path: Path) -> None:
    log = CallLog(tmp_path, largest=300)
    for model in "abcdefg":
        log.write(call(model))
    assert len(list(tmp_path.iterdir())) > 1
    log.clear()
    assert list(tmp_path.iterdir()) == []
    assert log.read() == []
