//! What a hook says last: that it stopped, and the next commands.

use std::collections::BTreeSet;

use crate::finding::ScanReport;
use crate::hook::HookName;

use super::super::failure::printable;

/// Most paths named in a command.
const MAX_PATHS: usize = 3;

/// What is known about the place the hook runs in.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Circumstances {
    /// There is no commit yet.
    pub(super) unborn: bool,
    /// A push option may let findings pass.
    pub(super) break_glass: bool,
}

/// The text after a report with findings.
pub(super) fn found(name: HookName, report: &ScanReport, now: Circumstances) -> String {
    let mut lines = vec![("take it out", take_out(name, report, now))];
    if name == HookName::PrePush || name.is_server_side() {
        lines.push(("was it shared", "rotate it: taking it out does not make it secret again".to_owned()));
    }
    lines.push((
        "no secret",
        "put `keycull:allow[RULE] reason` beside it, or an [[allow]] table into keycull.toml".to_owned(),
    ));
    lines.extend(go_on(name, now));
    written(&format!("keycull: {}", what_stopped(name)), &lines)
}

/// The text after a report that is not complete.
pub(super) fn incomplete(name: HookName, now: Circumstances) -> String {
    let lines: Vec<_> = go_on(name, now).into_iter().collect();
    written(&format!("keycull: not everything could be read, so {}", what_stopped(name)), &lines)
}

/// The text after an error.
pub(super) fn undecided(name: HookName) -> String {
    let lines: Vec<_> = go_on(name, Circumstances::default()).into_iter().collect();
    written(&format!("keycull: nothing was scanned, so {}", what_stopped(name)), &lines)
}

fn written(first: &str, lines: &[(&str, String)]) -> String {
    let mut text = format!("{first}\n");
    for (label, line) in lines {
        text.push_str(&format!("  {:<14} {}\n", format!("{label}:"), printable(line)));
    }
    text
}

fn what_stopped(name: HookName) -> &'static str {
    match name {
        HookName::PreCommit | HookName::CommitMsg => "this commit is stopped",
        HookName::PreMergeCommit => "this merge is stopped",
        HookName::PrePush => "this push is stopped",
        HookName::PreReceive | HookName::Update => "this push is refused",
    }
}

fn go_on(name: HookName, now: Circumstances) -> Option<(&'static str, String)> {
    let command = name.without_it().map(str::to_owned);
    let option =
        now.break_glass.then(|| "git push -o keycull.allow='why it has to be' (is logged)".to_owned());
    command.or(option).map(|command| ("go on anyway", command))
}

fn take_out(name: HookName, report: &ScanReport, now: Circumstances) -> String {
    match name {
        HookName::PreCommit | HookName::PreMergeCommit => {
            let unstage = if now.unborn { "git rm --cached" } else { "git restore --staged" };
            format!("{unstage} -- {}, edit, and `git add` again", paths(report))
        }
        HookName::CommitMsg => "git commit --edit --file=.git/COMMIT_EDITMSG".to_owned(),
        HookName::PrePush | HookName::PreReceive | HookName::Update => match introduced(report) {
            Some(commit) => format!("git rebase -i {commit}^, edit that commit, and push again"),
            None => "rewrite the commits that hold it, for example with git rebase -i".to_owned(),
        },
    }
}

/// The commit that brought the secrets, where it is one and has a parent.
fn introduced(report: &ScanReport) -> Option<String> {
    let mut commits = BTreeSet::new();
    for finding in report.new_findings() {
        for place in &finding.occurrences {
            commits.insert(place.timeline.as_ref()?.introduced.as_ref()?.id.short(12));
        }
    }
    if commits.len() == 1 { commits.pop_first() } else { None }
}

/// The paths of what was found, as words of a shell.
fn paths(report: &ScanReport) -> String {
    let places = report.new_findings().flat_map(|finding| &finding.occurrences);
    let paths: BTreeSet<String> =
        places.filter_map(|place| place.path.as_ref()).map(|path| word(&path.to_text())).collect();
    let more = if paths.len() > MAX_PATHS { " …" } else { "" };
    let named: Vec<String> = paths.into_iter().take(MAX_PATHS).collect();
    if named.is_empty() { ".".to_owned() } else { named.join(" ") + more }
}

/// `text` as one word of a shell.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-._/+@%".contains(c);
    if text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_words_of_a_shell() {
        assert_eq!(word("src/a-b.rs"), "src/a-b.rs");
        assert_eq!(word("it's $HOME"), "'it'\\''s $HOME'");
    }

    #[test]
    fn every_hook_says_what_comes_next() {
        let report = ScanReport::default();
        for name in HookName::ALL {
            let now = Circumstances { unborn: false, break_glass: true };
            let text = found(name, &report, now);
            assert!(text.contains("take it out:") && text.contains("go on anyway:"), "{text}");
            assert!(!found(name, &report, Circumstances::default()).contains("keycull.allow"), "{name}");
        }
    }
}
