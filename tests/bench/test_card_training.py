"""What the card tells of the training: one run, several, and a run that was resumed."""

from __future__ import annotations

from pathlib import Path

from bench.card import main, make_parser
from bench.card_training import Run, joined, read_runs, settings
from tests.bench.reports import CONFIG, words_of


def test_a_second_run_goes_on_from_the_first(place: Path) -> None:
    (place / "again").mkdir()
    (place / "again" / "metrics.jsonl").write_text(
        '{"step": 1, "loss": 0.3, "tokens": 500.0, "seconds": 60.0}'
    )
    second = CONFIG.replace("--count 2", "--count 7").replace("total = 2", "total = 1")
    (place / "offhand-270m" / "refine.toml").write_text(second.replace("= 0.5", "= 0.0"))
    words = words_of(place)
    words.insert(words.index("--train") + 2, str(place / "again"))
    assert main(words) == 0
    card = (place / "offhand-270m" / "README.md").read_text("utf-8")
    training = card.split("## Training")[1]
    assert "|  | run 1 | run 2 |" in training
    assert "| steps | 2 of 10 conversations | 1 of 10 conversations |" in training
    assert "| rounding | 5 bits, after 50% of the steps | 5 bits, throughout |" in training
    assert "| time | 1 h 07 min | 1 min |" in training
    assert "Each run goes on from the adapter of the last." in training
    assert "synth --count 2 --out build/data\noffhand-export synth --count 7" in training
    assert "--adapter run/adapter --out again\n" in training

    records, rounded, ends = joined(read_runs(make_parser().parse_args(words)))
    assert [one["step"] for one in records if "loss" in one] == [1, 2, 3]
    assert (rounded, ends) == (2, [2])


def test_a_run_that_was_resumed_counts_each_step_once(tmp_path: Path) -> None:
    noted = [{"step": step, "loss": 1.0, "tokens": 10.0, "seconds": 60.0 * step} for step in (1, 1)]
    run = Run(None, tmp_path / "none.toml", None, noted, {})
    assert len(run.steps()) == 1
    assert "| tokens run | 10 |" in settings([run])
    assert "| time | 1 min |" in settings([run])
    assert run.rounded_from() is None
