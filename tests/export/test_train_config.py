"""The experiment's file: what is read, and what is refused with its reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from offhand_export.train.config import read_config
from offhand_export.train.errors import TrainError

DATA = '[[data]]\ncatalog = "smart_home"\ntrain = "a.jsonl"\nvalid = "b/c.jsonl"\n'
STEPS = "[steps]\ntotal = 5\n"


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "experiment.toml"
    path.write_text(text, "utf-8")
    return path


def test_what_is_not_said_has_a_default(tmp_path: Path) -> None:
    config = read_config(write(tmp_path, DATA + STEPS))
    assert (config.seed, config.steps.total, config.steps.conversations) == (1, 5, 12)
    assert (config.lora.rank, config.lora.alpha, config.lora.dropout) == (32, 64.0, 0.0)
    assert (config.quantize.bits, config.run.precision) == (0, "bf16")


def test_files_are_relative_to_the_experiment(tmp_path: Path) -> None:
    other = DATA.replace("smart_home", "own/tools.json").replace("a.jsonl", "/there/a.jsonl")
    config = read_config(write(tmp_path, "seed = 9\n" + DATA + other + STEPS))
    first, second = config.data
    assert (first.catalog, first.valid) == ("smart_home", tmp_path / "b/c.jsonl")
    assert second.catalog == str(tmp_path / "own/tools.json")
    assert second.train == Path("/there/a.jsonl")
    assert config.seed == 9


def test_a_whole_number_is_a_number(tmp_path: Path) -> None:
    config = read_config(write(tmp_path, DATA + STEPS + "[lora]\nalpha = 16\n"))
    assert config.lora.alpha == 16.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed = ", "is not TOML"),
        (STEPS, r"no \[\[data\]\]"),
        ("data = 3\n" + STEPS, r"no \[\[data\]\]"),
        ("data = [3]\n" + STEPS, r"\[\[data\]\] 1 is not a table"),
        (DATA, r"\[steps\] lacks `total`. Write a whole number from 1 on"),
        (DATA + "[steps]\ntotal = 0\n", "`total` of .steps. is 0. Write a whole number from 1 on"),
        (DATA + "[steps]\ntotal = 2.5\n", "`total` of .steps. is 2.5"),
        (DATA + "[steps]\ntotal = true\n", "`total` of .steps. is True"),
        (DATA + STEPS + "max_tokens = 0\n", "`max_tokens`"),
        (DATA + STEPS + "conversations = 0\n", "`conversations`"),
        ("stpes = 3\n" + DATA + STEPS, "the file has the unknown key 'stpes'"),
        ("seed = -1\n" + DATA + STEPS, "`seed` is -1"),
        ("lora = 3\n" + DATA + STEPS, r"\[lora\] is not a table"),
        (DATA + STEPS + "[lora]\nranks = 3\n", "'ranks'. Use rank, alpha, dropout"),
        (DATA + STEPS + "[lora]\nrank = 0\n", "`rank`"),
        (DATA + STEPS + "[lora]\nalpha = 0\n", "`alpha`"),
        (DATA + STEPS + "[lora]\nalpha = inf\n", "`alpha`"),
        (DATA + STEPS + "[lora]\nalpha = nan\n", "`alpha`"),
        (DATA + STEPS + "[lora]\ndropout = 1.0\n", "`dropout`"),
        (DATA + STEPS + "[optimizer]\nlearning_rate = 0.0\n", "`learning_rate`"),
        (DATA + STEPS + '[optimizer]\nlearning_rate = "1"\n', "`learning_rate`"),
        (DATA + STEPS + '[optimizer]\nschedule = "step"\n', "one of 'cosine', 'linear'"),
        (DATA + STEPS + "[optimizer]\nclip = -1.0\n", "`clip`"),
        (DATA + STEPS + "[optimizer]\nwarmup_steps = -1\n", "`warmup_steps`"),
        (DATA + STEPS + "[quantize]\nbits = 3\n", "one of 0, 4, 5, 6"),
        (DATA + STEPS + "[quantize]\ngroup = 64\n", "one of 32"),
        (DATA + STEPS + "[quantize]\nstart = 1.0\n", "`start`"),
        (DATA + STEPS + '[run]\nprecision = "fp16"\n', "'bf16', 'fp32'"),
        (DATA + STEPS + "[run]\ncheckpoint_minutes = 0\n", "`checkpoint_minutes`"),
        (DATA.replace("train", "trian") + STEPS, "unknown key 'trian'"),
        (DATA.replace('"a.jsonl"', '" "') + STEPS, "`train` of .+ 1 is ' '. Write a text"),
        (DATA.replace('valid = "b/c.jsonl"', "") + STEPS, "lacks `valid`"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(TrainError, match=message) as caught:
        read_config(write(tmp_path, text))
    assert "experiment.toml" in str(caught.value)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainError, match="Cannot read"):
        read_config(tmp_path / "none.toml")
