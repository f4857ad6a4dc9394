#!/usr/bin/env python3
"""Draw lines for labelling by hand, without any detector's help.

    draw_lines.py DIR [--per 20] [--other 2] [--seed WORD] > rows.json

Every directory in DIR is one project. A line is a candidate when it holds a word that
secrets are kept under and its file is of a type that people write by hand; nothing asks
what the value looks like beyond "there is a literal". From each project at most `--per`
lines are drawn whose literal follows the word at once and `--other` of the rest, at most
four from one file, equal lines once. The output is a list of [project, path, line, text].
"""
import argparse
import json
import os
import random
import re

WORDS = re.compile(
    r"(?i)passw|pwd|passphrase|(?<![a-z])pass(?![a-z])|secret|token|credential|authorization"
    r"|(?:api|access|private|auth|encrypt\w*|sign\w*|client|app|licen[sc]e|shared|master|account|storage)[_. -]?key"
    r"|contrase|(?<![a-z])(?:clave|senha|mdp|heslo|haslo|parola|sifre)(?![a-z])|mot_?de_?passe|kennwort|passwort|wachtwoord"
    r"|密码|口令|пароль|identified by|sshpass|(?<![a-z])psk(?![a-z])|(?<![a-z])salt(?![a-z])"
    r"|://[^/\s:@'\"]*:[^/\s@'\"]+@|\s-u ?\S+:\S"
)
CODE = set(
    "py js ts tsx jsx java kt go cs rb php rs c cpp cc h hpp ino swift m scala groovy vb dart vue ex pl r lua gradle"
    " jsp erb aspx cshtml razor".split()
)
SETTINGS = set(
    "yml yaml json properties conf cfg ini env xml toml sh bash zsh ps1 bat cmd sql tf tfvars j2 dist example sample"
    " service nix http rest ipynb csv template tpl hcl local prod dev dockerfile cnf plist netrc npmrc config".split()
)
DOCS = set("md txt rst adoc html".split())
# What a package manager or a theme brought along is not the project's own text.
VENDORED = re.compile(
    r"(?i)/(?:node_modules|vendor|bower_components|dist|build|packages|i18n|locales?|lang|target|plugins|third_?party)/"
    r"|\.min\.|[.-]lock(?:\.|$)|package-lock|/(?:jquery|bootstrap)"
)
QUOTED = re.compile(r"""^[^"'`]{0,30}(?:["'`]\s*[\]),:=>]+\s*[^"'`]{0,30})?\\?["'`]([^"'`\s\\][^"'`]{2,})["'`\\]""")
BARE = re.compile(r"""^[\w\]. -]{0,30}["'`*]*\s*(?:=>|:=|=|:|：|>|\bis\b|\bes\b|\s)\s*[*`"']*([^\s"'`]{3,})""")


def extension(name):
    if name.lower().startswith(".env") or ".env." in name.lower():
        return "env"
    return name.rsplit(".", 1)[-1].lower()


def follows(text, kind):
    """Whether a literal follows one of the words at once."""
    for word in WORDS.finditer(text):
        if word.group().startswith("://"):
            return True
        rest = text[word.end() :]
        if QUOTED.match(rest) or kind in SETTINGS | DOCS and BARE.match(rest):
            return True
    return False


def candidates(root):
    for folder, below, names in os.walk(root):
        below.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            shown = os.path.relpath(path, root)
            kind = extension(name)
            if kind not in CODE | SETTINGS | DOCS or VENDORED.search("/" + shown) or os.path.getsize(path) > 400_000:
                continue
            with open(path, encoding="utf-8", errors="replace") as file:
                for number, line in enumerate(file.read().split("\n"), 1):
                    text = line.strip()
                    if len(text) <= 300 and WORDS.search(text):
                        yield shown, number, text, follows(text, kind)


def draw(root, per, other, rng):
    pool = list(candidates(root))
    rng.shuffle(pool)
    seen, of_file, taken = set(), {}, []
    for wanted, limit in ((True, per), (False, other)):
        for shown, number, text, literal in pool:
            if limit == 0:
                break
            same = re.sub(r"\d+|\s+", "", text).lower()
            if literal != wanted or same in seen or of_file.get(shown, 0) >= 4:
                continue
            seen.add(same)
            of_file[shown] = of_file.get(shown, 0) + 1
            taken.append((shown, number, text))
            limit -= 1
    return sorted(taken)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir")
    parser.add_argument("--per", type=int, default=20)
    parser.add_argument("--other", type=int, default=2)
    parser.add_argument("--seed", default="lines")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    rows = []
    for project in sorted(os.listdir(options.dir)):
        for row in draw(os.path.join(options.dir, project), options.per, options.other, rng):
            rows.append((project, *row))
    print(json.dumps(rows, ensure_ascii=False))


if __name__ == "__main__":
    main()
