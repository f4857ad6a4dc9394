//! First inputs, made when they are wanted: nothing token-shaped lies in a file.

use std::path::Path;

use keycull::engine::{Engine, selftest};
use keycull::rule::example::Rng;

use crate::support::git::GitRepo;
use crate::support::pack;
use crate::support::secret::{random, stripe_key};
use crate::support::stores::{self, Packing};

/// Small rule files of the program itself, and one of a user.
pub(super) fn rules() -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let mut names: Vec<_> = std::fs::read_dir(directory)
        .expect("the rules are there")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    names.sort();
    let small =
        names.iter().map(|path| std::fs::read(path).expect("readable")).filter(|text| text.len() < 3000);
    let own = r#"schema = 1
[[rule]]
id = "own"
name = "Own"
description = "A key of ours."
kind = "token"
severity = "high"
pattern = '(own_[a-z]{4}_)([0-9a-f]{8,64})'
keywords = ["own_"]
secret = 2
"#;
    small.step_by(8).take(24).chain([own.into()]).collect()
}

/// The starter file, and one with everything that is easy to get wrong.
pub(super) fn config() -> Vec<Vec<u8>> {
    let own = r#"schema = 1
exclude = ["vendor/**", "*.lock"]
min-confidence = "medium"
[hook]
confidence = "high"
[[allow]]
paths = ["tests/**"]
rules = ["generic-*"]
reason = "made-up"
until = 2030-01-31
[[rule]]
id = "own"
name = "Own"
description = "A key of ours."
kind = "token"
severity = "high"
prefix = "own_"
body = "hex{32}"
"#;
    vec![keycull::config::starter().into_bytes(), own.into()]
}

/// Configurations of gitleaks, ignore files, and baselines.
pub(super) fn foreign() -> Vec<Vec<u8>> {
    let gitleaks = r#"title = "ours"
[extend]
useDefault = true
disabledRules = ["generic-api-key"]
[[rules]]
id = "own"
description = "Own"
regex = '''(?i)own_([a-z0-9]{8,})'''
secretGroup = 1
entropy = 3.5
keywords = ["own_"]
path = '''\.env$'''
tags = ["a", "b"]
[[rules.allowlists]]
condition = "AND"
regexTarget = "line"
regexes = ['''example''']
paths = ['''(^|/)tests?/''']
stopwords = ["dummy"]
[allowlist]
commits = ["0000000000000000000000000000000000000000"]
"#;
    let detect = format!(
        r#"{{"version": "1.5.0", "plugins_used": [{{"name": "AWSKeyDetector"}}], "results": {{"a.py": [{{"type": "Secret Keyword", "filename": "a.py", "hashed_secret": "{}", "is_verified": false, "line_number": 3}}]}}}}"#,
        "ab".repeat(20)
    );
    let report = r#"[{"RuleID": "own", "StartLine": 1, "EndLine": 1, "StartColumn": 2, "EndColumn": 9, "Match": "x", "Secret": "x", "File": "a.env", "Commit": "", "Fingerprint": "a.env:own:1"}]"#;
    let ignore = format!("# a comment\n{}:a.env:own:1\na/b.txt:own:12\n", "0".repeat(40));
    let globs = "paths-ignore:\n  - \"tests/**\"\n  - docs/*.md\n";
    vec![gitleaks.into(), detect.into(), report.into(), ignore.into(), globs.into()]
}

/// A baseline with every key.
pub(super) fn baseline() -> Vec<Vec<u8>> {
    let entry = |digit: &str, rest: &str| {
        format!("# why\n[[finding]]\nfingerprint = \"t1:{}\"\n{rest}\n", digit.repeat(32))
    };
    let full = "rule = \"own\"\nshows = \"own_…\"\nreason = \"a \\\"test\\\" key\"\nwho = 'dana'\nuntil = 2027-03-01\nreceipt = \"r1\"\n";
    vec![
        b"schema = 1\n".to_vec(),
        ["schema = 1\n\n", &entry("a", full), &entry("b", ""), "# the end\n"].concat().into_bytes(),
    ]
}

/// Small containers of every format, some of them inside one another.
pub(super) fn container() -> Vec<Vec<u8>> {
    let text = format!("first\nkey = {}\nlast\n", stripe_key(7)).into_bytes();
    let members: [(&str, &[u8]); 2] = [("dir/a.env", &text), ("b.txt", b"other")];
    let tar = pack::tar(&members);
    vec![
        pack::zipped(&members),
        pack::zipped(&[("in.jar", &pack::zipped(&members))]),
        tar.clone(),
        pack::ar(&members),
        pack::cpio(&members),
        pack::rpm(&text, &members),
        pack::gzip(&tar),
        pack::bzip2(&text),
        pack::xz(&text),
        pack::zstd(&text),
        pack::lz4(&tar),
        pack::pdf("BT (some text) Tj ET"),
        stores::seven_zip(&members, Packing::Lzma),
        stores::seven_zip(&members, Packing::Lzma2),
        stores::seven_zip(&members, Packing::Filtered),
        stores::seven_zip(&members, Packing::Deflate),
        stores::plist(&[("key", "value"), ("größe", "große")], &pack::gzip(&text)),
        stores::sqlite(512, &[&["name", "value"], &[&"long ".repeat(300)], &["1", "2", "3"]]),
        bundle(&text),
    ]
}

/// A bundle of two commits, the blob of the second a delta.
fn bundle(text: &[u8]) -> Vec<u8> {
    let repo = GitRepo::new();
    let long: String = (0..200_u64).map(|n| format!("{}\n", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    repo.write("dir/a", &long).commit("one");
    repo.write("dir/a", [long.as_bytes(), text].concat()).commit("two");
    stores::bundle(&repo, &[], &["--all"])
}

/// Text with findings of every rule that has examples, encoded text, a notebook, and a container.
pub(super) fn report() -> Vec<Vec<u8>> {
    let engine = Engine::builtin();
    let mut rng = Rng::seeded("reports");
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    let mut text = Vec::new();
    for (number, rule) in engine.rules().rules.iter().enumerate() {
        if let Some(template) = rule.examples.first() {
            let example =
                selftest::expanded(&engine, number as u16, template, &mut rng).expect("a valid example");
            text.extend(example.into_bytes());
            text.push(b'\n');
        }
        if text.len() > 1500 {
            seeds.push(std::mem::take(&mut text));
        }
    }
    let line =
        format!("db_password = \"{}\"\r\nurl: https://u:{}@h.example/\n", random(3, 16), random(4, 20));
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &line);
    seeds.push(format!("data: {encoded}\n").into_bytes());
    seeds.push(format!("{{\"cells\": [{{\"source\": [\"k = '{}'\\n\"]}}]}}\n", stripe_key(9)).into_bytes());
    seeds.push(pack::gzip(line.as_bytes()));
    seeds.push(line.into_bytes());
    seeds
}
