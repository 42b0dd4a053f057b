"""Things said to the agent itself, not to its tools: yes, no, undo, never mind, help, a person.

They are matched as whole messages, in a few dozen fixed wordings, before the model is asked; what
is not among them goes to the model. A "yes" means something only while a question is open, so what
a phrase does is decided in `agent`.
"""

from __future__ import annotations

import re

YES, NO, UNDO, NEVER_MIND, HELP, PERSON = "yes", "no", "undo", "never_mind", "help", "person"

_PHRASES = {
    YES: """yes|y|yeah|yea|yep|yup|sure|ok|okay|k|please do|do it|go ahead|go on|confirm|confirmed
        |correct|right|that's right|that is right|exactly|of course|absolutely|fine|sounds good
        |yes please|yeah please|yes do it|yeah do it|yes go ahead|yeah go ahead|ok do it
        |sure go ahead|affirmative|please|by all means|yes that's right|yes i'm sure|i'm sure
        |i am sure""",
    NO: """no|n|nope|nah|no thanks|no thank you|don't|do not|don't do it|don't do that|stop|cancel
        |cancel that|abort|rather not|better not|no don't|no stop|not now|no way|neither
        |none of these|none of them|no not that""",
    UNDO: """undo|undo that|undo it|undo this|undo the last one|undo the last thing|revert
        |revert that|take that back|take it back|put it back|put that back|roll it back|roll back
        |roll that back|please undo|please undo that|can you undo that|undo please|undo that please
        |go back one step|one step back""",
    NEVER_MIND: """never mind|nevermind|nvm|forget it|forget that|forget about it|leave it
        |drop it|scratch that|skip it|skip that|let it be|don't bother|never mind then""",
    HELP: """help|help me|what can you do|what can i say|what can i ask|what do you do|commands
        |how does this work|what are my options|what can i do here|what can i do|show help|?""",
    PERSON: """human|a human please|talk to a human|talk to a person|speak to a human
        |speak to a person|i want a human|i want to talk to a human|i want to talk to a person
        |can i talk to a person|can i talk to a human|get me a person|get me a human
        |real person|a real person please|hand over|hand me over""",
}
_MEANING = {
    " ".join(phrase.split()): meaning
    for meaning, listed in _PHRASES.items()
    for phrase in listed.split("|")
}
_FIXED = re.compile(
    r"(no|nope|nah|sorry|oops|wait|actually|not|i meant|i mean|make that|rather|instead"
    r"|scratch that|correction)\b[\s,.!:;-]*[^\s,.!:;-]"
)
_MORE = re.compile(r"\b(also|as well|in addition|another|too[.!]*\Z)")


def meaning(text: str) -> str | None:
    """What the message says to the agent itself; None where it is for the tools."""
    return _MEANING.get(_plain(text))


def corrects(text: str) -> bool:
    """Whether the message sets out to correct what has just been done ("no, the garage").

    What asks for something more ("actually, the hallway too") does not.
    """
    low = text.strip().lower().replace("\u2019", "'")
    return _FIXED.match(low) is not None and _MORE.search(low) is None


def _plain(text: str) -> str:
    low = text.lower().replace("\u2019", "'").strip()
    bare = low if low == "?" else re.sub(r"[\s.,!?;:]+", " ", low).strip()
    return bare
