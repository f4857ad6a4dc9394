#!/usr/bin/env python3
"""Counts the instructions of fixed workloads, and compares them with those recorded.

    benches/instructions.py check     fails when a workload needs 5 % more than recorded
    benches/instructions.py record    writes benches/instructions.json

Workloads: `startup`, the whole program with two kilobytes on standard input; `source`, text like
source code; `dense`, a value under a telling name on every line. The last two count the engine
alone, with the processor's vector instructions and without (`-portable`). All texts are made from
seeds (benches/corpus.rs). Counts are valgrind's, so a busy machine does not change them; another
toolchain does, and is not compared.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
RECORD = ROOT / "benches" / "instructions.json"
TOLERANCE = 0.05


def toolchain():
    text = subprocess.run(["rustc", "--version"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return text.split()[1]


def built(target, *arguments):
    """Builds and gives the path of the program made of `target`."""
    command = ["cargo", *arguments, target, "--locked", "--message-format=json"]
    output = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    messages = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    # Programs that the benchmark could call are built with it.
    programs = [m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == target]
    if len(programs) != 1:
        sys.exit(f"one program was expected of {' '.join(command)}, not {len(programs)}")
    return programs[0]


def instructions(command, stdin=b""):
    """Instructions of a whole process, all threads."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C"}
    with tempfile.TemporaryDirectory() as empty:
        result = subprocess.run(
            ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command],
            input=stdin,
            cwd=empty,
            env=environment,
            capture_output=True,
        )
    text = result.stderr.decode(errors="replace")
    found = re.search(r"Collected\s*:\s*(\d+)", text)
    if result.returncode != 0 or not found:
        sys.exit(f"valgrind failed on {' '.join(command)}:\n{text}")
    return int(found[1])


def of_one_round(workload, *arguments):
    """Two rounds less one: what does not depend on the rounds cancels out."""
    name, *back_end = arguments
    counts = [instructions([workload, name, rounds, *back_end]) for rounds in ("1", "2")]
    return counts[1] - counts[0]


def has_avx2():
    try:
        return " avx2 " in pathlib.Path("/proc/cpuinfo").read_text().replace("\n", " ")
    except OSError:
        return False


def counted():
    program = built("keycull", "build", "--release", "--bin")
    workload = built("workload", "bench", "--no-run", "--bench")
    text = subprocess.run([workload, "startup", "1"], check=True, capture_output=True).stdout
    counts = {"startup": instructions([program, "scan", "-"], text)}
    for name in ("source", "dense"):
        if has_avx2():
            counts[name] = of_one_round(workload, name)
        counts[f"{name}-portable"] = of_one_round(workload, name, "portable")
    return counts


def check():
    recorded = json.loads(RECORD.read_text())
    if recorded["toolchain"] != toolchain():
        print(f"not comparable: recorded with Rust {recorded['toolchain']}, this is {toolchain()}")
        return
    counts = counted()
    grown = []
    for name, before in recorded["instructions"].items():
        now = counts.get(name)
        if now is None:
            print(f"{name:16} not comparable: this processor has no AVX2")
            continue
        change = now / before - 1
        print(f"{name:16} {before:12} -> {now:12} {change:+7.1%}")
        if change > TOLERANCE:
            grown.append(name)
        elif change < -TOLERANCE:
            print(f"{name:16} is cheaper than recorded: run benches/instructions.py record")
    if grown:
        sys.exit(f"more than {TOLERANCE:.0%} dearer: {', '.join(grown)}; make it cheaper, or record it and say why")


def record():
    RECORD.write_text(json.dumps({"toolchain": toolchain(), "instructions": counted()}, indent=2) + "\n")
    print(RECORD.read_text(), end="")


if __name__ == "__main__":
    if shutil.which("valgrind") is None:
        sys.exit("valgrind is not installed, so nothing can be compared; .ci/tools installs it")
    actions = {"check": check, "record": record}
    if len(sys.argv) != 2 or sys.argv[1] not in actions:
        sys.exit(__doc__)
    actions[sys.argv[1]]()
