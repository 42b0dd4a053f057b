"""What the benchmark says to the page: one conversation a catalog, the same at every run."""

CONVERSATIONS = {
    "smart_home": (
        "Turn off the kitchen lights",
        "and the ones in the hallway",
        "Make it 68 degrees in here",
        "Is the garage door locked?",
        "Lock it please",
        "It's dark in the office",
        "no, the bedroom",
        "Good night, set everything up for bed",
    ),
    "banking": (
        "hi there",
        "how much do I have in savings",
        "move two hundred and fifty dollars over to checking",
        "pay my electric bill, eighty dollars from checking",
        "I lost my debit card it ends in four oh seven one",
        "uh send me a new one",
        "send me last month's statement for savings",
        "thanks that's all",
    ),
    "files": (
        "What's in this folder?",
        "Make a folder called archive",
        "Move draft.txt into it",
        "Show me the last 5 lines of server.log",
        "Which lines of server.log mention timeout?",
        "Write 'call the bank' into todo.txt",
        "How many words does report.md have?",
        "Go up one folder",
    ),
}
