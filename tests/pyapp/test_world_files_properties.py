"""Whatever is asked of the files, they stay a tree that can be saved, and all can be undone."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from offhand.dialect import ToolCall
from offhand.journal import Journal
from offhand.worlds.files import Files
from offhand.worlds.files_tree import ABOVE_HOME, HOME, Tree, parent, within
from offhand.worlds.files_zip import export, load
from tests.pyapp.file_calls import SLOTS, SMALL, calls

FILES = Files()
CHAINS = st.lists(calls(outside=True), max_size=12)
READING = {"pwd", "ls", "cat", "find", "wc", "sort", "grep", "du", "tail", "diff"}


class Small(Files):
    """The same world with a smaller beginning."""

    def begin(self) -> Tree:
        return SMALL


SMALL_FILES = Small()


def sound(tree: Tree) -> None:
    """Every path lies in a folder, home is where it was, the current folder is one."""
    assert {*ABOVE_HOME, HOME} <= tree.entries.keys()
    assert all(tree.is_folder(parent(path)) for path in tree.entries)
    assert all(within(path, HOME) or path in ABOVE_HOME for path in tree.entries)
    assert tree.is_folder(tree.cwd)
    assert Tree.of(tree.below_home(), tree.cwd) == tree
    assert FILES.read(json.loads(json.dumps(FILES.dump(tree)))) == tree
    assert load(export(tree)).entries == tree.entries
    json.dumps(FILES.view(tree))


def touched(before: Tree, after: Tree) -> set[str]:
    """Paths that two trees do not have in common, or with other texts."""
    return {path for path, _ in before.entries.items() ^ after.entries.items()}


@settings(max_examples=80, deadline=None)
@given(CHAINS)
def test_files_stay_sound(chain: list[ToolCall]) -> None:
    tree = SMALL
    for call in chain:
        question = FILES.danger(tree, call)
        outcome = FILES.apply(tree, call)
        assert outcome.text.endswith((".", "?"))
        assert outcome.data
        assert outcome.data["error"] is not outcome.ok
        assert set(outcome.changed) >= touched(tree, outcome.state)
        if not outcome.ok or call.name in READING:
            assert outcome.state is tree
        if not outcome.ok:
            assert outcome.data["output"]
            assert (question, outcome.changed) == (None, ())
        # Nothing that a file says is ever gone without a question.
        texts = {path for path, text in tree.entries.items() if text}
        kept = {text for text in outcome.state.entries.values() if text}
        if not question and call.name == "mv":
            assert {tree.entries[path] for path in texts} <= kept
        elif not question:
            assert not texts & touched(tree, outcome.state)
        tree = outcome.state
        sound(tree)


@settings(max_examples=50, deadline=None)
@given(CHAINS)
def test_all_can_be_undone(chain: list[ToolCall]) -> None:
    journal = Journal.begin(SMALL_FILES)
    states = [journal.state]
    for number, call in enumerate(chain):
        before = len(journal.events)
        journal, _ = journal.do(str(number), call)
        states += [journal.state] * (len(journal.events) - before)
    assert Journal.read(SMALL_FILES, json.loads(json.dumps(journal.record()))) == journal
    for state in reversed(states):
        assert journal.state == state
        journal, _ = journal.undo()
    assert journal.state == SMALL


@settings(max_examples=50, deadline=None)
@given(CHAINS, st.sampled_from(sorted(SLOTS)))
def test_what_is_offered_can_be_done(chain: list[ToolCall], command: str) -> None:
    tree = SMALL
    for call in chain:
        tree = FILES.apply(tree, call).state
    for slot in SLOTS[command]:
        options = FILES.options(tree, ToolCall(command), slot)
        assert len(options) <= 8
        for option in options if slot not in ("destination", "mode") else ():
            given = {name: option.value for name in SLOTS[command] if name.startswith("file_name")}
            given |= {"pattern": "o"} if command == "grep" else {}
            given |= {"destination": "other"} if "destination" in SLOTS[command] else {}
            outcome = FILES.apply(tree, ToolCall(command, given | {slot: option.value}))
            assert outcome.ok or "home" in outcome.text or "into itself" in outcome.text
