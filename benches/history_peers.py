#!/usr/bin/env python3
"""Compares scans of whole histories: keycull, other scanners, and git reading all its objects.

    benches/history_peers.py --keycull target/release/keycull --peers BIN_DIRECTORY REPOSITORY…

BIN_DIRECTORY holds `kingfisher`, `betterleaks` and `gitleaks`, whichever are there. None of them
is asked to validate anything. For each repository it prints a table of CPU seconds (user and
system), wall seconds, peak resident memory and the number of distinct secrets; then, for each
secret that a peer found and keycull did not report, one redacted line with what is known of the
reason. No secret is printed, and reports with secrets live in a directory that is removed.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path


def measured(command, directory, limit):
    """Runs a command; its exit code, CPU and wall seconds, and peak resident memory in MB.

    Memory is what time(1) says: a child of this process would begin with the peak of its parent.
    """
    started = time.monotonic()
    memory = Path(directory) / "memory"
    command = ["/usr/bin/time", "-f", "%M", "-o", memory, *command]
    with open(os.devnull, "r+b") as null, open(Path(directory) / "errors", "wb") as errors:
        child = subprocess.Popen(command, stdin=null, stdout=null, stderr=errors, cwd=directory, start_new_session=True)
        ended = False
        while not ended:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            ended = pid != 0
            if not ended and time.monotonic() - started > limit:
                os.killpg(child.pid, signal.SIGKILL)
                limit = float("inf")
            if not ended:
                time.sleep(0.02)
    child.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - started
    return {
        "code": child.returncode,
        "cpu": usage.ru_utime + usage.ru_stime,
        "wall": wall,
        "memory": int(memory.read_text().split()[-1]) / 1024 if child.returncode >= 0 else 0,
        "errors": (Path(directory) / "errors").read_text(errors="replace"),
    }


def json_lines(path):
    """What a file of JSON, or of JSON lines, holds."""
    text = path.read_text(errors="replace") if path.exists() else ""
    if not text.strip():
        return []
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def keycull_findings(path):
    report = json_lines(path)
    for finding in report.get("findings", []) if report else []:
        place = finding["occurrences"][0]
        disposition = finding["disposition"]
        counted = "" if disposition["status"] == "new" else f"{disposition['status']} ({disposition.get('by', '')})"
        secret = finding.get("secret") or finding["redacted"]
        yield secret, finding["rule"], place.get("path") or place["origin"]["kind"], counted


def kingfisher_findings(path):
    report = json_lines(path)
    for entry in report.get("findings", []) if isinstance(report, dict) else report:
        found = entry["finding"]
        place = found.get("git_metadata", {}).get("file", {}).get("path") or found.get("path", "")
        yield found["snippet"], entry["rule"]["id"], place


def gitleaks_findings(path):
    for entry in json_lines(path):
        yield entry["Secret"] or entry["Match"], entry["RuleID"], entry["File"]


def betterleaks_findings(path):
    report = json_lines(path)
    for entry in report["findings"] if report else []:
        yield entry["match"]["value"] or entry["match"]["full"], entry["rule_id"], entry["location"].get("path", "")


def redacted(secret):
    """Enough to recognise a kind of secret, never the secret."""
    text = " ".join(secret.split())
    return f"{text[:4]}… ({len(secret)} characters)" if len(text) >= 16 else f"({len(secret)} characters)"


def reason(secret, known):
    """Why keycull does not report `secret`, as far as its own low-confidence report tells."""
    bare = secret.strip().strip("\"'`")
    for candidate, (rule, counted, asked) in known.items():
        if bare == candidate or bare and (bare in candidate or candidate in bare and len(candidate) >= 8):
            how = "the same" if bare == candidate else "with other ends"
            if asked:
                return "reported " + how, rule
            return (counted or "below the default confidence") + ", " + how, rule
    return "not found", ""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keycull", type=Path, required=True)
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--only", action="append", help="run only this tool (repeatable)")
    parser.add_argument("--limit", type=float, default=1800, help="seconds for one run (default: 1800)")
    parser.add_argument("--list", type=int, default=1000, help="most secrets listed for one peer (default: 1000)")
    parser.add_argument("repositories", nargs="+", type=Path)
    options = parser.parse_args()
    os.umask(0o077)
    for repository in options.repositories:
        compare(repository.resolve(), options)


def compare(repository, options):
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        out = {name: scratch / f"{name}.json" for name in ["keycull", "low", "kingfisher", "betterleaks", "gitleaks"]}
        # The current directory is not the repository, so that nobody finds a configuration there.
        own = [options.keycull.resolve(), "scan", "--history-only", "--format", "json", "--show-secrets"]
        path = str(repository)
        tools = {
            "keycull": [*own, "--output", out["keycull"], path],
            "kingfisher": ["kingfisher", "scan", path, "-n", "--no-update-check", "--format", "json", "-o", out["kingfisher"]],
            "betterleaks": ["betterleaks", "git", path, "-o", out["betterleaks"], "--silent"],
            "gitleaks": ["gitleaks", "git", path, "-f", "json", "-r", out["gitleaks"], "--no-banner"],
            "git cat-file": ["git", "-C", path, "cat-file", "--batch-all-objects", "--batch", "--unordered"],
        }
        peers = {"kingfisher": kingfisher_findings, "betterleaks": betterleaks_findings, "gitleaks": gitleaks_findings}
        print(f"\n## {repository.name}\n\n| tool | CPU s | wall s | peak MB | secrets | exit |\n|---|---|---|---|---|---|")
        found = {}
        for name, command in tools.items():
            if options.only and name not in options.only:
                continue
            if name in peers:
                command[0] = options.peers / command[0] if options.peers else command[0]
            if name in peers and not Path(command[0]).exists():
                print(f"| {name} | not there | | | | |")
                continue
            run = measured([str(word) for word in command], scratch, options.limit)
            if name == "keycull":
                secrets = {f[0] for f in keycull_findings(out[name]) if not f[3]}
            elif name in peers:
                found[name] = {f[0]: f for f in peers[name](out[name]) if f[0]}
                secrets = found[name]
            else:
                secrets = None
            count = "" if secrets is None else len(secrets)
            print(f"| {name} | {run['cpu']:.2f} | {run['wall']:.2f} | {run['memory']:.0f} | {count} | {run['code']} |", flush=True)
            if name in peers and run["code"] not in (0, 1, 200, 205):
                print(f"\n{name}: {run['errors'].strip().splitlines()[-1:]}\n", file=sys.stderr)
        measured([str(word) for word in [*own, "--confidence", "low", "--output", out["low"], path]], scratch, options.limit)
        asked = {f[0] for f in keycull_findings(out["keycull"]) if not f[3]}
        known = {f[0]: (f[1], f[3], f[0] in asked) for f in keycull_findings(out["low"])}
        for name, list_ in found.items():
            lines = []
            for secret, (_, rule, place) in sorted(list_.items(), key=lambda item: item[1][1:]):
                why, ours = reason(secret, known)
                if not why.startswith("reported"):
                    lines.append((why, rule, place, redacted(secret), ours))
            tally = ", ".join(f"{count} {why}" for why, count in Counter(line[0] for line in lines).most_common())
            print(f"\n{name} found {len(list_)}, of which keycull does not report {len(lines)}: {tally or 'none'}\n")
            for why, rule, place, shown, ours in lines[: options.list]:
                print(f"- {rule}: {shown} in {place}: {why}{' (' + ours + ')' if ours else ''}")


if __name__ == "__main__":
    main()
