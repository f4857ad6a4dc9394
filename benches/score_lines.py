#!/usr/bin/env python3
"""Score keycull against lines labelled by hand (drawn by draw_lines.py).

    score_lines.py DIR rows.json labels.txt [--keycull PATH] [--list]

`labels.txt` holds lines `S 3 17 …` (secret) and `U 4 …` (undecidable, counted neither way);
every row not named is no secret. A row counts as found when a finding at medium or up
starts on its line. Prints recall by kind, precision, and with `--list` every difference.
"""
import argparse
import collections
import json
import os
import re
import subprocess
import sys
import tempfile

RANK = {"low": 0, "medium": 1, "high": 2}
DOCS = (".md", ".rst", ".txt", ".adoc", ".html")


def kind(path, text):
    if re.search(r"://[^/\s:@'\"]*:[^/\s@'\"]+@", text):
        return "url"
    if re.search(r"(?i)identified by|password\('", text) or path.endswith(".sql"):
        return "sql"
    if re.search(r"(?:^|[\s\"!])--?[\w.-]*pass\w*[ =]|PGPASSWORD=|\bcurl\b|(?i:;\s*password=|jdbc:|\bpassword=\w+\\?\")", text):
        return "command line, connection string"
    if path.endswith(DOCS):
        return "documentation"
    if re.search(r"""[:=(,>{\[]\s*\\?["'`][^"'`]+|["'][:=] """, text):
        return "quoted"
    return "unquoted"


def report(keycull, folder, confidence):
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        command = [keycull, "scan", "--no-history", "--no-ignore", "--no-allow", "--confidence", confidence]
        done = subprocess.run([*command, "--format", "json", "-o", out.name, "-q", folder])
        if done.returncode not in (0, 1, 3):
            sys.exit(f"scan failed with {done.returncode}")
        return json.load(open(out.name))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir")
    parser.add_argument("rows")
    parser.add_argument("labels")
    parser.add_argument("--keycull", default="keycull")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    rows = json.load(open(options.rows))
    label = {}
    for line in open(options.labels):
        letter, *numbers = line.split()
        label.update((int(number), letter) for number in numbers)
    root = os.path.realpath(options.dir)
    hits = {}
    for finding in report(options.keycull, root, "low")["findings"]:
        for place in finding["occurrences"]:
            path = os.path.relpath(os.path.join(root, place["path"]), root)
            key = (path, place["start"]["line"])
            if key not in hits or RANK[hits[key][0]] < RANK[place["confidence"]]:
                hits[key] = (place["confidence"], finding["rule"])
    count = collections.defaultdict(collections.Counter)
    for number, (project, path, line, text) in enumerate(rows):
        confidence, rule = hits.get((os.path.join(project, path), line), ("none", ""))
        wanted, found = label.get(number, "N"), RANK.get(confidence, -1) >= 1
        for group in (kind(path, text), "all"):
            count[group][wanted, confidence] += 1
        if options.list and (wanted == "S") != found and wanted != "U":
            print("MISS " if wanted == "S" else "FALSE", number, confidence, rule, f"{path[-50:]}: {text[:150]}")
    for group, cells in sorted(count.items(), key=lambda item: item[0] == "all"):
        total = lambda letter, levels: sum(cells[letter, level] for level in levels)
        secrets = total("S", ("high", "medium", "low", "none"))
        right, wrong = (total(letter, ("high", "medium")) for letter in "SN")
        recall = right / secrets if secrets else 0
        precision = right / (right + wrong) if right + wrong else 0
        print(f"{group:32} lines {sum(cells.values()):4} secrets {secrets:3} found {right:3} low {cells['S', 'low']:3}"
              f" recall {recall:.3f} false {wrong:2} precision {precision:.3f}")


if __name__ == "__main__":
    main()
