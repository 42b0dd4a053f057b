"""Conversations with the files."""

from __future__ import annotations

from offhand.worlds.files_tree import HOME
from tests.conversations.script import Script, called, clicked, reload, said, stale

YES_NO = ("Yes", "No")
HAND_OVER = "Hand over to a person"


def there(*names: str) -> dict[str, str | None]:
    """That these files are at home."""
    return {f"{HOME}/{name}": "file" for name in names}


def gone(*names: str) -> dict[str, str | None]:
    """That these are not."""
    return {f"{HOME}/{name}": None for name in names}


DELETE = said(
    "Delete draft.txt",
    "confirm",
    "Delete draft.txt?",
    called("rm", file_name="draft.txt"),
    there("draft.txt"),
    YES_NO,
)
SHOW = said(
    "Show me notes.txt",
    "answer",
    call=called("cat", file_name="notes.txt"),
    shows="Call the dentist on Monday",
)

FILES = (
    Script(
        "looking around",
        (
            said("What is in here?", "answer", call=called("ls"), shows="shopping.txt"),
            said("Show the hidden files too", "answer", call=called("ls", a=True), shows=".bashrc"),
            SHOW,
            said(
                "How many lines are in shopping.txt?",
                "answer",
                "4 lines",
                called("wc", file_name="shopping.txt"),
            ),
            said(
                "Sort shopping.txt",
                "answer",
                call=called("sort", file_name="shopping.txt"),
                shows="apples bread coffee rice",
            ),
        ),
    ),
    Script(
        "a file is asked for and chosen",
        (
            said("show me a file", "ask", "Which file?", called("cat"), offers=("report.md",)),
            clicked("notes.txt", "answer", shows="Call the dentist on Monday"),
            said("delete a file", "ask", "Which file?", called("rm"), offers=("draft.txt",)),
            clicked("draft.txt", "confirm", "Delete draft.txt?", there("draft.txt")),
            clicked("Yes", "done", "Deleted draft.txt.", gone("draft.txt"), ("Undo",)),
            clicked("Undo", "done", "Undone: delete draft.txt.", there("draft.txt")),
        ),
    ),
    Script(
        "a name is asked for and typed",
        (
            said("make a new folder", "ask", "What is the folder called?", called("mkdir")),
            said(
                "recipes",
                "done",
                "Made the folder recipes.",
                called("mkdir", dir_name="recipes"),
                {f"{HOME}/recipes": "folder"},
            ),
            said("undo", "done", "Undone", facts=gone("recipes")),
        ),
    ),
    Script(
        "into a folder and out again",
        (
            said(
                "Go to documents",
                "done",
                "documents",
                called("cd", folder="documents"),
                {"cwd": "~/documents"},
            ),
            said("Where are we?", "answer", "documents", called("pwd")),
            said(
                "Show me letter.txt",
                "answer",
                call=called("cat", file_name="letter.txt"),
                shows="Dear Ines,",
            ),
            said("Go up one level", "done", call=called("cd", folder=".."), facts={"cwd": "~"}),
            said("undo", "done", facts={"cwd": "~/documents"}),
            said("undo", "done", facts={"cwd": "~"}),
            said("undo", "said", "There is nothing to undo."),
        ),
    ),
    Script(
        "a file is deleted and brought back",
        (
            DELETE,
            said("no", "said", "nothing was done", facts=there("draft.txt")),
            DELETE,
            said("yes", "done", "Deleted draft.txt.", facts=gone("draft.txt")),
            said(
                "Show me draft.txt",
                "refused",
                "draft.txt",
                called("cat", file_name="draft.txt"),
                shows="No such file or directory",
            ),
            said("undo", "done", "Undone: delete draft.txt.", facts=there("draft.txt")),
            said(
                "Show me draft.txt",
                "answer",
                call=called("cat", file_name="draft.txt"),
                shows="To say on Friday",
            ),
        ),
    ),
    Script(
        "a file is overwritten after a question",
        (
            said(
                "Write 'buy milk' to shopping.txt",
                "confirm",
                "shopping.txt exists already. Overwrite it?",
                called("echo", content="buy milk", file_name="shopping.txt"),
            ),
            clicked("No", "said", "nothing was done"),
            said(
                "Show me shopping.txt",
                "answer",
                call=called("cat", file_name="shopping.txt"),
                shows="bread apples",
            ),
            said(
                "Write 'buy milk' to shopping.txt",
                "confirm",
                "Overwrite it?",
                called("echo", content="buy milk", file_name="shopping.txt"),
            ),
            clicked("Yes", "done", "shopping.txt"),
            said(
                "Show me shopping.txt",
                "answer",
                "1 line",
                called("cat", file_name="shopping.txt"),
                shows="buy milk",
            ),
            said("undo", "done", "Undone"),
            said(
                "Show me shopping.txt",
                "answer",
                call=called("cat", file_name="shopping.txt"),
                shows="bread apples",
            ),
        ),
    ),
    Script(
        "a copy is corrected",
        (
            said(
                "Copy notes.txt to archive",
                "done",
                "archive",
                called("cp", source="notes.txt", destination="archive"),
                there("archive/notes.txt"),
            ),
            said(
                "no, to documents",
                "done",
                "Corrected.",
                called("cp", source="notes.txt", destination="documents"),
                {**gone("archive/notes.txt"), **there("documents/notes.txt")},
            ),
            said("undo", "done", "Undone", facts=gone("documents/notes.txt")),
        ),
    ),
    Script(
        "a rename is undone, another asks first",
        (
            said(
                "Rename draft.txt to final.txt",
                "done",
                "Renamed draft.txt to final.txt.",
                called("mv", source="draft.txt", destination="final.txt"),
                {**there("final.txt"), **gone("draft.txt")},
            ),
            clicked("Undo", "done", "Undone", {**there("draft.txt"), **gone("final.txt")}),
            said(
                "Move draft.txt to report.md",
                "confirm",
                "report.md exists already. Overwrite it?",
                called("mv", source="draft.txt", destination="report.md"),
                there("draft.txt", "report.md"),
            ),
            said("yes", "done", "report.md", facts=gone("draft.txt")),
            clicked("Undo", "done", "Undone", there("draft.txt", "report.md")),
            stale("Undo", there("draft.txt", "report.md")),
        ),
    ),
    Script(
        "a new name is asked for and typed",
        (
            said("rename a file", "ask", "Which file or folder?", called("mv")),
            clicked("draft.txt", "ask", "under what name?", there("draft.txt"), ("documents",)),
            said(
                "final.txt",
                "done",
                "Renamed draft.txt to final.txt.",
                called("mv", source="draft.txt", destination="final.txt"),
                {**there("final.txt"), **gone("draft.txt")},
            ),
        ),
    ),
    Script(
        "a folder with all it holds",
        (
            said(
                "Delete projects and everything in it",
                "confirm",
                "Delete projects and the 8 things in it?",
                called("rm", file_name="projects"),
                {f"{HOME}/projects": "folder"},
            ),
            clicked("Yes", "done", "Deleted projects", gone("projects", "projects/weather")),
            clicked("Undo", "done", "Undone", there("projects/weather/config.json")),
        ),
    ),
    Script(
        "a folder that is not empty stays",
        (
            said(
                "Remove the folder documents",
                "refused",
                "not empty",
                called("rmdir", dir_name="documents"),
                {f"{HOME}/documents": "folder"},
                shows="Directory not empty",
            ),
            said(
                "Remove the folder archive",
                "done",
                "archive",
                called("rmdir", dir_name="archive"),
                gone("archive"),
            ),
            said("undo", "done", "Undone", facts={f"{HOME}/archive": "folder"}),
        ),
    ),
    Script(
        "there is no such file",
        (
            said(
                "Show me missing.txt",
                "refused",
                "There is no file called missing.txt.",
                called("cat", file_name="missing.txt"),
                shows="No such file or directory",
            ),
            said(
                "Show me letter.txt",
                "refused",
                "letter.txt",
                called("cat", file_name="letter.txt"),
            ),
            said(
                "Show me todo.txt",
                "refused",
                "todo.txt",
                called("cat", file_name="todo.txt"),
                offers=(HAND_OVER,),
            ),
            clicked(HAND_OVER, "handover", "a person"),
            SHOW,
        ),
    ),
    Script(
        "another topic and back",
        (
            DELETE,
            said(
                "How many words are in report.md?",
                "answer",
                "61 words",
                called("wc", file_name="report.md", mode="w"),
                there("draft.txt"),
            ),
            stale("Yes", there("draft.txt")),
            DELETE,
            said("never mind", "said", "nothing was done", facts=there("draft.txt")),
            said("undo", "said", "There is nothing to undo."),
        ),
    ),
    Script(
        "everything is undone",
        (
            said(
                "Create a file called todo.txt",
                "done",
                "todo.txt",
                called("touch", file_name="todo.txt"),
                there("todo.txt"),
            ),
            said(
                "Write 'buy milk' to todo.txt",
                "done",
                "todo.txt",
                called("echo", content="buy milk", file_name="todo.txt"),
            ),
            said(
                "Show me todo.txt",
                "answer",
                call=called("cat", file_name="todo.txt"),
                shows="buy milk",
            ),
            said("undo", "done", "Undone", facts=there("todo.txt")),
            said("undo", "done", "Undone", facts=gone("todo.txt")),
            said("undo", "said", "There is nothing to undo."),
        ),
    ),
    Script(
        "help and a person on request",
        (
            said("what can you do", "said", "Try"),
            said("yes", "said", "no open question"),
            said("talk to a person", "handover", "a person"),
            SHOW,
        ),
    ),
    Script(
        "a reload in the middle of a question",
        (
            DELETE,
            reload(there("draft.txt"), YES_NO),
            clicked("Yes", "done", "Deleted draft.txt.", gone("draft.txt")),
            reload(gone("draft.txt"), ("Undo",)),
            said("undo", "done", "Undone: delete draft.txt.", facts=there("draft.txt")),
        ),
    ),
    Script(
        "a reload in a folder, before a correction",
        (
            said(
                "Go to documents",
                "done",
                call=called("cd", folder="documents"),
                facts={"cwd": "~/documents"},
            ),
            reload({"cwd": "~/documents"}),
            said(
                "no, photos",
                "done",
                "Corrected.",
                called("cd", folder="photos"),
                {"cwd": "~/photos"},
            ),
        ),
    ),
)
