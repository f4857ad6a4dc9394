//! Pushes that pass a server although they should not: with a reason, and never unlogged.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::push::RefUpdate;
use super::{HookError, HookName};
use crate::finding::ScanReport;

/// The push option that asks for it: `git push -o keycull.allow='why'`.
const OPTION: &str = "keycull.allow";

/// Longest reason kept, in characters.
const REASON: usize = 500;

/// Most push options looked at.
const MAX_OPTIONS: usize = 1000;

/// Variables by which servers tell who pushes, nearest first.
const PUSHERS: [&str; 6] =
    ["GITHUB_USER_LOGIN", "GL_USERNAME", "GL_USER", "REMOTE_USER", "GITEA_PUSHER_NAME", "USER"];

/// The reason a push option gives for letting findings pass; empty when it gives none.
///
/// Git hands options over in `GIT_PUSH_OPTION_COUNT` and `GIT_PUSH_OPTION_<n>`, to `pre-receive`
/// only.
#[must_use]
pub fn reason(variable: impl Fn(&str) -> Option<OsString>) -> Option<String> {
    let text = |name: &str| variable(name).map(|value| value.to_string_lossy().into_owned());
    let count: usize = text("GIT_PUSH_OPTION_COUNT")?.parse().ok()?;
    (0..count.min(MAX_OPTIONS)).rev().find_map(|n| {
        let option = text(&format!("GIT_PUSH_OPTION_{n}"))?;
        let rest = option.strip_prefix(OPTION)?;
        let reason = rest.strip_prefix('=').or_else(|| rest.is_empty().then_some(""))?;
        Some(reason.trim().chars().take(REASON).collect())
    })
}

/// Writes one line about a push that passes into `keycull/passed.jsonl` below `git_dir`; returns
/// where.
///
/// `why` is `break-glass` or `timeout`. The line holds fingerprints and places, no secrets.
///
/// # Errors
/// When the file cannot be written: then the push must not pass.
pub fn log(
    git_dir: &Path,
    name: HookName,
    why: &str,
    reason: &str,
    refs: &[RefUpdate],
    report: Option<&ScanReport>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<PathBuf, HookError> {
    let path = git_dir.join("keycull").join("passed.jsonl");
    let who = PUSHERS.iter().find_map(|name| variable(name).filter(|value| !value.is_empty()));
    let refs: Vec<Value> = refs
        .iter()
        .map(|r| {
            json!({
                "ref": r.name,
                "old": r.old.as_ref().map(ToString::to_string),
                "new": r.new.as_ref().map(ToString::to_string),
            })
        })
        .collect();
    let findings: Vec<Value> = report
        .into_iter()
        .flat_map(ScanReport::new_findings)
        .map(|finding| {
            let paths: Vec<String> = finding
                .occurrences
                .iter()
                .filter_map(|place| place.path.as_ref())
                .map(|p| p.to_text())
                .collect();
            json!({ "rule": finding.rule.id, "fingerprint": finding.fingerprint.to_string(), "paths": paths })
        })
        .collect();
    let line = json!({
        "time": Timestamp::now().to_string(),
        "hook": name.as_str(),
        "why": why,
        "reason": reason,
        "who": who.map(|who| who.to_string_lossy().into_owned()),
        "refs": refs,
        "findings": findings,
    });
    append(&path, &format!("{line}\n")).map_err(|source| HookError::File {
        action: "write",
        path: path.clone(),
        source,
    })?;
    Ok(path)
}

/// One write of one line, so that lines of pushes at the same time do not mix.
fn append(path: &Path, line: &str) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(line.as_bytes())?;
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(options: &[&str]) -> Option<String> {
        let all: Vec<(String, String)> = [("GIT_PUSH_OPTION_COUNT".to_owned(), options.len().to_string())]
            .into_iter()
            .chain(options.iter().enumerate().map(|(n, o)| (format!("GIT_PUSH_OPTION_{n}"), (*o).to_owned())))
            .collect();
        reason(|name| all.iter().find(|(key, _)| key == name).map(|(_, value)| value.into()))
    }

    #[test]
    fn only_the_option_itself_asks() {
        assert_eq!(asked(&["ci.skip", "keycull.allow= rotated, see #12 "]).unwrap(), "rotated, see #12");
        assert_eq!(asked(&["keycull.allow"]).unwrap(), "");
        assert_eq!(asked(&["keycull.allowed=x", "x=keycull.allow"]), None);
        assert_eq!(asked(&[]), None);
        assert_eq!(reason(|_| None), None);
    }

    #[test]
    fn every_push_gets_a_line() {
        let dir = tempfile::tempdir().unwrap();
        let refs =
            super::super::push::incoming(&format!("{} {} r\n", "0".repeat(40), "a".repeat(40))).unwrap();
        for n in 1..3 {
            let path =
                log(dir.path(), HookName::PreReceive, "timeout", "x", &refs, None, |_| Some("me".into()))
                    .unwrap();
            let text = fs::read_to_string(path).unwrap();
            assert_eq!(text.lines().count(), n);
            let line: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
            assert_eq!((&line["who"], &line["refs"][0]["old"]), (&json!("me"), &Value::Null));
        }
        fs::write(dir.path().join("taken"), "").unwrap();
        let taken = dir.path().join("taken");
        assert!(log(&taken, HookName::PreReceive, "timeout", "x", &refs, None, |_| None).is_err());
    }
}
