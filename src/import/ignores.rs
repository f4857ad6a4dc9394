//! Ignore files and baselines of other tools: which findings their users had settled.

use std::path::Path;

use serde::Deserialize;

/// Ignore files of other tools with an entry on each line: `keycull migrate` carries them over, no
/// scan reads them.
pub const NAMES: [&str; 4] = [".betterleaksignore", ".gitallowed", ".gitleaksignore", ".secretsignore"];

/// One finding another tool was told to overlook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// For people: file and line or entry.
    pub label: String,
    /// Path of the file it is in.
    pub path: String,
    /// The commit it came with, where it is bound to one.
    pub commit: Option<String>,
    /// What tells it from others in the file.
    pub mark: Mark,
    /// Why it was settled, as far as the file tells.
    pub reason: String,
}

/// What tells a finding from others in its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// 1-based line.
    Line(usize),
    /// The secret itself.
    Raw(String),
    /// SHA-1 of the secret, in hexadecimal digits.
    Sha1(String),
}

/// `.gitleaksignore`: `path:rule:line` or `commit:path:rule:line`, comments after `#`. Gives the
/// entries and the lines that are none.
#[must_use]
pub fn gitleaks_ignore(name: &str, text: &str) -> (Vec<Settled>, Vec<String>) {
    let (mut entries, mut rest) = (Vec::new(), Vec::new());
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let label = format!("{name}:{number}");
        let parts: Vec<&str> = line.split(':').collect();
        let (commit, path, at) = match parts.as_slice() {
            [path, _, at] => (None, path, at),
            [commit, path, _, at] => (Some((*commit).to_owned()), path, at),
            _ => {
                rest.push(format!("{label}: `{line}` is neither path:rule:line nor commit:path:rule:line"));
                continue;
            }
        };
        match at.parse() {
            Ok(at) => entries.push(Settled {
                reason: format!("carried over from {name}"),
                path: path.replace('\\', "/"),
                commit,
                mark: Mark::Line(at),
                label,
            }),
            Err(_) => rest.push(format!("{label}: `{at}` is no line")),
        }
    }
    (entries, rest)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Leak {
    #[serde(rename = "RuleID", default)]
    rule: String,
    #[serde(default)]
    file: String,
    #[serde(default)]
    secret: String,
    #[serde(default)]
    commit: String,
    #[serde(default)]
    start_line: usize,
}

/// A JSON report of gitleaks, which is also its baseline. Redacted secrets are told by their line.
///
/// # Errors
/// The text is not such a report.
pub fn gitleaks_report(name: &str, text: &str) -> Result<Vec<Settled>, String> {
    let leaks: Vec<Leak> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let settled = |(number, leak): (usize, Leak)| {
        let redacted =
            leak.secret.is_empty() || leak.secret.starts_with("REDACTED") || leak.secret.ends_with("...");
        Settled {
            label: format!("{name}: finding {number}, {} in {}", leak.rule, leak.file),
            path: leak.file,
            commit: Some(leak.commit).filter(|commit| !commit.is_empty()),
            mark: if redacted { Mark::Line(leak.start_line) } else { Mark::Raw(leak.secret) },
            reason: format!("carried over from {name}"),
        }
    };
    Ok((1..).zip(leaks).map(settled).collect())
}

#[derive(Deserialize)]
struct Detected {
    results: std::collections::BTreeMap<String, Vec<Potential>>,
}

#[derive(Deserialize)]
struct Potential {
    #[serde(rename = "type", default)]
    kind: String,
    hashed_secret: String,
    #[serde(default)]
    is_secret: Option<bool>,
}

/// `.secrets.baseline` of detect-secrets.
///
/// # Errors
/// The text is not such a baseline.
pub fn detect_secrets(name: &str, text: &str) -> Result<Vec<Settled>, String> {
    let found: Detected = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut entries = Vec::new();
    for (path, secrets) in found.results {
        entries.extend(secrets.into_iter().map(|secret| Settled {
            label: format!("{name}: {} in {path}", secret.kind),
            path: path.replace('\\', "/"),
            commit: None,
            mark: Mark::Sha1(secret.hashed_secret),
            reason: match secret.is_secret {
                Some(false) => format!("audited as no secret in {name}"),
                Some(true) => format!("audited as a real secret in {name}"),
                None => format!("carried over from {name}, not audited"),
            },
        }));
    }
    Ok(entries)
}

/// Path globs of an ignore file in the syntax of `.gitignore`, and the lines that have no
/// counterpart. Of `.secretsignore` everything from `[secrets]` on is none.
#[must_use]
pub fn path_globs(name: &str, text: &str) -> (Vec<String>, Vec<String>) {
    let (mut globs, mut rest) = (Vec::new(), Vec::new());
    let mut section = false;
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        section |= line.starts_with('[') && line.ends_with(']');
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if section || line.starts_with('!') {
            rest.push(format!("{name}:{number}: `{line}`"));
        } else {
            globs.push(line.to_owned());
        }
    }
    (globs, rest)
}

/// The globs under `paths-ignore:` of `secret_scanning.yml`.
#[must_use]
pub fn paths_ignore(text: &str) -> Vec<String> {
    let mut globs = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let bare = line.split(" #").next().unwrap_or_default().trim();
        if !line.starts_with([' ', '-', '\t']) {
            inside = bare == "paths-ignore:";
        } else if let Some(item) = bare.strip_prefix('-').filter(|_| inside) {
            globs.push(item.trim().trim_matches(['"', '\'']).to_owned());
        }
    }
    globs.retain(|glob| !glob.is_empty());
    globs
}

/// File name of a path, for messages.
#[must_use]
pub fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignore_lines_are_read_and_others_told() {
        let (entries, rest) = gitleaks_ignore("x", "# c\n\na\\b.env:rule:3\nabc:c.env:rule:4\nc:d\na:b:x\n");
        assert_eq!(entries.len(), 2);
        assert_eq!((entries[0].path.as_str(), &entries[0].mark), ("a/b.env", &Mark::Line(3)));
        assert_eq!((entries[1].commit.as_deref(), &entries[1].mark), (Some("abc"), &Mark::Line(4)));
        assert_eq!(rest.len(), 2, "{rest:?}");
    }

    #[test]
    fn reports_and_baselines_are_read() {
        let report = r#"[{"RuleID":"r","File":"a","Secret":"s1","Commit":"","StartLine":2,"Tags":[]},
                         {"RuleID":"r","File":"a","Secret":"REDACTED","Commit":"c","StartLine":2}]"#;
        let marks: Vec<Mark> = gitleaks_report("x", report).unwrap().into_iter().map(|s| s.mark).collect();
        assert_eq!(marks, [Mark::Raw("s1".to_owned()), Mark::Line(2)]);
        let baseline =
            r#"{"version":"1.5.0","results":{"a.py":[{"type":"T","hashed_secret":"ab","is_secret":false}]}}"#;
        let entries = detect_secrets("x", baseline).unwrap();
        assert_eq!(
            (entries[0].path.as_str(), entries[0].reason.as_str()),
            ("a.py", "audited as no secret in x")
        );
        assert!(gitleaks_report("x", "{}").is_err() && detect_secrets("x", "[]").is_err());
    }

    #[test]
    fn paths_are_read() {
        let (globs, rest) = path_globs("x", "# c\nvendor/\n*.lock\n!a\n[secrets]\nabc\n");
        assert_eq!((globs.join(" "), rest.len()), ("vendor/ *.lock".to_owned(), 3));
        let yaml = "name: x\npaths-ignore:\n  - \"docs/**\" # c\n  - 'a.txt'\nother:\n  - z\n";
        assert_eq!(paths_ignore(yaml), ["docs/**", "a.txt"]);
    }
}
