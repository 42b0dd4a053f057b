"""What the benchmark says to the page: one conversation a catalog, the same at every run."""

CONVERSATIONS = {
    "smart_home": (
        "Turn off the kitchen lights",
        "and the ones in the hallway",
        "Make it 68 degrees in here",
        "Is the garage door locked?",
        "Lock it please",
        "Good night, set everything up for bed",
    ),
    "banking": (
        "hi there",
        "how much do I have in savings",
        "move two hundred and fifty dollars over to checking",
        "I lost my debit card it ends in four four one two",
        "uh send me a new one",
        "thanks that's all",
    ),
}
