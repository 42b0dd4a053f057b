"""`python -m offhand_export` is `offhand-export`."""

from offhand_export.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
