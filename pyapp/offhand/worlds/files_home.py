"""What a visitor finds at home: folders and short texts with something in them to be found."""

from __future__ import annotations

_LOG = """\
2026-11-20 07:58:02 INFO  server listening on port 8080
2026-11-20 08:01:17 INFO  GET /index.html 200 12ms
2026-11-20 08:01:17 INFO  GET /style.css 200 3ms
2026-11-20 08:04:45 WARN  slow query, 2140ms
2026-11-20 08:04:47 ERROR database timeout after 2000ms
2026-11-20 08:04:48 INFO  retrying, attempt 1
2026-11-20 08:04:50 ERROR database timeout after 2000ms
2026-11-20 08:04:53 INFO  retrying, attempt 2
2026-11-20 08:04:54 INFO  database is back
2026-11-20 08:19:30 INFO  GET /forecast 200 41ms
2026-11-20 08:20:11 WARN  no forecast for "Atlantis"
2026-11-20 08:20:11 INFO  GET /forecast 404 8ms
2026-11-20 09:02:26 ERROR upstream timeout: weather service
2026-11-20 09:02:27 INFO  serving the forecast from the cache
2026-11-20 09:15:00 INFO  cache cleared, 31 entries
2026-11-20 09:40:12 INFO  GET /index.html 304 2ms
"""

_REPORT = """\
# Garden report

The raised beds did well this year. We picked 14 kg of tomatoes
and 6 kg of beans, more than ever before.

## What went wrong

Slugs ate the first lettuce. The second sowing was fine.

## Next year

- start the peppers in February
- put the herbs nearer to the kitchen
- mend the water butt
"""

_REPORT_OLD = """\
# Garden report

The raised beds did well this year. We picked 11 kg of tomatoes
and 6 kg of beans.

## What went wrong

Slugs ate the first lettuce.

## Next year

- start the peppers in February
- put the herbs nearer to the kitchen
"""

_BUDGET = """\
month,rent,food,travel
September,950,310,84
October,950,342,20
November,950,298,151
"""

_LETTER = """\
Dear Ines,

thank you for the seeds, and for the recipe. We have tried it twice:
once with too much salt, once just right.

Come and see the garden in May.

Yours, Sam
"""

_FORECAST = '''\
"""Say tomorrow's weather from what the last days were like."""

DAYS = 3


def forecast(temperatures):
    # TODO: weigh recent days more
    last = temperatures[-DAYS:]
    return sum(last) / len(last)


if __name__ == "__main__":
    print(f"{forecast([11.5, 12.0, 9.5, 10.0]):.1f} degrees")
'''

_CONFIG = """\
{
  "port": 8080,
  "cache_minutes": 30,
  "cities": ["Lisbon", "Oslo", "Nairobi"]
}
"""

_PAGE = """\
<!doctype html>
<title>Weather</title>
<link rel="stylesheet" href="style.css">
<h1>Tomorrow</h1>
<p id="forecast">Looking out of the window...</p>
<!-- TODO: a picture of the sky -->
"""

_NOTES = """\
Call the dentist on Monday
TODO: back up the photos
Book: The Left Hand of Darkness
Wi-Fi name of the library: readers
TODO: answer Ines
Bike lock combination is in the blue drawer
"""

_NAMES = """\
Noor
Felix
Ada
Tomas
Ines
Ben
Ada
Yuki
"""

ENTRIES: dict[str, str | None] = {
    ".bashrc": "alias ll='ls -a'\nexport EDITOR=nano\n",
    ".config": None,
    ".config/editor.toml": 'theme = "dusk"\ntab = 4\nwrap = true\n',
    "archive": None,
    "documents": None,
    "documents/budget.csv": _BUDGET,
    "documents/guests.txt": _NAMES,
    "documents/letter.txt": _LETTER,
    "documents/report_old.md": _REPORT_OLD,
    "draft.txt": "To say on Friday\n\n1. The garden is open again\n2. Who waters in August?\n",
    "notes.txt": _NOTES,
    "photos": None,
    "photos/autumn.jpg": "A path under yellow beeches. (4032 x 3024; the picture is not here)\n",
    "photos/garden.jpg": "Two raised beds in June. (4032 x 3024; the picture is not here)\n",
    "photos/lake.jpg": "The lake before the rain. (3024 x 4032; the picture is not here)\n",
    "projects": None,
    "projects/weather": None,
    "projects/weather/README.md": "# Weather\n\nRun `python forecast.py`.\n",
    "projects/weather/config.json": _CONFIG,
    "projects/weather/forecast.py": _FORECAST,
    "projects/weather/server.log": _LOG,
    "projects/website": None,
    "projects/website/index.html": _PAGE,
    "projects/website/style.css": "body { font: 18px/1.5 serif; max-width: 40em; }\n",
    "report.md": _REPORT,
    "server.log": "".join(_LOG.splitlines(keepends=True)[3:14]),
    "shopping.txt": "bread\napples\ncoffee\nrice\n",
}
