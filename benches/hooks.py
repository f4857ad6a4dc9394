#!/usr/bin/env python3
"""How long whoever commits or pushes waits for a hook.

usage: hooks.py --keycull BIN [--git REPOSITORY] [--runs N]

Prints least, median and greatest wall time and the median of the processor time, in milliseconds, of N runs (default 30)
after two that do not count:

- pre-commit with one small file staged, in made-up repositories of 4,600 and of 100,000 files: the program alone, and
  the script that `keycull hook install` writes;
- with --git, a clone of git/git: pre-push of about 100 commits that the remote does not have.

Beside them the time of a program that does nothing. Everything is made in a temporary directory; --git is only read.
"""

import argparse
import os
import pathlib
import resource
import statistics
import subprocess
import tempfile
import time

CLEAN = {
    "PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_AUTHOR_NAME": "Bench", "GIT_AUTHOR_EMAIL": "bench@example.com",
    "GIT_COMMITTER_NAME": "Bench", "GIT_COMMITTER_EMAIL": "bench@example.com",
}


def git(place, *args, **more):
    run = subprocess.run(["git", "-C", str(place), *args], env=CLEAN, check=True, capture_output=True, text=True, **more)
    return run.stdout.strip()


def repository(place, files):
    """A repository with `files` small files in directories of 50, all committed."""
    place.mkdir()
    git(place, "init", "--quiet", "--initial-branch=main", "--template=")
    for number in range(files):
        file = place / f"{number // 2500:03}" / f"{number // 50:05}" / f"{number:06}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"file {number}\nnothing to see here\n")
    git(place, "add", "--all")
    git(place, "commit", "--quiet", "--message", "all of it")
    return place


def processor():
    """Seconds of processor time of all ended children."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(name, runs, command, place, given=b"", code=0):
    times, busy = [], []
    for number in range(runs + 2):
        before, start = processor(), time.perf_counter()
        run = subprocess.run(command, cwd=place, env=CLEAN | {"HOME": str(place)}, input=given, capture_output=True)
        times.append((time.perf_counter() - start) * 1e3)
        busy.append((processor() - before) * 1e3)
        if run.returncode != code:
            raise SystemExit(f"{name}: exit code {run.returncode}\n{run.stderr.decode()}")
    times, busy = sorted(times[2:]), statistics.median(busy[2:])
    print(f"{name:40} {times[0]:8.1f} {statistics.median(times):8.1f} {times[-1]:8.1f} {busy:10.1f}", flush=True)


def commits(program, runs, place, files):
    repo = repository(place / f"files-{files}", files)
    (repo / "001.py").write_text("import os\n\n\ndef main():\n    return os.environ['HOME']\n" * 4)
    git(repo, "add", "001.py")
    git(repo, "status")
    measure(f"pre-commit, {files} files", runs, [program, "hook", "run", "pre-commit"], repo)
    subprocess.run([program, "hook", "install"], cwd=repo, env=CLEAN | {"HOME": str(place)}, check=True, capture_output=True)
    measure("  by its script", runs, [".git/hooks/pre-commit"], repo)


def pushes(program, runs, place, source):
    repo = place / "push"
    git(place, "clone", "--quiet", "--shared", "--no-checkout", source, str(repo))
    tip = git(repo, "rev-parse", "HEAD")
    for back in range(1, 200):
        old = git(repo, "rev-parse", f"HEAD~{back}")
        count = int(git(repo, "rev-list", "--count", f"{old}..{tip}"))
        if count >= 100:
            break
    for ref in git(repo, "for-each-ref", "--format=%(refname)", "refs/remotes", "refs/tags").splitlines():
        git(repo, "update-ref", "--no-deref", "-d", ref)
    git(repo, "update-ref", "refs/remotes/origin/main", old)
    line = f"refs/heads/main {tip} refs/heads/main {old}\n".encode()
    measure(f"pre-push, {count} commits", runs, [program, "hook", "run", "pre-push", "origin", source], repo, line)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--keycull", required=True)
    args.add_argument("--git")
    args.add_argument("--runs", type=int, default=30)
    args = args.parse_args()
    program = str(pathlib.Path(args.keycull).resolve())
    print(f"{'milliseconds':40} {'least':>8} {'median':>8} {'most':>8} {'processor':>10}")
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        measure("true", args.runs, ["true"], place)
        for files in (4600, 100_000):
            commits(program, args.runs, place, files)
        if args.git:
            pushes(program, args.runs, place, str(pathlib.Path(args.git).resolve()))


main()
