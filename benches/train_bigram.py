#!/usr/bin/env python3
"""Trains the letter-pair model of src/engine/bigram.rs.

Reads identifiers and words of the source trees named on the command line, counts pairs of
letters (case folded) inside words, and prints a 26 x 26 table of 16 * log2(P(b | a) * 26), cut to
-128..127. A value above 0 says that the pair is commoner in names than in random letters.

Usage: train_bigram.py DIR... > table.txt
"""
import math
import os
import re
import sys

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
TEXT = (".rs", ".py", ".js", ".ts", ".go", ".c", ".h", ".java", ".rb", ".md", ".toml", ".json", ".yml")


def main() -> None:
    seen = set()
    counts = [[1] * 26 for _ in range(26)]
    for root in sys.argv[1:]:
        for folder, _, names in os.walk(root):
            for name in sorted(names):
                if not name.endswith(TEXT):
                    continue
                path = os.path.join(folder, name)
                if os.path.getsize(path) > 400_000:
                    continue
                with open(path, encoding="utf-8", errors="ignore") as file:
                    seen.update(word.lower() for word in WORD.findall(file.read()) if 3 <= len(word) <= 24)
    for word in seen:
        for a, b in zip(word, word[1:]):
            counts[ord(a) - 97][ord(b) - 97] += 1
    for row in counts:
        total = sum(row)
        values = [max(-128, min(127, round(16 * math.log2(n / total * 26)))) for n in row]
        print("    [" + ", ".join(f"{v}" for v in values) + "],")


main()
