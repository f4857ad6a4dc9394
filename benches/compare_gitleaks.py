#!/usr/bin/env python3
"""Holds keycull's reading of gitleaks configurations against gitleaks itself.

usage: compare_gitleaks.py --gitleaks BIN --keycull BIN --corpus DIR [--defaults FILE] CONFIG...

For each CONFIG both tools scan DIR; what they find is compared as (rule, file, line of the secret, secret). Ends with
1 when anything differs. Of CONFIG a copy is used, in which `useDefault` is

- off, so that only its own rules and allowlists count; or
- with --defaults, `path` to a copy of FILE, the default configuration of gitleaks (`config/gitleaks.toml` of its
  repository): its rules then count as rules of a file. For both tools, so what `disabledRules`, `targetRules` and
  global allowlists make of them is compared, too.

gitleaks runs without its decoders, which keycull leaves to its own rules; neither opens containers.
"""

import argparse
import collections
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

USE_DEFAULT = re.compile(r"(?im)^(\s*)useDefault\s*=\s*true")


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
        # keycull names a key alike, whatever ends its lines.
        places[hit["RuleID"], hit["File"], line, hit["Secret"].replace("\r\n", "\n")] += 1
    return places, []


def keycull(binary, config, corpus):
    command = [binary, "scan", ".", "--no-config", "--import", config, "--format", "json", "--show-secrets",
               "--no-ignore", "--confidence", "low", "--archive-depth", "0"]
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


def both(args, config):
    """What both find; the copies differ in how they name FILE: gitleaks counts from where it is started."""
    text = pathlib.Path(config).read_text()
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)

        def copy(name, path):
            with_path = rf'\1path = "{path}"' if path else r"\1useDefault = false"
            file = place / name
            file.write_text(USE_DEFAULT.sub(with_path, text))
            return str(file)

        if args.defaults and USE_DEFAULT.search(text):
            shutil.copy(args.defaults, place / "defaults.toml")
            names = str(place / "defaults.toml"), "defaults.toml"
        else:
            names = None, None
        theirs = gitleaks(args.gitleaks, copy("theirs.toml", names[0]), args.corpus)
        ours = keycull(args.keycull, copy("ours.toml", names[1]), args.corpus)
    return theirs, ours


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--gitleaks", required=True)
    args.add_argument("--keycull", required=True)
    args.add_argument("--corpus", required=True)
    args.add_argument("--defaults")
    args.add_argument("--show", type=int, default=5)
    args.add_argument("configs", nargs="+")
    args = args.parse_args()
    verdicts = collections.Counter()
    for config in args.configs:
        (theirs, why), (ours, reason) = both(args, config)
        name = pathlib.Path(config).name
        if theirs == collections.Counter() and ours is None and "no rule is left" in " ".join(reason):
            verdicts["without rules"] += 1
            print(f"no rules          {name}")
            continue
        if theirs is None or ours is None:
            verdict = "refused by both" if theirs is None and ours is None else "differ"
            verdicts[verdict] += 1
            print(f"{verdict}  {name}\n    gitleaks: {why}\n    keycull: {reason}")
            continue
        only_theirs, only_ours = theirs - ours, ours - theirs
        verdict = "differ" if only_theirs or only_ours else "equal"
        verdicts[verdict] += 1
        print(f"{verdict:6} {sum(theirs.values()):6} findings  +{sum(only_ours.values())} -{sum(only_theirs.values())}  {name}")
        for sign, odd in (("-", only_theirs), ("+", only_ours)):
            for key in sorted(odd)[:args.show]:
                rule, file, line, secret = key
                print(f"    {sign} {rule}  {file}:{line}  {len(secret)} characters")
    print(", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items())))
    sys.exit(1 if verdicts["differ"] else 0)


main()
