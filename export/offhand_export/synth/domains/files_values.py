"""Names, contents and search texts that people use in a small file system.

Hundreds of written words and phrases are put together in the many shapes that names really have:
spaces, dashes, dates, versions, capitals, no extension. Whether a name is quoted in a message is a
habit of the writer, not of the name (see `files`).
"""

from __future__ import annotations

import random

from offhand_export.synth.domains.files_shapes import (
    Draw,
    as_sentences,
    deep,
    mark,
    rare_stem,
    with_siblings,
)
from offhand_export.synth.values import Kind


def _words(text: str) -> list[str]:
    return text.split()


def _phrases(text: str) -> list[str]:
    return [phrase.strip() for phrase in text.split("|")]


_TOPICS = _words(
    """
    report notes draft summary budget invoice receipt resume cover letter essay thesis chapter
    outline agenda minutes proposal contract lease plan schedule roster inventory catalog menu
    recipe shopping groceries packing wishlist todo tasks ideas journal diary log poem lyrics
    story script song playlist guests budgeting expenses taxes payroll salaries clients
    customers orders sales leads contacts addresses students grades homework assignment quiz
    exam lecture slides syllabus lab results experiment data dataset readings sensor
    measurements survey answers questions feedback review comments changelog release version
    config settings profile account users passwords keys tokens secrets access error errors
    server client main index app test tests utils helpers model train train_data features
    weights output input sample example template backup archive old new final temp scratch
    misc photo photos album vacation trip flights hotel itinerary wedding birthday party gift
    garden house repairs car insurance medical health workout diet meals training race match
    team players scores season league stats analysis forecast weather traffic energy usage
    water climate project roadmap milestones sprint backlog bugs issues tickets incident
    outage deploy build docker nginx database schema migration query queries dump export
    import cache session cookie router network firewall hosts letter memo newsletter speech
    quotes glossary bibliography references sources research paper abstract findings methods
    discussion appendix figures table chart map directions manual guide tutorial readme
    license credits faq welcome about contact team board meeting standup retro interview
    candidate onboarding policy procedures audit compliance risk legal patent warranty order
    shipment tracking warehouse stock prices quote
    """
)
_QUALIFIERS = _words(
    """
    old new final draft raw clean annual weekly daily monthly quarterly yearly first second
    last my our shared internal public private temp test prod staging dev local remote full
    short long big small updated revised signed unsigned copy backup sorted merged combined
    filtered english french spanish german spring summer autumn winter january february march
    april may june july august september october november december monday friday q1 q2 q3 q4
    north south east west alpha beta gamma anna tom maria ravi chen lucas kids family office
    home school work team marketing finance hr legal engineering science history math physics
    biology
    """
)
_PLAIN = _words(
    """
    txt txt txt txt md md log csv json doc docx pdf
    """
)
_MANY = _words(
    """
    py js ts html css yaml yml xml ini cfg conf toml sh rb go rs java c cpp h sql tex rst tsv
    bak dat out list php swift kt pl lua r m ipynb env lock properties bat ps1 gradle odt rtf
    xlsx pptx srt vtt ics vcf bib
    """
)
_FIXED = _words(
    """
    README.md README LICENSE Makefile Dockerfile CHANGELOG.md TODO NOTES main.py index.html
    app.js style.css package.json requirements.txt setup.py .gitignore .env .bashrc .zshrc
    .vimrc .profile .npmrc .editorconfig docker-compose.yml config.yaml settings.ini hosts
    passwd crontab syslog access.log error.log debug.log server.log auth.log nginx.conf
    schema.sql Gemfile Procfile Cargo.toml go.mod tsconfig.json pom.xml pyproject.toml tox.ini
    .htaccess robots.txt sitemap.xml id_rsa.pub known_hosts authorized_keys Untitled.txt
    Document1.docx IMG_2041.txt a.txt b.txt x.log foo.txt bar.txt baz test1 file1.txt
    file2.txt
    """
)
_FOLDERS = _words(
    """
    src docs test tests lib bin build dist assets images photos pictures music videos
    downloads documents desktop projects work archive archives backup backups old new tmp temp
    logs data raw processed output outputs results reports invoices receipts taxes budget
    finance hr legal marketing sales clients customers contracts drafts final notes letters
    essays homework assignments lectures labs school college thesis research papers references
    templates samples examples scripts tools utils config settings public private shared
    personal family kids recipes travel trips vacation wedding birthday garden house car
    health fitness music_sheets podcasts ebooks novels poems stories games mods saves
    screenshots wallpapers icons fonts css js styles components pages api server client
    database migrations models views controllers services handlers deploy docker k8s infra
    terraform monitoring releases vendor packages modules plugins themes locales cache
    sessions uploads inbox outbox spam trash misc stuff sandbox playground experiments
    prototypes demo workspace staging production archive_2021 Projects Documents Downloads
    Pictures Desktop Music Videos Library Reports
    """
)
_TEXTS = _phrases(
    """
    hello world|hello|hi there|goodbye|good morning everyone|hello from the other side|
    remember the milk|buy milk and eggs|milk, eggs, bread|milk, eggs, tea|
    apples, pears and plums|rice, lentils, onions, ginger|call mom on sunday|
    call the dentist|dentist at 3pm|pick up the dry cleaning|feed the cat|water the plants|
    meeting at 10|meeting moved to thursday 2pm|lunch with Sam at noon|standup at 9:30|
    flight BA 217 at 06:45|TODO: fix the login bug|TODO: write tests|FIXME later|
    work in progress|do not delete|do not touch this file|first line|second line|line one|
    test|testing 123|testing, testing, 1 2 3|this is a test|just a test|lorem ipsum|
    the quick brown fox jumps over the lazy dog|to be or not to be|once upon a time|
    it was a dark and stormy night|all work and no play|roses are red, violets are blue|
    I love you|happy birthday!|Happy New Year!|Merry Christmas|congratulations to the team|
    thanks for everything|see you tomorrow|be back in 5 minutes|out of office until monday|
    password123|hunter2|correct horse battery staple|admin:admin|user=root|DEBUG=true|
    PORT=8080|API_KEY=abc123|export PATH=/usr/local/bin|import os|print('hi')|
    console.log(1)|SELECT * FROM users|int main() {}|<h1>Welcome</h1>|name,age,city|
    id;name;price|anna,34,berlin|1,2,3,4,5|1 2 3|42|3.14159|2024-01-31|100%|$49.99|-1|0|A+|
    total: 350 euros|rent: 1200|budget is 5000 dollars|invoice 1042 paid|
    order #5521 shipped|balance due: $310.50|version 2.0|v1.3.7|release on friday|
    build passed|build failed|all tests green|error: disk full|status: OK|
    server down since 4am|restart needed|backup finished at 02:00|migration complete|
    deploy after lunch|rollback plan|Dear Ms. Patel, thank you for your letter|Dear team|
    Yours sincerely, Tom|best regards|kind regards, Maria|To whom it may concern|I resign|
    we accept the offer|contract signed by both parties|approved|rejected|pending|
    chapter one|The End|to be continued|draft only|confidential|top secret|
    for internal use only|public domain|wifi password is sunflower42|door code 4471|
    locker 12|room 305|parking spot B7|gate 14|seat 22A|2 cups flour, 1 cup sugar, 3 eggs|
    bake at 180 for 40 minutes|add salt to taste|simmer for an hour|let it rest|
    run 5k on saturday|10 pushups, 20 squats|weight: 71.5 kg|slept 6 hours|
    drink more water|no sugar this week|homework due friday|study for the exam|
    read pages 40 to 60|photosynthesis needs light|E = mc^2|a squared plus b squared|
    Water boils at 100 degrees|the mitochondria is the powerhouse of the cell|
    Paris is the capital of France|never give up|stay hungry, stay foolish|less is more|
    carpe diem|keep calm and carry on|live, laugh, love|no news is good news|time flies|
    practice makes perfect|here be dragons|winter is coming|may the force be with you|
    anna@example.com|www.example.com|+44 20 7946 0018|555-0134|12 Elm Street, Leeds|
    Berlin, Germany|hola mundo|bonjour|guten tag|ciao bella|namaste|arigato|que sera sera|
    c'est la vie|what a day!|is anybody there?|who ate my sandwich?|really?!|yes|no|maybe|
    ok|done|none|n/a|blank|project kickoff went well|ask Priya about the numbers|
    send slides to Lee|review PR 88|merge after review|new office opens in March|
    printer is broken again|coffee machine fixed|fire drill tuesday|bring your laptop|
    the password has been changed|three items are missing|two boxes left|
    everything is fine|nothing to report|ideas: podcast, blog, newsletter|red, green, blue|
    monday, wednesday, friday|spades, hearts, clubs|cats > dogs|Team A won 3-2|
    final score 21 to 14|the winner is number 7|Game over|insert coin|Level 5 unlocked|
    temperature 21.5C|humidity 40%|lat 52.5, lon 13.4|sensor 3 offline|reading: 0.0042|
    sample size n=120|collaboration is the key to success|synergy report Q3|
    growth was 4.2 percent|sales up, costs down|next steps unclear|Quarterly targets met|
    please review by friday|needs more work|final answer|second draft|edited by Jo|
    Copyright 2024|name: Ravi; age: 41; city: Pune|x,y,z|0.5,1.25,7|a: 1, b: 2|id,score|
    Mon: gym; Tue: swim; Wed: rest|09:00 maths, 10:30 biology, 13:00 art|3x eggs, 2x flour|
    1. wash 2. peel 3. chop|alpha -> beta -> gamma|- bread - butter - jam|A: 12 / B: 9 / C: 15|
    Q: why? A: because|host=10.0.0.5; port=22; user=ops|{"id": 7, "ok": true}|[1, 2, 3]|
    key: value|first line\\nsecond line|10% off, code SPRING24|To: Lee, From: Ada, Re: budget|
    The experiment failed, so we will repeat it on tuesday with 40 samples|
    Photos from the trip are on the red drive, ask Mateo for the key|
    Sales rose 4%.|Costs fell by 12.5%, see page 3.|Dear all: the office is closed on Monday.|
    It's done.|Don't forget the keys!|Who's on call tonight?|Final score: 3-1.|CLOSED UNTIL MAY|
    Phase 2 starts at 9:00.|Thank you, and good night.|Note: see appendix B.|We're at 87%|
    Wait, what?|OK.|Yes, we can.|Mind the gap.|Room 4 is free.|N.B. check twice.|etc.
    """
)
_WORDS = _words(
    """
    error warning timeout failed failure exception denied refused TODO FIXME BUG HACK import
    def class return main null None true false password user admin root login logout session
    token key secret host port http https GET POST 404 500 403 200 connection database query
    SELECT INSERT total sum price amount invoice paid unpaid overdue due discount tax budget
    salary name email phone address city country date time monday friday january april 2021
    2022 2023 2024 version release update install deploy deprecated debug info critical fatal
    panic success ok done pending approved rejected draft final urgent important secret
    confidential milk eggs sugar flour butter cat dog love hope dream king queen whale dragon
    london paris berlin tokyo anna smith garcia patel nguyen kim manager director engineer
    teacher student science energy climate water carbon protein virus goal score win lose team
    player meeting agenda deadline milestone risk issue blocker feature test assert localhost
    127.0.0.1 192.168.1.10 0x1F ORDER-1042 #42 @anna .com www foo bar baz lorem ipsum hello
    world
    """
)
_PHRASES = _phrases(
    """
    out of memory|connection refused|permission denied|file not found|not found|
    access denied|disk full|login failed|invalid token|null pointer|stack trace|
    segmentation fault|time out|too many requests|machine learning|climate change|
    net income|gross profit|project manager|next steps|action items|due date|annual report|
    thank you|best regards|New York|San Francisco|John Smith|happy birthday|total cost|
    unit price|remember the milk|once upon a time|the end|to be continued|page 3|
    chapter two|Q3 results|order number|import os|def main|return None|console.log|TODO:|
    ERROR 500|user_id|api_key|end of file|status=failed|open source|data loss|
    customer complaint|refund policy|terms and conditions|signed by|paid in full
    """
)
_BASES = _words(
    """
    /tmp /var /etc /home /usr /opt /srv /mnt /data
    """
)

_DOUBLE = ("tar.gz", "txt.bak", "test.js", "min.css", "old.txt", "csv.gz", "d.ts")
_STATES = ("late", "ready", "missing", "great", "on hold", "cancelled")


def _joined(words: list[str], rng: random.Random) -> str:
    """Words put together as one person names things."""
    way = rng.choices(range(8), (30, 20, 10, 9, 9, 5, 9, 8))[0]
    if way == 0:
        return "_".join(words)
    if way == 1:
        return "-".join(words)
    if way == 2:
        return " ".join(words)
    if way == 3:
        return "".join(word.capitalize() for word in words)
    if way == 4:
        return words[0] + "".join(word.capitalize() for word in words[1:])
    if way == 5:
        return "_".join(words).upper()
    if way == 6:
        return "_".join(word.capitalize() for word in words)
    return "".join(words)


def _stem(rng: random.Random, topics: list[str]) -> str:
    if rng.random() < 0.1:
        return rare_stem(rng)
    words = [rng.choice(topics)]
    if rng.random() < 0.55:
        words.insert(0, rng.choice(_QUALIFIERS))
    if rng.random() < 0.22:
        words.append(rng.choice(topics))
    if rng.random() < 0.3:
        words.append(mark(rng))
    if words[0] == words[-1]:
        words = words[:1]
    return _joined(words, rng) if len(words) > 1 or rng.random() < 0.2 else words[0]


def draw_file(rng: random.Random) -> str:
    """A file name."""
    way = rng.random()
    if way < 0.09:
        return rng.choice(_FIXED)
    stem = _stem(rng, _TOPICS)
    if way < 0.16:
        return stem if " " not in stem else stem.replace(" ", "_")
    if way < 0.19:
        return f".{stem.replace(' ', '_').lower()}"
    if way < 0.22:
        return f"{stem}.{rng.choice(_DOUBLE)}"
    if way < 0.26:
        return f"{deep(_FOLDERS, rng)}{stem.replace(' ', '_')}.{rng.choice(_PLAIN)}"
    return f"{stem}.{rng.choice(_PLAIN if way < 0.72 else _MANY)}"


def draw_folder(rng: random.Random) -> str:
    """A folder name, without slashes."""
    way = rng.random()
    if way < 0.5:
        return rng.choice(_FOLDERS)
    if way < 0.56:
        return f"{rng.choice(_FOLDERS)}{mark(rng)}"
    if way < 0.6:
        return rng.choice(
            (".git", ".config", ".ssh", ".cache", ".venv", "node_modules", "__pycache__")
        )
    return _stem(rng, _FOLDERS if way < 0.8 else _TOPICS)


def draw_text(rng: random.Random) -> str:
    """What somebody writes into a file."""
    way = rng.random()
    if way < 0.62:
        return rng.choice(_TEXTS)
    topic, other = rng.choice(_TOPICS), rng.choice(_TOPICS)
    name = rng.choice(
        ("Anna", "Tom", "Priya", "Lee", "Omar", "Julia", "Chen", "Mateo", "Ingrid", "mom")
    )
    clock = f"{rng.randint(1, 12)}{rng.choice((':15', ':30', ':45', ''))}{rng.choice(('am', 'pm'))}"
    return rng.choice(
        (
            f"{topic}, {other}, {rng.choice(_TOPICS)}",
            f"{topic} and {other}",
            f"{topic}: {rng.randint(1, 900)}",
            f"{topic}={rng.randint(0, 99)}",
            f"call {name} about the {topic}",
            f"{name} has the {topic}",
            f"{topic} due {rng.choice(('monday', 'friday', 'tomorrow', 'in June'))}",
            f"send the {topic} to {name} by {clock}",
            f"{name} at {clock}",
            f"finish {topic}, then {other}",
            f"the {topic} is {rng.choice(_STATES)}",
            f"{rng.randint(2, 60)} {topic}",
            f"{topic} {mark(rng)}",
            f"Check the {topic} before the {other}!",
            f"where is the {topic}?",
            f"{topic},{other},{rng.randint(1, 99)}",
            f"{topic}: {rng.randint(1, 99)}; {other}: {rng.randint(1, 99)}",
            f"{name},{rng.randint(18, 80)},{topic}",
            f"{topic} | {other} | {rng.choice(_TOPICS)}",
            f"{name} | {topic} | {rng.randint(1, 99)}",
            f"{topic};{rng.randint(1, 9)};{rng.randint(1, 99)}.{rng.randint(10, 99)}",
        )
    )


def draw_pattern(rng: random.Random) -> str:
    """A text to search lines for."""
    way = rng.random()
    if way < 0.55:
        word = rng.choice(_WORDS)
        return word.upper() if rng.random() < 0.06 else word
    if way < 0.75:
        return rng.choice(_PHRASES)
    if way < 0.85:
        return rng.choice(_TOPICS)
    return rng.choice(
        (
            f"{rng.choice('ABCDEFGHKMT')}{rng.randint(100, 9999)}",
            f"{rng.choice(_QUALIFIERS)} {rng.choice(_TOPICS)}",
            f"{rng.randint(1990, 2026)}-{rng.randint(1, 12):02}",
            str(rng.randint(10, 9999)),
            f"{rng.choice(_TOPICS)}_{rng.choice(_TOPICS)}",
        )
    )


def draw_part(rng: random.Random) -> str:
    """A part of a name to look for."""
    way = rng.random()
    if way < 0.4:
        return rng.choice(_TOPICS)
    if way < 0.55:
        return f"{rng.choice(('.', '.', ''))}{rng.choice(_PLAIN + _MANY)}"
    if way < 0.62:
        return f"*.{rng.choice(_PLAIN + _MANY)}"
    if way < 0.72:
        return rng.choice(_QUALIFIERS)
    if way < 0.78:
        return str(rng.randint(2009, 2026))
    if way < 0.92:
        return draw_file(rng).rpartition("/")[2]
    return f"{rng.choice(_QUALIFIERS)}_{rng.choice(_TOPICS)}"


def draw_path(rng: random.Random) -> str:
    """A folder to search in: a name, or a path."""
    way = rng.random()
    if way < 0.5:
        return draw_folder(rng)
    parts = [rng.choice(_FOLDERS) for _ in range(rng.randint(1, 3))]
    base = rng.choice(("", "", "./", "/", "~/", "../", f"{rng.choice(_BASES)}/"))
    return (
        base + "/".join(parts) if len(parts) > 1 or base else f"{parts[0]}/{rng.choice(_FOLDERS)}"
    )


def draw_lines(rng: random.Random) -> int:
    """A number of lines, two or more."""
    return rng.choice(
        (rng.randint(2, 20), rng.randint(2, 9), rng.randint(2, 200), 5, 20, 25, 50, 100)
    )


def _copied(draw: Draw) -> Kind:
    return Kind(draw, lambda value, rng: str(value), copied=True)


COPIED = {
    "file": _copied(with_siblings(draw_file, 0.14)),
    "folder": _copied(with_siblings(draw_folder, 0.1)),
    "text": _copied(as_sentences(draw_text)),
    "pattern": _copied(draw_pattern),
    "part": _copied(draw_part),
    "path": _copied(draw_path),
}
"""Kinds whose values a label repeats as written."""
