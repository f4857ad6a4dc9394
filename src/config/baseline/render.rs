//! Writes a baseline: old entries as they stood, new ones in one form.

use super::{Baseline, BaselineEntry};

/// What a new file begins with.
const HEAD: &str = "\
# Secrets keycull knows in this repository. Each entry stands for one secret, wherever it is, by its
# fingerprint; a changed secret is a new one. Reasons, names and dates are yours to edit.
# `keycull baseline update` adds what is new, `keycull baseline prune` removes what does nothing any more.
schema = 1
";

/// The whole file.
pub(super) fn file(baseline: &Baseline) -> String {
    let head = baseline.head.trim_end();
    let mut text = if head.is_empty() { HEAD.trim_end().to_owned() } else { head.to_owned() };
    text.push('\n');
    for entry in &baseline.entries {
        text.push('\n');
        match &entry.text {
            Some(old) => text.push_str(old.trim_end()),
            None => text.push_str(self::entry(entry).trim_end()),
        }
        text.push('\n');
    }
    text
}

/// One entry in the standard form.
pub(super) fn entry(entry: &BaselineEntry) -> String {
    let mut text = format!("[[finding]]\nfingerprint = \"{}\"\n", entry.fingerprint);
    let mut line = |key: &str, value: &Option<String>| {
        if let Some(value) = value {
            text.push_str(&format!("{key} = {}\n", quoted(value)));
        }
    };
    line("rule", &entry.rule);
    line("shows", &entry.shows);
    line("reason", &entry.reason);
    line("who", &entry.who);
    if let Some(day) = entry.until {
        text.push_str(&format!("until = {day}\n"));
    }
    if let Some(receipt) = &entry.receipt {
        text.push_str(&format!("receipt = {}\n", quoted(receipt)));
    }
    text
}

/// The comment lines an entry's text begins with.
pub(super) fn comments(text: &str) -> String {
    text.lines()
        .take_while(|line| line.trim_start().starts_with('#'))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// `text` as a basic string of TOML, on one line.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
