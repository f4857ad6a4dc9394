//! Configurations of gitleaks, used as they are.

use crate::support::git::GitRepo;
use crate::support::secret::{random, stripe_key};
use crate::support::tool::run;

use super::{json, places};

/// Rules of its own, with most of what such a file can say.
const OWN: &str = r#"
title = "ours"
[[rules]]
id = "acme-key"
description = "Acme key"
regex = '''(?i)acme[_-]?key\s*=\s*["']?([a-z0-9]{12,40})'''
keywords = ["acme"]
entropy = 2.5
[[rules.allowlists]]
description = "documentation"
condition = "AND"
paths = ['''^docs/''']
stopwords = ["example"]

[[rules]]
id = "env-only"
regex = '''SECRET_(\d{6})'''
path = '''\.env$'''

[[rules]]
id = "keystore"
path = '''\.p12$'''

[allowlist]
regexes = ['''ignore-this''']
regexTarget = "line"
"#;

fn ours() -> GitRepo {
    let repo = GitRepo::new();
    repo.write(".gitleaks.toml", OWN);
    repo
}

#[test]
fn own_rules_run_and_built_in_ones_do_not() {
    let repo = ours();
    repo.write("a.txt", format!("acme_key = {}\n", random(1, 20).to_lowercase()));
    repo.write("b.env", "SECRET_123456\n").write("c.txt", "SECRET_123456\n").write("d.p12", "x\n");
    repo.write("stripe.txt", format!("KEY={}\n", stripe_key(1)));
    let files = run(repo.path(), &["scan", "--no-history", "--format", "json"]).expect(1);
    assert_eq!(places(&files), ["a.txt", "b.env", "d.p12"], "{}", files.stdout);
    let report = json(&files);
    assert_eq!(report["findings"][0]["rule"], "acme-key");
    repo.commit("all");
    // In history a path is known later than the content; the rule for one still holds.
    let history = run(repo.path(), &["scan", "--history-only", "--format", "json"]).expect(1);
    assert_eq!(places(&history), ["a.txt", "b.env"], "{}", history.stdout);
    run(repo.path(), &["scan", "--no-history", "--no-config"]).expect(1);
    repo.write("keycull.toml", "");
    let own = run(repo.path(), &["scan", "--no-history", "--format", "json"]).expect(1);
    assert!(places(&own).contains(&"stripe.txt".to_owned()), "keycull.toml comes first");
    assert!(!places(&own).contains(&"b.env".to_owned()), "keycull.toml comes first");
    repo.write("keycull.toml", "import = \".gitleaks.toml\"\n");
    let imported = run(repo.path(), &["scan", "--no-history", "--format", "json"]).expect(1);
    assert_eq!(places(&imported), ["a.txt", "b.env", "d.p12"]);
}

#[test]
fn published_samples_count_for_the_files_own_rules() {
    let repo = GitRepo::new();
    repo.write(".gitleaks.toml", "[[rules]]\nid = 'own'\nregex = '''[0-9A-Za-z/+]{40}'''\n");
    let published = ["wJalrXUtnFEMI/K7MDENG/", "bPxRfiCY", "EXAMPLEKEY"].concat();
    repo.write("a.txt", format!("aws_secret_access_key = {published}\n"));
    let own = run(repo.path(), &["scan", "--no-history", "--format", "json"]).expect(1);
    assert_eq!(json(&own)["findings"][0]["rule"], "own");
    let builtin = run(repo.path(), &["scan", "--no-history", "--no-config", "--format", "json"]).expect(0);
    assert_eq!(json(&builtin)["coverage"]["complete"], true);
}

#[test]
fn allowlists_hold_and_are_counted() {
    let repo = ours();
    let key = "acme_key = q7w2e9examplez4x1\n";
    repo.write("docs/a.txt", key).write("src/a.txt", key.replace("q7", "q8"));
    repo.write("b.txt", format!("acme_key = {} # ignore-this\n", random(2, 20).to_lowercase()));
    for scope in ["--no-history", "--history-only"] {
        if scope == "--history-only" {
            repo.commit("all");
        }
        let scan = run(repo.path(), &["scan", scope, "--format", "json"]).expect(1);
        let report = json(&scan);
        assert_eq!(report["summary"]["findings"], 1, "{scope}\n{}", scan.stdout);
        assert_eq!(report["summary"]["suppressed"]["config"], 2, "{scope}\n{}", scan.stdout);
        assert!(scan.stdout.contains(".gitleaks.toml:9 allowlist"), "{}", scan.stdout);
        run(repo.path(), &["scan", scope, "--no-allow", "--format", "json"]).expect(1);
    }
}

#[test]
fn default_rules_are_those_of_keycull() {
    let repo = GitRepo::new();
    repo.write("a.env", format!("KEY={}\n", stripe_key(1)));
    for (text, code) in [
        ("[extend]\nuseDefault = true\n", 1),
        ("[extend]\nuseDefault = true\ndisabledRules = ['stripe-access-token']\n", 0),
        (
            "[extend]\nuseDefault = true\n[[allowlists]]\ntargetRules = ['stripe-access-token']\npaths = ['env']\n",
            0,
        ),
        ("[extend]\nuseDefault = true\n[[allowlists]]\ntargetRules = ['github-pat']\npaths = ['env']\n", 1),
        ("[extend]\nuseDefault = true\n[allowlist]\npaths = ['env']\n", 0),
        (
            "[extend]\nuseDefault = true\n[[rules]]\nid = 'stripe-access-token'\n[[rules.allowlists]]\npaths = ['env']\n",
            0,
        ),
    ] {
        repo.write(".gitleaks.toml", text);
        // The generic rules are less sure of it.
        run(repo.path(), &["scan", "--no-history", "--confidence", "high"]).expect(code);
    }
}

#[test]
fn what_does_nothing_is_told_and_what_is_wrong_stops() {
    let repo = ours();
    repo.write(".gitleaks.toml", format!("{OWN}\nmatchCondition = \"AND\"\n"));
    let told = run(repo.path(), &["scan", "--no-history"]).expect(0);
    assert!(told.stderr.contains("matchCondition") && told.stderr.contains("condition"), "{}", told.stderr);
    for (text, said) in [
        ("[[rules]]\nid = 'a'\nregex = '(?=x)'\n", "no valid expression"),
        ("[extend]\nurl = 'https://example.com'\n", "refused"),
        ("[extend]\npath = '../x.toml'\n", "without `..`"),
        ("[[rules]\n", "not valid TOML"),
        ("title = 'nothing'\n", "no rule is left"),
    ] {
        repo.write(".gitleaks.toml", text);
        let failed = run(repo.path(), &["scan", "--no-history"]).expect(2);
        assert!(failed.stderr.contains(said), "{text}\n{}", failed.stderr);
    }
    run(repo.path(), &["scan", "--no-history", "--import", "no/such.toml"]).expect(2);
}

#[test]
fn a_marker_of_gitleaks_counts_on_every_line_of_a_match() {
    let repo = GitRepo::new();
    let rules = r"[[rules]]
id = 'block'
regex = 'BEGIN\s([\s\S]*?)\sEND'
";
    repo.write(".gitleaks.toml", rules);
    let scan = ["scan", "--no-history", "--format", "json"];
    for (marker, code) in [("// gitleaks:allow", 0), ("// keycull:allow", 1), ("", 1)] {
        repo.write("a.txt", format!("BEGIN\none\n{marker}\ntwo\nEND\n"));
        run(repo.path(), &scan).expect(code);
    }
    repo.write("a.txt", "BEGIN\none\ntwo\nEND\n// gitleaks:allow\n");
    run(repo.path(), &scan).expect(1);
}

/// Held against gitleaks itself, which `.ci/tools` installs.
mod needs_tools {
    use std::path::Path;
    use std::process::Command;

    use super::super::json;
    use crate::support::git::GitRepo;
    use crate::support::secret::random;
    use crate::support::tool::run;

    /// Rules written to exercise what an expression, an allowlist and a composite rule can say.
    const RULES: &str = r#"
title = "every semantic"
[[rules]]
id = "first-group"
regex = '''alpha(x)?=(\w+)'''
keywords = ["ALPHA"]
[[rules]]
id = "second-group"
regex = '''beta(\w)=(\w+)'''
secretGroup = 2
entropy = 1.5
[[rules]]
id = "whole"
regex = '''\bgamma\d{4}\b'''
[[rules]]
id = "multi-line"
regex = '''(?s)BEGIN(.{1,40}?)END'''
[[rules]]
id = "in-path"
regex = '''delta\s*=\s*(\S+)'''
path = '''(?i)conf/'''
[[rules]]
id = "name"
path = '''\.keystore$'''
[[rules]]
id = "my-generic"
regex = '''(?i)eps\w*=(\w{4,})'''
[[rules]]
id = "part"
regex = '''part=(\d+)'''
skipReport = true
[[rules]]
id = "composite"
regex = '''zeta=(\w+)'''
  [[rules.required]]
  id = "part"
  withinLines = 2
[[rules]]
id = "allowed"
regex = '''eta(\d)=([[:alnum:]<>&~-]+)'''
secretGroup = 2
  [[rules.allowlists]]
  stopwords = ["STOP"]
  [[rules.allowlists]]
  condition = "AND"
  paths = ['''^a/''']
  regexes = ['''both''']
  [[rules.allowlists]]
  regexes = ['''^eta9''']
  regexTarget = "match"
[[allowlists]]
regexes = ['''#\s*skip$''']
regexTarget = "line"
[[allowlists]]
targetRules = ["whole"]
paths = ['''^conf/''']
"#;

    const TEXT: &str = "\
alpha=one\nalphax=two\nbetaq=aabbccdd\nbetaq=aaaa\ngamma1234 xgamma1234 gamma12345\nBEGIN\nsecret\nEND\n\
delta = value\nepsilon=gamma7777\neps=longer\npart=17\n\nzeta=near\n\n\n\nzeta=far\neta1=plain\neta2=xstopx\n\
eta3=both1\neta9=match\neta4=a<b>&~-c\neta5=line # skip\neta6=line # skip not\nlast gamma0001";

    type Places = Vec<(String, String, u64, String)>;

    fn theirs(repo: &Path, what: &str) -> Places {
        let tools =
            std::env::var_os("KEYCULL_TOOLS").expect("KEYCULL_TOOLS names the directory .ci/tools filled");
        let report = repo.with_file_name("report.json");
        let status = Command::new(Path::new(&tools).join("venv/bin/gitleaks"))
            .args([
                what,
                ".",
                "-c",
                ".gitleaks.toml",
                "--no-banner",
                "--exit-code",
                "0",
                "--max-decode-depth",
                "0",
            ])
            .args(["-f", "json", "-r"])
            .arg(&report)
            .current_dir(repo)
            .status()
            .expect("gitleaks starts");
        assert!(status.success());
        let text = std::fs::read_to_string(report).expect("a report");
        let found: Vec<serde_json::Value> = serde_json::from_str(&text).expect("JSON");
        let text = |hit: &serde_json::Value, key: &str| hit[key].as_str().expect("a text").to_owned();
        let place = |hit: &serde_json::Value| {
            let (rule, file) = (text(hit, "RuleID"), text(hit, "File"));
            // Keycull names a key alike, whatever ends its lines.
            let (matched, secret) = (text(hit, "Match"), text(hit, "Secret"));
            let (matched, secret) = (matched.replace("\r\n", "\n"), secret.replace("\r\n", "\n"));
            if matched.starts_with("file detected: ") {
                return (rule, file.clone(), 1, file);
            }
            let before = &matched[..matched.find(&secret).unwrap_or(0)];
            let line = hit["StartLine"].as_u64().expect("a line") + before.matches('\n').count() as u64;
            (rule, file, line, secret)
        };
        let mut places: Places = found.iter().map(place).collect();
        places.sort();
        places
    }

    fn ours(repo: &Path, what: &str) -> Places {
        let args = ["scan", what, "--format", "json", "--show-secrets", "--confidence", "low", "--no-ignore"];
        let report = json(&run(repo, &args).expect(1));
        let mut places = Places::new();
        for finding in report["findings"].as_array().expect("findings") {
            for place in finding["occurrences"].as_array().expect("places") {
                if place["disposition"]["status"] == "new" {
                    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
                    let line = place["start"]["line"].as_u64().expect("a line");
                    places.push((
                        text(&finding["rule"]),
                        text(&place["path"]),
                        line,
                        text(&finding["secret"]),
                    ));
                }
            }
        }
        places.sort();
        places
    }

    #[test]
    #[ignore = "needs .ci/tools"]
    fn findings_equal_those_of_gitleaks() {
        let repo = GitRepo::new();
        repo.write(".gitleaks.toml", RULES);
        for path in ["a/x.txt", "b/x.txt", "conf/x.txt", "b/k.keystore"] {
            repo.write(path, TEXT);
        }
        repo.write("c/crlf.txt", TEXT.replace('\n', "\r\n")).write("c/random.txt", random(1, 5000));
        let (theirs, ours) = (theirs(repo.path(), "dir"), ours(repo.path(), "--no-history"));
        assert!(theirs.len() > 40, "{theirs:?}");
        assert_eq!(ours, theirs);
    }

    #[test]
    #[ignore = "needs .ci/tools"]
    fn what_is_extended_is_merged_as_gitleaks_does() {
        let repo = GitRepo::new();
        let child = r#"
[extend]
path = "base.toml"
disabledRules = ["composite", "in-path"]
[[rules]]
id = "whole"
regex = '\bgamma\d{4,5}\b'
keywords = ["last"]
[[rules]]
id = "second-group"
entropy = 2.5
  [[rules.allowlists]]
  regexes = ['bbcc']
[[rules]]
id = "added"
regex = 'alpha(x?)=(t?w?o?n?e?)'
[[allowlists]]
targetRules = ["my-generic", "added"]
condition = "AND"
paths = ['^b/']
stopwords = ["longer", "one"]
"#;
        repo.write("base.toml", RULES).write(".gitleaks.toml", child);
        for path in ["a/x.txt", "b/x.txt", "conf/x.txt", "b/k.keystore"] {
            repo.write(path, TEXT);
        }
        let (theirs, ours) = (theirs(repo.path(), "dir"), ours(repo.path(), "--no-history"));
        assert!(theirs.len() > 20 && theirs.iter().any(|place| place.0 == "added"), "{theirs:?}");
        assert_eq!(ours, theirs);
    }

    #[test]
    #[ignore = "needs .ci/tools"]
    fn commits_are_allowed_as_gitleaks_does() {
        let repo = GitRepo::new();
        let first = repo.write("a.txt", "key=firstone\n").write("c.md", "key=document\n").commit("first");
        let second =
            repo.write("b.txt", "key=secondone\n").write("d.md", "key=manualpage\n").commit("second");
        repo.write("e.txt", "key=thirdone\n").commit("third");
        let config = format!(
            "[[rules]]\nid = 'key'\nregex = 'key=(\\w+)'\n[[rules.allowlists]]\ncommits = ['{first}']\n\
             [[allowlists]]\ncondition = 'AND'\ncommits = ['{second}']\npaths = ['\\.md$']\n"
        );
        repo.write(".gitleaks.toml", config);
        let (theirs, ours) = (theirs(repo.path(), "git"), ours(repo.path(), "--history-only"));
        let files: Vec<&str> = theirs.iter().map(|place| place.1.as_str()).collect();
        assert_eq!(files, ["b.txt", "e.txt"]);
        assert_eq!(ours, theirs);
    }
}
