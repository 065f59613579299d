import json
from pathlib import Path

import pytest

from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.llm.base import Completion, Message, Prompt
from whyrec.llm.prompt_files import NamedPrompt, answer_lines, read_prompts, read_schema


def written(directory: Path, *lines: str, name: str = "prompts.jsonl") -> Path:
    path = directory / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_prompts_are_read_in_order_with_names(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '{"id": "a", "prompt": "Why?", "system": "Be brief."}',
        "",
        '{"prompt": "How?"}',
        '{"id": 7, "messages": [{"role": "user", "content": "1"}, {"role": "assistant", "content": "2"}]}',
    )
    assert read_prompts(path) == [
        NamedPrompt("a", Prompt.of("Why?", system="Be brief.")),
        NamedPrompt("3", Prompt.of("How?")),
        NamedPrompt("7", Prompt((Message("user", "1"), Message("assistant", "2")))),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"prompt": ', r"prompts.jsonl line 2: expected a JSON object, got no JSON"),
        ('["a"]', "line 2: expected a JSON object, got list"),
        ('{"prompt": "a", "temperature": 1}', "line 2: expected id, messages, prompt, system, got 'temperature'"),
        ('{"id": "b"}', "line 2: expected either 'prompt' or 'messages', got neither"),
        ('{"prompt": "a", "messages": []}', "got both"),
        ('{"prompt": 5}', "line 2, prompt: expected text, got 5"),
        ('{"messages": []}', "line 2, messages: expected a list with at least one message"),
        ('{"messages": [{"role": "user"}]}', "line 2, message 1: expected"),
        ('{"messages": [{"role": "robot", "content": "a"}]}', "expected a role of system, user, assistant .* 'robot'"),
        ('{"id": "1", "prompt": "again"}', "expected each id once, got '1' twice"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        read_prompts(written(tmp_path, '{"id": 1, "prompt": "fine"}', line))


def test_no_file_empty_file_and_other_bytes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataError, match="No such file"):
        read_prompts(tmp_path / "absent.jsonl")
    with pytest.raises(InvalidDataError, match="got an empty file"):
        read_prompts(written(tmp_path))
    (tmp_path / "latin.jsonl").write_bytes(b'{"prompt": "\xe9"}')
    with pytest.raises(InvalidDataError, match="expected UTF-8 text"):
        read_prompts(tmp_path / "latin.jsonl")


def test_a_schema_file_is_read_or_refused(tmp_path: Path) -> None:
    schema = read_schema(written(tmp_path, '{"type": "integer"}', name="score.json"))
    assert (schema.name, schema.parse("3")) == ("score", 3)
    for text, message in (("{", "got no JSON"), ("[]", "got list"), ('{"type": 3}', "error at type")):
        with pytest.raises(InvalidConfigError, match=message):
            read_schema(written(tmp_path, text, name="bad.json"))
    with pytest.raises(InvalidConfigError, match="No such file"):
        read_schema(tmp_path / "absent.json")


def test_answers_keep_everything() -> None:
    completion = Completion("é\n", {"a": 1}, None, "stop", 3, 2, cached=True, writer="tiny@1", note="")
    (line,) = answer_lines(["x"], [completion])
    assert "\n" not in line
    assert json.loads(line) == {
        "id": "x",
        "text": "é\n",
        "value": {"a": 1},
        "failure": None,
        "finish": "stop",
        "prompt_tokens": 3,
        "completion_tokens": 2,
        "cached": True,
        "writer": "tiny@1",
        "note": "",
    }
