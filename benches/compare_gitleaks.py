#!/usr/bin/env python3
"""Holds keycull's reading of gitleaks configurations against gitleaks itself.

usage: compare_gitleaks.py --gitleaks BIN --keycull BIN --corpus DIR CONFIG...

For each CONFIG (`useDefault` is taken out of a copy, so that only its own rules count) both tools scan DIR; what
they find is compared as (rule, file, line of the secret, secret). Ends with 1 when anything differs.

gitleaks runs without its decoders: keycull decodes by itself, for all rules alike.
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile


def gitleaks(binary, config, corpus):
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        command = [binary, "dir", ".", "-c", config, "-f", "json", "-r", out.name, "--no-banner", "--exit-code", "0",
                   "--max-decode-depth", "0", "-l", "error", "-i", "/nonexistent"]
        run = subprocess.run(command, cwd=corpus, capture_output=True, text=True)
        if run.returncode != 0:
            return None, run.stderr.strip().splitlines()[-1:]
        found = json.load(open(out.name))
    places = collections.Counter()
    for hit in found:
        if hit["Match"].startswith("file detected: "):
            places[hit["RuleID"], hit["File"], 1, hit["File"]] += 1
            continue
        before = hit["Match"].find(hit["Secret"])
        line = hit["StartLine"] + hit["Match"][:max(before, 0)].lstrip("\n").count("\n")
        places[hit["RuleID"], hit["File"], line, hit["Secret"]] += 1
    return places, []


def keycull(binary, config, corpus):
    command = [binary, "scan", ".", "--no-config", "--import", config, "--format", "json", "--show-secrets",
               "--no-ignore", "--confidence", "low"]
    run = subprocess.run(command, cwd=corpus, capture_output=True)
    if run.returncode not in (0, 1, 3):
        return None, run.stderr.decode(errors="replace").strip().splitlines()
    report = json.loads(run.stdout)
    places = collections.Counter()
    for finding in report["findings"]:
        for place in finding["occurrences"]:
            if place["disposition"]["status"] == "new":
                key = finding["rule"], place["path"], place["start"]["line"], finding["secret"]
                places[key] += 1
    return places, []


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--gitleaks", required=True)
    args.add_argument("--keycull", required=True)
    args.add_argument("--corpus", required=True)
    args.add_argument("--show", type=int, default=5)
    args.add_argument("configs", nargs="+")
    args = args.parse_args()
    differ = 0
    for config in args.configs:
        text = re.sub(r"(?im)^(\s*useDefault\s*=\s*)true", r"\1false", pathlib.Path(config).read_text())
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as copy:
            copy.write(text)
            copy.flush()
            theirs, why = gitleaks(args.gitleaks, copy.name, args.corpus)
            ours, reason = keycull(args.keycull, copy.name, args.corpus)
        name = pathlib.Path(config).name
        if theirs is None or ours is None:
            same = theirs is None and ours is None
            differ += not same
            print(f"{'both refuse' if same else 'DIFFER'}  {name}\n    gitleaks: {why}\n    keycull: {reason}")
            continue
        only_theirs, only_ours = theirs - ours, ours - theirs
        verdict = "equal " if not only_theirs and not only_ours else "DIFFER"
        differ += verdict == "DIFFER"
        print(f"{verdict}  {sum(theirs.values()):6} findings  +{sum(only_ours.values())} -{sum(only_theirs.values())}  {name}")
        for sign, odd in (("-", only_theirs), ("+", only_ours)):
            for key in sorted(odd)[:args.show]:
                rule, file, line, secret = key
                print(f"    {sign} {rule}  {file}:{line}  {len(secret)} characters")
    sys.exit(1 if differ else 0)


main()
