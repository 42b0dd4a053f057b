"""Calibration over reports drawn from a known law: the fit, who judges what, and what is told."""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from bench import calibrate as module
from bench.calibrate import CalibrateError, Call, calibrate, fit, judge, main, plan, read_calls
from bench.card import main as card_main
from bench.card_calibration import calibration_tables
from bench.logistic import fit_logistic
from bench.reliability import Shown, bins, mass_error, policy_figures, reach
from offhand.calibration import FEATURES, read_calibration
from offhand.policy import Policy
from offhand_export.metrics import expected_calibration_error
from offhand_export.model_folder import open_model
from tests.bench.reports import MODEL, Json, report, words_of
from tests.export.parts import WEIGHTS, digest, write_model
from tools.release import release

TRUE = (3.0, (0.5, 1.5, 0.0, -0.5, 1.0))
"""Intercept and weights that outcomes are drawn from."""


def drawn(count: int, seed: int = 1) -> tuple[list[tuple[float, ...]], list[bool]]:
    """Features at random, and outcomes as likely as `TRUE` says."""
    chance = random.Random(seed)
    features = [tuple(-abs(chance.gauss(0, 1)) for _ in FEATURES) for _ in range(count)]
    return features, [chance.random() < likely(each) for each in features]


def likely(features: Sequence[float]) -> float:
    intercept, weights = TRUE
    logit = intercept + sum(w * x for w, x in zip(weights, features, strict=True))
    return 1 / (1 + math.exp(-logit))


def report_of(catalog: str, kind: str, count: int, seed: int) -> Json:
    """A report of calls drawn at random, three a conversation; confidence is too low throughout."""
    features, rights = drawn(count, seed)
    tools = (
        ("check_balance", "pay_bill") if catalog == "banking" else ("set_scene", "intent_unclear")
    )
    rows = [
        {
            "conversation": place // 3,
            "turn": place % 3,
            "tool": tools[place % 2],
            "right": right,
            "confidence": likely(each) ** 2,
            "features": list(each),
        }
        for place, (each, right) in enumerate(zip(features, rights, strict=True))
    ]
    sha = f"{seed:064x}"
    return report(catalog, kind, features=list(FEATURES), calls=rows, data_sha256=sha)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    made = {
        "banking.loose.fp32": report_of("banking", "loose", 900, 1),
        "smart_home.loose.fp32": report_of("smart_home", "loose", 600, 2),
        "banking.public.fp32": report_of("banking", "public", 300, 3),
    }
    return [put(tmp_path / "reports" / f"{name}.json", one) for name, one in made.items()]


def put(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), "utf-8")
    return path


# The fit.


def test_the_fit_finds_the_law_that_data_was_drawn_from() -> None:
    features, rights = drawn(20_000)
    intercept, weights = fit_logistic(features, rights)
    assert (intercept, *weights) == pytest.approx((TRUE[0], *TRUE[1]), abs=0.15)
    assert fit_logistic(features, rights) == (intercept, weights)


@pytest.mark.parametrize("constant", [0.0, -2.0])
def test_data_that_parts_cleanly_and_constants_leave_weights_finite(constant: float) -> None:
    cases = [(place / 10, constant) for place in range(-20, 20)]
    intercept, (own, none) = fit_logistic(cases, [first >= 0 for first, _ in cases])
    assert 0 < own < 100
    assert none == pytest.approx(0.0)
    assert math.isfinite(intercept)


def test_a_feature_that_must_not_speak_against_a_case_is_left_out() -> None:
    features, rights = drawn(2_000)
    turned = [(*each[:4], -each[4]) for each in features]
    assert fit_logistic(turned, rights)[1][4] < -0.5
    intercept, weights = fit_logistic(turned, rights, {0, 1, 4})
    assert weights[4] == 0.0
    assert weights[1] > 1.0
    alone = fit_logistic([each[:4] for each in features], rights)
    assert (intercept, *weights[:4]) == pytest.approx((alone[0], *alone[1]))


@pytest.mark.parametrize("right", [True, False])
def test_outcomes_that_are_all_the_same_are_refused(right: bool) -> None:
    call = Call(("d", 0), "banking", "loose", "pay_bill", right, 0.9, (0.0,) * 5)
    with pytest.raises(CalibrateError, match="all the same"):
        fit([call, call])


# The figures.


def test_a_perfect_forecaster_has_no_error_and_a_boaster_has() -> None:
    chance = random.Random(3)
    told = [chance.random() for _ in range(40_000)]
    rights = [chance.random() < one for one in told]
    for error in (expected_calibration_error, mass_error):
        assert error(told, rights) < 0.015
        assert error([one**0.25 for one in told], rights) > 0.2


def test_equal_mass_bins_see_what_equal_width_hides() -> None:
    told = [0.91] * 10 + [0.99] * 10
    rights = [True] * 10 + [True] * 9 + [False]
    assert expected_calibration_error(told, rights) == pytest.approx(0.0)
    assert mass_error(told, rights) == pytest.approx((5 * 0.18 + 4 * 0.02 + 0.98) / 20)
    (row,) = bins(told, rights)
    assert row == {"from": 0.9, "turns": 20, "confidence": pytest.approx(0.95), "right": 0.95}


@pytest.mark.parametrize(
    ("told", "rights", "least", "found"),
    [
        ((0.9, 0.8, 0.7), (True, True, False), 1.0, (0.8, 2 / 3, 1.0)),
        ((0.9, 0.8, 0.7, 0.6), (True, False, True, True), 0.75, (0.6, 1.0, 0.75)),
        ((0.9, 0.9), (True, False), 0.6, None),  # equals stand or fall together
        ((0.9,), (False,), 0.5, None),
    ],
)
def test_reach_is_the_largest_share_that_is_right_enough(
    told: tuple[float, ...], rights: tuple[bool, ...], least: float, found: Any
) -> None:
    got = reach(told, rights, least)
    assert (None if got is None else (got.threshold, got.coverage, got.right)) == found


POLICY = Policy(
    tiers={"look": "look", "pay": "danger"},
    unclear=frozenset({"huh"}),
    handover=frozenset({"human"}),
)


@pytest.mark.parametrize(
    ("tool", "confidence", "fate"),
    [
        ("pay", 1.0, "risk"),
        ("pay", 0.1, "risk"),
        ("look", 0.5, "executed"),
        ("look", 0.49, "doubt"),
        ("do", 0.8, "executed"),
        ("do", 0.79, "doubt"),
        ("do", 0.1, "doubt"),
        ("huh", 0.1, "idle"),
        ("human", 1.0, "idle"),
    ],
)
def test_the_policy_decides_as_the_agent_does(tool: str, confidence: float, fate: str) -> None:
    found = policy_figures([Shown("c", tool, confidence, True)], {"c": POLICY})
    expected = {"calls": 1, "executed": 0, "right": 0, "doubt": 0, "risk": 0, "idle": 0, fate: 1}
    assert found == {**expected, "right": int(fate == "executed")}


# Who judges what.


def test_no_conversation_is_judged_by_a_fit_that_saw_it(
    files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted, _ = read_calls(files[:2])
    judged, _ = read_calls(files)
    pairs = list(plan(fitted, judged))
    assert len(pairs) == 1 + module.FOLDS
    for training, held_out in pairs:
        assert not {call.talk for call in training} & {call.talk for call in held_out}
    assert sum(len(held_out) for _, held_out in pairs) == len(judged)
    saw: list[tuple[set[Any], int]] = []

    def spying(calls: Sequence[Call], fit: Callable[..., Any] = fit) -> Any:
        saw.append(({call.talk for call in calls}, len(calls)))
        return fit(calls)

    monkeypatch.setattr(module, "fit", spying)
    found = judge(fitted, judged)
    assert len(found) == len(judged) == 1800
    assert saw[0][1] == 1500  # the fit that judges what nobody was fitted on
    assert all(900 < count < 1500 for _, count in saw[1:])


def test_the_same_data_in_another_precision_is_the_same_conversation(files: list[Path]) -> None:
    other = json.loads(files[0].read_text())
    put(files[0].with_name("int8.json"), {**other, "precision": "int8"})
    fitted, _ = read_calls(files[:1])
    judged, _ = read_calls([files[0].with_name("int8.json")])
    assert all({c.talk for c in a}.isdisjoint({c.talk for c in b}) for a, b in plan(fitted, judged))


# The command.


def test_the_command_writes_a_fit_that_the_app_reads(
    files: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "calibration.json"
    reports = [str(path) for path in files]
    assert main(["--fit", *reports[:2], "--judge", *reports, "--out", str(out)]) == 0
    record = json.loads(out.read_text())
    assert read_calibration(record) is not None
    assert record["fitted"]["turns"] == 1500
    assert record["fitted"]["weights_sha256"] == MODEL["weights_sha256"]
    assert record["fitted"]["ece"] < 0.05
    assert list(record["judged"]) == [
        "all", "smart_home", "banking", "loose", "public",
        "smart_home, loose", "banking, loose", "banking, public",
    ]  # fmt: skip
    everything = record["judged"]["all"]
    assert everything["before"]["ece"] > 0.08 > 0.03 > everything["after"]["ece"]
    assert record["judged"]["banking"]["after"]["policy"]["risk"] == 600  # pay_bill is dangerous
    assert record["judged"]["smart_home"]["after"]["policy"]["idle"] == 300
    shown = capsys.readouterr().out
    assert "Of 1,800 judged, 1,500 are of conversations fitted on" in shown
    assert len(re.findall(r"^\| all \|", shown, re.M)) == 3
    first = out.read_bytes()
    assert main(["--fit", *reports[:2], "--judge", *reports, "--out", str(out)]) == 0
    assert out.read_bytes() == first


def test_bars_are_met_or_not(files: list[Path]) -> None:
    record = calibrate(files, files)
    after = record["judged"]["all"]["after"]
    after |= {"ece": 0.0304, "reach": {"threshold": 0.7, "coverage": 0.9, "right": 0.995}}
    after["policy"] |= {"executed": 900, "right": 896, "doubt": 100}
    rows = {name: made.split("\n")[2] for name, made in calibration_tables(record).items()}
    assert {name: re.split(r" \| ", row)[-1] for name, row in rows.items()} == {
        "ece": "met |",
        "coverage": "met |",
        "policy": "met |",
    }
    after |= {"ece": 0.0306, "reach": None}
    after["policy"]["right"] = 890
    assert calibration_tables(record)["policy"].split("\n")[2].endswith("→ 98.9 | not met |")
    assert "→ - | - |" in calibration_tables(record)["coverage"].split("\n")[2]
    assert calibration_tables(record)["ece"].split("\n")[2].endswith("| not met |")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"features": ["log_confidence"]}, "log_least"),
        ({"features": None}, "features"),
        ({"calls": [{"conversation": 0}]}, "features"),
        ({"calls": []}, "all the same"),
        ({"catalog": "garden"}, "garden"),
        ({"bench": {"kind": "loose", "model": {"weights_sha256": "cd" * 32}}}, "several models"),
    ],
)
def test_unfit_reports_are_refused(
    change: Json, told: str, files: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = put(tmp_path / "bad.json", {**json.loads(files[0].read_text()), **change})
    words = [
        "--fit",
        str(bad),
        "--judge",
        str(files[1]),
        str(bad),
        "--out",
        str(tmp_path / "c.json"),
    ]
    assert main(words) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "c.json").exists()


# Into a model.


@pytest.fixture
def fitted(tmp_path: Path) -> Path:
    """A calibration on the weights of `write_model`."""
    weights = dict.fromkeys(FEATURES, 0.5)
    told = {"turns": 9, "ece": 0.01, "weights_sha256": digest(WEIGHTS)}
    record = {"intercept": 1.0, "weights": weights, "fitted": told, "judged": {"long": "story"}}
    return put(tmp_path / "models" / "tiny" / "calibration.json", record)


def test_putting_keeps_the_rest_of_the_contract(fitted: Path, tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model")
    before = open_model(folder).contract
    assert main(["--put", str(fitted), str(folder)]) == 0
    after = dict(open_model(folder).contract)
    added = after.pop("calibration")
    assert after == before
    assert added.keys() == {"intercept", "weights", "fitted"}
    assert read_calibration(added) is not None
    assert {path.name for path in folder.iterdir()} == {*before["files"], "model.json"}


@pytest.mark.parametrize("fault", ["other weights", "no fit", "broken", "no model"])
def test_a_fit_that_does_not_belong_is_not_put(
    fault: str, fitted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_model(tmp_path / "model", b"others" if fault == "other weights" else WEIGHTS)
    before = (folder / "model.json").read_bytes()
    if fault == "no fit":
        fitted.unlink()
    elif fault == "broken":
        put(fitted, {"intercept": 1.0, "weights": {"log_tool": 1.0}, "fitted": {}})
    elif fault == "no model":
        folder = tmp_path
    assert main(["--put", str(fitted), str(folder)]) == 2
    assert "bench.calibrate: " in capsys.readouterr().err
    assert fault == "no model" or (folder / "model.json").read_bytes() == before


def test_releasing_puts_the_fit_of_these_weights_and_leaves_out_another(
    fitted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    served = fitted.parent / "served"
    size = release(write_model(tmp_path / "built"), served)
    assert open_model(served).contract["calibration"]["intercept"] == 1.0
    assert size == sum(path.stat().st_size for path in served.iterdir())
    assert not capsys.readouterr().err
    release(write_model(tmp_path / "other", b"other weights"), served)
    assert "calibration" not in open_model(served).contract
    assert "fit again" in capsys.readouterr().err


# On the card.


@pytest.mark.parametrize("ours", [True, False])
def test_the_card_tells_a_calibration_of_its_model(
    ours: bool, files: list[Path], place: Path, tmp_path: Path
) -> None:
    out = place / "offhand-270m" / "calibration.json"
    assert main(["--fit", *map(str, files), "--out", str(out)]) == 0
    record = json.loads(out.read_text())
    if not ours:
        record["fitted"]["weights_sha256"] = "cd" * 32
        put(out, record)
    assert card_main(words_of(place)) == 0
    card = (place / "offhand-270m" / "README.md").read_text("utf-8")
    section = card.split("## Confidence\n")[1].split("\n## ")[0]
    picture = place / "offhand-270m" / "pictures" / "reliability.svg"
    assert picture.exists() == ("pictures/reliability.svg" in card) == ours
    assert ("| banking, public conversations | 300 |" in section) == ours
    assert ("| data | ECE | surest 90% |" in section) != ours
    names = "{banking.loose.fp32,smart_home.loose.fp32,banking.public.fp32}.json"
    assert (f"python -m bench.calibrate --fit reports/{names} " in section) == ours


def test_a_broken_calibration_leaves_the_card_as_it_was(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(place / "offhand-270m" / "calibration.json", {"judged": {}})
    assert card_main(words_of(place)) == 2
    assert "calibration.json" in capsys.readouterr().err
    assert not (place / "offhand-270m" / "README.md").exists()
