"""Log lines: JSON that names and never quotes."""

import json
import logging
import sys
from collections.abc import Iterator

import pytest

from xds_gateway.server.logs import JsonFormatter, start_log


def line(message: str, **extra: object) -> dict[str, object]:
    record = logging.makeLogRecord(
        {"name": "xds_gateway.x", "levelno": 20, "levelname": "INFO", "msg": message, **extra}
    )
    text = JsonFormatter().format(record)
    assert "\n" not in text
    found = json.loads(text)
    assert isinstance(found, dict)
    return found


def test_a_line_says_when_who_and_what() -> None:
    found = line("done", created=0.0, process=7)
    assert found == {
        "at": "1970-01-01T00:00:00.000+00:00",
        "level": "info",
        "logger": "xds_gateway.x",
        "event": "done",
        "process": 7,
    }


@pytest.mark.parametrize("value", ["é\n", 1, 1.5, None, ["a", "b"], {"c": 1}, "\ud800"])
def test_named_values_are_kept(value: object) -> None:
    assert line("done", status=value)["status"] == value


def test_values_of_other_kinds_are_written_as_text() -> None:
    assert line("done", codes=("a",), path=sys)["path"] == str(sys)


def failing(text: str) -> logging.LogRecord:
    def inner() -> None:
        raise ValueError(text)

    try:
        try:
            inner()
        except ValueError as cause:
            raise RuntimeError(text) from cause
    except RuntimeError:
        return logging.makeLogRecord({"msg": "failed", "exc_info": sys.exc_info()})


def test_a_failure_is_told_by_types_and_places_not_by_its_words() -> None:
    text = JsonFormatter().format(failing("patient Durand"))
    assert "Durand" not in text
    told = json.loads(text)["failure"]
    assert [entry for entry in told if ":" not in entry] == ["RuntimeError", "ValueError"]
    assert any(entry.endswith(" inner") for entry in told)


def test_a_failure_that_causes_itself_ends() -> None:
    failure = ValueError("x")
    failure.__context__ = other = KeyError("y")
    other.__context__ = failure
    record = logging.makeLogRecord({"msg": "failed", "exc_info": (ValueError, failure, None)})
    assert len(json.loads(JsonFormatter().format(record))["failure"]) <= 101


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield root
    root.handlers[:], _ = before
    root.setLevel(before[1])


@pytest.mark.parametrize(("level", "shown"), [("info", ["one", "two"]), ("WARNING", ["two"]), ("critical", [])])
def test_the_log_goes_to_standard_error(
    root_logger: logging.Logger, capsys: pytest.CaptureFixture[str], level: str, shown: list[str]
) -> None:
    start_log(level)
    logger = logging.getLogger("xds_gateway.test")
    logger.info("one")
    logger.warning("two")
    out, err = capsys.readouterr()
    assert out == ""
    assert [json.loads(text)["event"] for text in err.splitlines()] == shown
    assert len(root_logger.handlers) == 1
