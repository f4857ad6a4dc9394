#!/usr/bin/env python3
"""Hides a token in every encoding and container that keycull opens, and tells which scanner finds it.

    benches/containers.py [--keycull PROGRAM] [--peers DIR] [--keep DIR]

Each case is a file with a token of its own, made at random when this runs. A scanner has found it when the
token itself (or, for detect-secrets, its hash) is in what it says; that something near it looked odd does not
count. Every scanner runs once over all files, with the flags that make it look deepest. Scanners are taken
from --peers (default: target/peers), where `benches/peers.py` installs them; one that is not there is left
out. Nothing here asks any provider about anything.
"""

import argparse
import base64
import bz2
import gzip
import hashlib
import html
import io
import json
import lzma
import os
import pathlib
import plistlib
import quopri
import random
import shutil
import sqlite3
import string
import subprocess
import tarfile
import tempfile
import urllib.parse
import zipfile
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
LETTERS = string.ascii_letters + string.digits


def line(token):
    return f'stripe_key = "{token}"\n'


def filler(rng, lines):
    return "".join("".join(rng.choices(LETTERS + " ", k=60)) + "\n" for _ in range(lines))


def encodings():
    """Name, file name and content of each encoding, as functions of the token."""
    b64 = lambda text: base64.b64encode(text.encode()).decode()
    gz = lambda text: base64.b64encode(gzip.compress(text.encode())).decode()
    folded = lambda text: "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    padded = lambda token: f"# settings of the service\n{line(token)}# the end of the settings\n"
    cells = lambda source: json.dumps({"cells": [{"cell_type": "code", "source": source, "outputs": []}], "nbformat": 4})
    claims = lambda token: base64.urlsafe_b64encode(json.dumps({"sub": "1", "key": token}).encode()).decode().rstrip("=")
    return [
        ("plain", "a.env", line),
        ("UTF-16 with a mark", "a.txt", lambda t: b"\xff\xfe" + line(t).encode("utf-16-le")),
        ("UTF-16 without a mark", "a.txt", lambda t: line(t).encode("utf-16-be")),
        ("UTF-32", "a.txt", lambda t: b"\xff\xfe\0\0" + line(t).encode("utf-32-le")),
        ("base64", "a.yaml", lambda t: f"data: {b64(padded(t))}\n"),
        ("base64, URL-safe, unpadded", "a.yaml", lambda t: f"data: {base64.urlsafe_b64encode(padded(t).encode()).decode().rstrip('=')}\n"),
        ("base64 over lines", "a.pem", lambda t: "-----BEGIN DATA-----\n" + folded(b64(padded(t))) + "\n-----END DATA-----\n"),
        ("base64 with \\n in a string", "a.json", lambda t: json.dumps({"data": folded(b64(padded(t)))}) + "\n"),
        ("base64 twice", "a.yaml", lambda t: f"data: {b64(b64(padded(t)))}\n"),
        ("base64 of gzip", "a.yaml", lambda t: f"release: {gz(padded(t))}\n"),
        ("base64 of UTF-16", "a.ps1", lambda t: f"powershell -EncodedCommand {base64.b64encode(padded(t).encode('utf-16-le')).decode()}\n"),
        ("data URI", "a.html", lambda t: f'<a href="data:text/plain;base64,{b64(padded(t))}">x</a>\n'),
        ("web token", "a.http", lambda t: f"Cookie: s={base64.urlsafe_b64encode(json.dumps({'alg': 'none'}).encode()).decode().rstrip('=')}.{claims(t)}.c2ln\n"),
        ("hexadecimal", "a.txt", lambda t: f"data = {line(t).encode().hex()}\n"),
        ("percent", "a.txt", lambda t: "url = " + "".join(f"%{b:02X}" for b in t.encode()) + "\n"),
        ("percent, where it must", "a.txt", lambda t: "next=" + urllib.parse.quote(f"https://u:{t}@example.org/", safe="") + "\n"),
        ("\\u escapes", "a.json", lambda t: '{"key": "' + "".join(f"\\u{ord(c):04x}" for c in t) + '"}\n'),
        ("\\x escapes", "a.c", lambda t: 'char *k = "' + "".join(f"\\x{ord(c):02x}" for c in t) + '";\n'),
        ("HTML entities", "a.html", lambda t: "<p>" + "".join(f"&#{ord(c)};" for c in t) + "</p>\n"),
        ("HTML, where it must", "a.html", lambda t: html.escape(line(t)) + "\n"),
        ("quoted-printable", "a.eml", lambda t: quopri.encodestring(("é " * 20 + line(t) * 2).encode()).decode()),
        ("strings joined over lines", "a.py", lambda t: f'key = ("{t[:20]}"\n       "{t[20:]}")\n'),
        ("strings joined by +", "a.js", lambda t: f'const key = "{t[:20]}" +\n  "{t[20:]}";\n'),
        ("backslash at the line's end", "a.sh", lambda t: f'KEY="{t[:20]}\\\n{t[20:]}"\n'),
        ("notebook, lines of a cell", "a.ipynb", lambda t: cells(["import x\n", f"key = '{t}'\n"])),
        ("HAR body in base64", "a.har", lambda t: json.dumps({"log": {"entries": [{"response": {"content": {"encoding": "base64", "text": b64(padded(t))}}}]}})),
    ]


def zipped(members, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


def tarred(members, mode="w"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, data in members:
            data = data.encode() if isinstance(data, str) else data
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def ar(members):
    out = b"!<arch>\n"
    for name, data in members:
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode() + data + b"\n" * (len(data) % 2)
    return out


def cpio(members):
    out = b""
    for name, data in [*members, ("TRAILER!!!", "")]:
        fields = [0, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
        out += b"070701" + "".join(f"{field:08x}" for field in fields).encode() + name.encode() + b"\0"
        out += b"\0" * (-len(out) % 4) + data.encode()
        out += b"\0" * (-len(out) % 4)
    return out


def pdf(text):
    page = zlib.compress(f"BT /F1 12 Tf 72 700 Td [({text[:20]}) -12 ({text[20:]})] TJ ET".encode())
    return b"%%PDF-1.4\n4 0 obj\n<< /Length %d /Filter /FlateDecode >>\nstream\n" % len(page) + page + b"\nendstream\nendobj\n%%EOF\n"


def git(directory, *arguments):
    settings = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(["git", *settings, *arguments], cwd=directory, env=environment, check=True, stdout=subprocess.DEVNULL)


def repository(rng, token, then):
    """What `then` makes of a repository in which the token came and went."""
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        git(directory, "init", "-q")
        text = filler(rng, 200)
        for content in (text, text + line(token), text):
            (directory / "a.txt").write_text(content)
            git(directory, "add", ".")
            git(directory, "commit", "-q", "-m", "a")
        return then(directory)


def bundle(directory):
    git(directory, "bundle", "create", "-q", "x.bundle", "--all")
    return (directory / "x.bundle").read_bytes()


def pack(directory):
    git(directory, "repack", "-q", "-a", "-d", "-f")
    return next(directory.glob(".git/objects/pack/*.pack")).read_bytes()


def database(rng, token):
    with tempfile.TemporaryDirectory() as name:
        file = pathlib.Path(name) / "a.db"
        connection = sqlite3.connect(file)
        connection.execute("pragma page_size = 4096")
        connection.execute("create table notes (title text, body text, state text)")
        # Of a record of 9008 bytes, 824 are in its first page (the file format's section 1.6): the token lies over that end.
        body = ("x" * 804 + f" {token} ").ljust(9000, "y")
        connection.execute("insert into notes values (?, ?, ?)", ("n", body, "z"))
        connection.commit()
        connection.close()
        return file.read_bytes()


def containers(rng):
    """Name, file name and content of each container, as functions of the token."""
    members = lambda t: [("readme.txt", filler(rng, 5)), ("conf/app.env", line(t))]
    cases = [
        ("zip", "a.zip", lambda t: zipped(members(t))),
        ("zip, stored", "a.zip", lambda t: zipped(members(t), zipfile.ZIP_STORED)),
        ("zip, bzip2", "a.zip", lambda t: zipped(members(t), zipfile.ZIP_BZIP2)),
        ("zip, LZMA", "a.zip", lambda t: zipped(members(t), zipfile.ZIP_LZMA)),
        ("wheel", "a-1.0-py3-none-any.whl", lambda t: zipped(members(t))),
        ("jar in a zip", "a.zip", lambda t: zipped([("lib/b.jar", zipped(members(t)))])),
        ("docx", "a.docx", lambda t: zipped([("word/document.xml", f"<w:t>{t}</w:t>")])),
        ("no telling name", "a.dat", lambda t: zipped(members(t))),
        ("tar", "a.tar", lambda t: tarred(members(t))),
        ("tar.gz", "a.tar.gz", lambda t: tarred(members(t), "w:gz")),
        ("tar.bz2", "a.tar.bz2", lambda t: tarred(members(t), "w:bz2")),
        ("tar.xz", "a.tar.xz", lambda t: tarred(members(t), "w:xz")),
        ("gzip", "a.gz", lambda t: gzip.compress(line(t).encode())),
        ("bzip2", "a.bz2", lambda t: bz2.compress(line(t).encode())),
        ("xz", "a.xz", lambda t: lzma.compress(line(t).encode())),
        ("gzip, cut off", "a.gz", lambda t: gzip.compress(line(t).encode() + rng.randbytes(200_000))[:100_000]),
        ("image of a container", "image.tar", lambda t: tarred([("manifest.json", "[]"), ("l/layer.tar", tarred([("etc/app.env", line(t))]))])),
        ("Debian package", "a.deb", lambda t: ar([("debian-binary", b"2.0\n"), ("data.tar.xz", tarred(members(t), "w:xz"))])),
        ("cpio", "a.cpio", lambda t: gzip.compress(cpio(members(t)))),
        ("PDF text", "a.pdf", pdf),
        ("git bundle", "a.bundle", lambda t: repository(rng, t, bundle)),
        ("git pack", "a.pack", lambda t: repository(rng, t, pack)),
        ("SQLite, over pages", "a.db", lambda t: database(rng, t)),
        ("property list, UTF-16", "a.plist", lambda t: plistlib.dumps({"größe": f"ä {t}"}, fmt=plistlib.FMT_BINARY)),
    ]
    if shutil.which("zstd"):
        packed = lambda data: subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout
        cases.append(("tar.zst", "a.tar.zst", lambda t: packed(tarred(members(t)))))
    try:
        import py7zr
    except ImportError:
        print("7z is left out: it needs the package py7zr")
    else:

        def seven(token):
            out = io.BytesIO()
            with py7zr.SevenZipFile(out, "w") as archive:
                for name, data in members(token):
                    archive.writestr(data, name)
            return out.getvalue()

        cases.append(("7z", "a.7z", seven))
    return cases


def commands(programs, files, report):
    """How each scanner looks deepest."""
    path = str(files)
    deep = ["--max-decode-depth", "5", "--max-archive-depth", "8", "--no-banner", "--exit-code", "0"]
    written = ["--report-format", "json", "--report-path", str(report)]
    table = {
        "keycull": ["scan", "--no-ignore", "--show-secrets", "--format", "json", "--output", str(report), path],
        "kingfisher": ["scan", "-n", "--no-update-check", "--no-dedup", "--git-history", "none", "--format", "json", "-o", str(report), path],
        "betterleaks": ["auto", path, *deep, "--output", str(report)],
        "gitleaks": ["dir", path, *deep, *written],
        "detect-secrets": ["scan", "--all-files", path],
    }
    return {name: [program, *table[name]] for name, program in programs.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keycull", default=ROOT / "target/release/keycull", type=pathlib.Path)
    parser.add_argument("--peers", default=ROOT / "target/peers", type=pathlib.Path)
    parser.add_argument("--keep", type=pathlib.Path, help="where to write the files and what the scanners said")
    arguments = parser.parse_args()
    programs = {"keycull": str(arguments.keycull.resolve())}
    for name in ("kingfisher", "betterleaks", "gitleaks", "detect-secrets"):
        # Some packages bring a script of another one's name; the program itself is inside.
        inner = list(arguments.peers.glob(f"venv/lib/*/site-packages/*/bin/{name}"))
        program = inner[0] if inner else arguments.peers / "venv/bin" / name
        if program.exists():
            programs[name] = str(program)
    with tempfile.TemporaryDirectory() as temporary:
        base = arguments.keep or pathlib.Path(temporary)
        files = base / "files"
        files.mkdir(parents=True, exist_ok=True)
        rng = random.Random()
        cases = {}
        for number, (case, name, make) in enumerate([*encodings(), *containers(rng)]):
            token = "sk_" + "live_" + "".join(rng.choices(LETTERS, k=24))
            content = make(token)
            directory = files / f"{number:02}"
            directory.mkdir(exist_ok=True)
            (directory / name).write_bytes(content.encode() if isinstance(content, str) else content)
            cases[case] = token
        found = {}
        for name, command in commands(programs, files, base / "report").items():
            report = base / f"{name}.json"
            report.unlink(missing_ok=True)
            command = [str(report) if part == str(base / "report") else part for part in command]
            run = subprocess.run(command, cwd=files, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=600)
            said = run.stdout.decode(errors="replace") + (report.read_text(errors="replace") if report.exists() else "")
            if arguments.keep and not report.exists():
                report.write_bytes(run.stdout)
            found[name] = {
                case for case, token in cases.items() if token in said or hashlib.sha1(token.encode()).hexdigest() in said
            }
    names = list(found)
    print("| a token in | " + " | ".join(names) + " |")
    print("|---|" + "---|" * len(names))
    for case in cases:
        print(f"| {case} | " + " | ".join("found" if case in found[name] else "–" for name in names) + " |")
    print(f"| **of {len(cases)}** | " + " | ".join(str(len(found[name])) for name in names) + " |")


if __name__ == "__main__":
    main()
