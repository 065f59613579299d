from pathlib import Path

import pytest

from whyrec.errors import InvalidConfigError
from whyrec.llm.prices import read_prices
from whyrec.llm.usage import Price

BOTH = "input_per_million = 1\noutput_per_million = 2\n"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "prices.toml"
    path.write_text(text)
    return path


def test_a_table_is_read(tmp_path: Path) -> None:
    text = (
        '[models."gpt-4.1-mini"]\ninput_per_million = 0.40\noutput_per_million = 1.6\n'
        f'[models.mistral]\n{BOTH}currency = "EUR"\n[models."org/own"]\n{BOTH.replace("1", "0").replace("2", "0")}'
    )
    prices = read_prices(written(tmp_path, text))
    assert prices == {
        "gpt-4.1-mini": Price(0.4, 1.6, "USD"),
        "mistral": Price(1.0, 2.0, "EUR"),
        "org/own": Price(0.0, 0.0, "USD"),
    }
    # 2 million in at 0.40 and half a million out at 1.60
    assert prices["gpt-4.1-mini"].of(prompt_tokens=2_000_000, completion_tokens=500_000) == pytest.approx(0.8 + 0.8)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", r"prices\.toml: expected prices as \[models\.\"NAME\"\] .*, got none\. Add a model"),
        ("models = 3", "got none"),
        (f"[models.m]\n{BOTH}[other]\n", r"got 'other' too\. Remove it"),
        ("[models]\nm = 3", r"model 'm': expected prices as .*, got 3\. Write it so"),
        (
            f"[models.gpt-4.1]\n{BOTH}",
            r"model 'gpt-4': .* got another table '1'\. Put quotes .*: \[models\.\"gpt-4\.1\"\]",
        ),
        ("[models.m]\ninput_per_million = 1\n", r"model 'm', output_per_million: Field required"),
        (f"[models.m]\n{BOTH}cached = 1\n", r"model 'm': expected one of input_per_million, .*, got 'cached'"),
        (f"[models.m]\n{BOTH.replace('2', '-2')}", r"output_per_million: .*greater than or equal to 0, got -2"),
        (f"[models.m]\n{BOTH.replace('2', 'nan')}", r"output_per_million: .*, got nan"),
        (f"[models.m]\n{BOTH.replace('2', 'true')}", r"output_per_million: .*, got True"),
        (f"[models.m]\n{BOTH.replace('2', repr('2'))}", r"output_per_million: .*, got '2'"),
        (f'[models.m]\n{BOTH}currency = ""\n', r"currency: .*, got ''"),
        ("[models", r"expected TOML"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(InvalidConfigError, match=expected) as caught:
        read_prices(written(tmp_path, text))
    assert "prices.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_table_that_is_absent_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfigError, match=r"prices\.toml: expected a TOML file, got none that can be read"):
        read_prices(tmp_path / "prices.toml")
