//! The table of settings: every key with its type, variable, flag, default and meaning.
//!
//! The parser, `keycull init`, the "did you mean" and the test of `docs/config.md` all read
//! this one table.

/// What a value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `"text"`.
    Text,
    /// `["text", …]`.
    List,
    /// `true` or `false`.
    Flag,
    /// A number, 0 or more.
    Number,
}

impl Kind {
    /// The kind in words, for error messages and documentation.
    #[must_use]
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::List => "a list of strings",
            Self::Flag => "true or false",
            Self::Number => "a whole number, 0 or more",
        }
    }
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Name in `keycull.toml`; `rules.x` stands in the table `[rules]`.
    pub name: &'static str,
    /// What its value looks like.
    pub kind: Kind,
    /// The environment variable that sets it.
    pub variable: &'static str,
    /// The flag that sets it.
    pub flag: &'static str,
    /// Value in force when nobody sets it, as TOML.
    pub default: &'static str,
    /// A value worth showing in a starter file, as TOML.
    pub example: &'static str,
    /// What it does, one or more sentences.
    pub meaning: &'static str,
}

impl Key {
    /// Whether it is one of the budgets.
    #[must_use]
    pub fn is_budget(&self) -> bool {
        self.name.starts_with("archive-") || self.name == "object-bytes"
    }
}

/// Every key of a configuration file but `schema` and the `[[rule]]` tables.
pub const KEYS: [Key; 28] = [
    Key {
        name: "confidence",
        kind: Kind::Text,
        variable: "KEYCULL_CONFIDENCE",
        flag: "--confidence",
        default: "\"medium\"",
        example: "\"medium\"",
        meaning: "Report findings that are at least this sure: low, medium or high.",
    },
    Key {
        name: "severity",
        kind: Kind::Text,
        variable: "KEYCULL_SEVERITY",
        flag: "--severity",
        default: "\"info\"",
        example: "\"low\"",
        meaning: "Report findings that are at least this bad: info, low, medium, high or critical.",
    },
    Key {
        name: "fail-on",
        kind: Kind::Text,
        variable: "KEYCULL_FAIL_ON",
        flag: "--fail-on",
        default: "\"info\"",
        example: "\"high,confidence=medium\"",
        meaning: "Exit with 1 only for findings that meet all these conditions, the others are reported all the \
                  same: a severity, confidence=LEVEL, and new or any (any: what is in the baseline fails, too).",
    },
    Key {
        name: "baseline",
        kind: Kind::Text,
        variable: "KEYCULL_BASELINE",
        flag: "--baseline",
        default: "\"keycull.baseline.toml\"",
        example: "\"security/keycull.baseline.toml\"",
        meaning: "The file of known secrets, see baseline.md. In a configuration file the path is relative to it \
                  and stays below it. The default is read where it is there.",
    },
    Key {
        name: "import",
        kind: Kind::Text,
        variable: "KEYCULL_IMPORT",
        flag: "--import",
        default: "\"\"",
        example: "\".gitleaks.toml\"",
        meaning: "A configuration of gitleaks or betterleaks whose rules and allowlists hold, see migration.md. In a \
                  configuration file the path is relative to it and stays below it.",
    },
    Key {
        name: "fail-on-stale",
        kind: Kind::Flag,
        variable: "KEYCULL_FAIL_ON_STALE",
        flag: "--fail-on-stale",
        default: "false",
        example: "true",
        meaning: "Exit with 1 when an entry of the baseline or an [[allow]] table is expired or no longer needed. \
                  Only scans of everything can tell.",
    },
    Key {
        name: "exclude",
        kind: Kind::List,
        variable: "KEYCULL_EXCLUDE",
        flag: "--exclude",
        default: "[]",
        example: "[\"third_party/**\"]",
        meaning: "Leave out paths that match these globs. They are counted in the coverage of the report.",
    },
    Key {
        name: "no-ignore",
        kind: Kind::Flag,
        variable: "KEYCULL_NO_IGNORE",
        flag: "--no-ignore",
        default: "false",
        example: "true",
        meaning: "Scan untracked files that git ignores, too. Tracked files are always scanned.",
    },
    Key {
        name: "accept-incomplete",
        kind: Kind::List,
        variable: "KEYCULL_ACCEPT_INCOMPLETE",
        flag: "--accept-incomplete",
        default: "[]",
        example: "[\"missing:media/**\"]",
        meaning: "Gaps that do not make a scan incomplete: shallow, missing, unreadable or budget, alone or \
                  with a glob of what they may concern.",
    },
    Key {
        name: "rules.select",
        kind: Kind::List,
        variable: "KEYCULL_RULE",
        flag: "--rule",
        default: "[]",
        example: "[\"github-*\", \"private-key\"]",
        meaning: "Run only these rules (ids, or globs over ids). Empty stands for all but those that are \
                  publishable by design.",
    },
    Key {
        name: "rules.exclude",
        kind: Kind::List,
        variable: "KEYCULL_EXCLUDE_RULE",
        flag: "--exclude-rule",
        default: "[]",
        example: "[\"jwt\"]",
        meaning: "Do not run these rules (ids, or globs over ids).",
    },
    Key {
        name: "rules.files",
        kind: Kind::List,
        variable: "KEYCULL_RULES",
        flag: "--rules",
        default: "[]",
        example: "[\"security/rules.toml\"]",
        meaning: "Further rule files. Paths are relative to the configuration file and stay below it.",
    },
    Key {
        name: "allow-new-markers",
        kind: Kind::Flag,
        variable: "KEYCULL_ALLOW_NEW_MARKERS",
        flag: "--allow-new-markers",
        default: "false",
        example: "true",
        meaning: "Markers beside a secret count even where they come with the range that is scanned. Otherwise they \
                  are listed and do not count there.",
    },
    Key {
        name: "archive-bytes",
        kind: Kind::Number,
        variable: "KEYCULL_ARCHIVE_BYTES",
        flag: "--archive-bytes",
        default: "1073741824",
        example: "4294967296",
        meaning: "Bytes that one container (archive, compressed file, document) may unpack to, all that is nested in it included. What is over this or one of the following budgets is a gap.",
    },
    Key {
        name: "archive-ratio",
        kind: Kind::Number,
        variable: "KEYCULL_ARCHIVE_RATIO",
        flag: "--archive-ratio",
        default: "100",
        example: "1000",
        meaning: "Unpack a container to at most this many times its own size, once that is more than 64 MiB.",
    },
    Key {
        name: "archive-depth",
        kind: Kind::Number,
        variable: "KEYCULL_ARCHIVE_DEPTH",
        flag: "--archive-depth",
        default: "8",
        example: "3",
        meaning: "Open containers inside one another up to this depth; 0 opens none.",
    },
    Key {
        name: "archive-entries",
        kind: Kind::Number,
        variable: "KEYCULL_ARCHIVE_ENTRIES",
        flag: "--archive-entries",
        default: "100000",
        example: "1000000",
        meaning: "Members of one container that are scanned, nested ones included.",
    },
    Key {
        name: "archive-time",
        kind: Kind::Number,
        variable: "KEYCULL_ARCHIVE_TIME",
        flag: "--archive-time",
        default: "60",
        example: "300",
        meaning: "Seconds that unpacking one container may take.",
    },
    Key {
        name: "archive-total",
        kind: Kind::Number,
        variable: "KEYCULL_ARCHIVE_TOTAL",
        flag: "--archive-total",
        default: "68719476736",
        example: "274877906944",
        meaning: "Bytes that all containers of one scope (files, index, history) may unpack to.",
    },
    Key {
        name: "object-bytes",
        kind: Kind::Number,
        variable: "KEYCULL_OBJECT_BYTES",
        flag: "--object-bytes",
        default: "109051904",
        example: "536870912",
        meaning: "Bytes of the largest object of git's that is held in memory. Larger files that git stores whole are read in pieces; what else is larger, such as a version stored as a delta, is a gap.",
    },
    Key {
        name: "format",
        kind: Kind::Text,
        variable: "KEYCULL_FORMAT",
        flag: "--format",
        default: "\"text\"",
        example: "\"text\"",
        meaning: "Format of the report on standard output or in --output.",
    },
    Key {
        name: "color",
        kind: Kind::Text,
        variable: "KEYCULL_COLOR",
        flag: "--color",
        default: "\"auto\"",
        example: "\"never\"",
        meaning: "Colours in text reports: auto, always or never. NO_COLOR is honoured.",
    },
    Key {
        name: "jobs",
        kind: Kind::Number,
        variable: "KEYCULL_JOBS",
        flag: "--jobs",
        default: "0",
        example: "4",
        meaning: "Worker threads; 0 stands for one per core. The report does not depend on it.",
    },
    Key {
        name: "hook.confidence",
        kind: Kind::Text,
        variable: "KEYCULL_HOOK_CONFIDENCE",
        flag: "--hook-confidence",
        default: "\"medium\"",
        example: "\"high\"",
        meaning: "Git hooks stop for findings that are at least this sure: low, medium or high.",
    },
    Key {
        name: "hook.time-budget",
        kind: Kind::Text,
        variable: "KEYCULL_HOOK_TIME_BUDGET",
        flag: "--time-budget",
        default: "\"30s\"",
        example: "\"4s\"",
        meaning: "Hooks on a server (pre-receive, update) stop scanning after this time: 500ms, 30s, 2m.",
    },
    Key {
        name: "hook.on-timeout",
        kind: Kind::Text,
        variable: "KEYCULL_HOOK_ON_TIMEOUT",
        flag: "--on-timeout",
        default: "\"reject\"",
        example: "\"accept\"",
        meaning: "What hooks on a server do with a push they could not scan in time: reject or accept.",
    },
    Key {
        name: "hook.break-glass",
        kind: Kind::Flag,
        variable: "KEYCULL_HOOK_BREAK_GLASS",
        flag: "--break-glass",
        default: "false",
        example: "true",
        meaning: "Hooks on a server let a push with findings pass when its push option \
                  `keycull.allow=REASON` says why; every such push is logged.",
    },
    Key {
        name: "hook.allow-markers",
        kind: Kind::Flag,
        variable: "KEYCULL_HOOK_ALLOW_MARKERS",
        flag: "--allow-markers",
        default: "false",
        example: "true",
        meaning: "Hooks on a server let `keycull:allow` markers in what is pushed count.",
    },
];

/// Tables that keys with a dot stand in.
pub const TABLES: [&str; 2] = ["rules", "hook"];

/// Variables without a key, with their meaning.
pub const OTHER_VARIABLES: [(&str, &str); 4] = [
    (
        "KEYCULL_CONFIG",
        "Configuration file to read instead of the repository's `keycull.toml`, as `--config`.",
    ),
    ("KEYCULL_NO_CONFIG", "Set to `1` or `true`: read no configuration file, as `--no-config`."),
    ("KEYCULL_BIN", "The keycull program the installed git hooks run, when it is not on `PATH`."),
    ("KEYCULL_TOOLS", "Where `.ci/tools` keeps the outside validators; only for work on keycull itself."),
];

/// A starter configuration file: every key, commented out, with its meaning.
#[must_use]
pub fn starter() -> String {
    let mut text = String::from(
        "# Settings of keycull for this repository. Flags and KEYCULL_* variables win over them.\n\
         # Every key is optional; the lines below show examples.\n\
         schema = 1\n",
    );
    for key in KEYS.iter().filter(|key| !key.name.contains('.')) {
        push_commented(&mut text, key, key.name);
    }
    for table in TABLES {
        text.push_str(&format!("\n[{table}]\n"));
        for key in &KEYS {
            if let Some(name) = key.name.strip_prefix(table).and_then(|rest| rest.strip_prefix('.')) {
                push_commented(&mut text, key, name);
            }
        }
    }
    text.push_str(
        "\n# What is known and accepted. Every condition of an entry must hold; a reason is required.\n\
         # [[allow]]\n# reason = \"made-up passwords of the test suite\"\n# rules = [\"generic-*\"]\n\
         # paths = [\"tests/**\"]\n# until = 2099-12-31\n",
    );
    text
}

fn push_commented(text: &mut String, key: &Key, name: &str) {
    text.push('\n');
    for line in wrapped(key.meaning, 88) {
        text.push_str(&format!("# {line}\n"));
    }
    text.push_str(&format!("# Default: {}\n# {name} = {}\n", key.default, key.example));
}

/// Splits `text` at blanks into lines of at most `width` characters.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::file::parse;
    use super::*;

    #[test]
    fn the_starter_file_is_valid_as_written_and_with_every_example_on() {
        let text = starter();
        parse(&text, Path::new("keycull.toml")).expect("as written");
        let on: String = text
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.contains(" = ") || rest == "[[allow]]" => format!("{rest}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let layer = parse(&on, Path::new("keycull.toml")).expect("with the examples on");
        assert!(layer.confidence.is_some() && layer.jobs.is_some() && layer.no_ignore.is_some());
        assert_eq!((layer.rules_select.len(), layer.allow.len()), (2, 1));
    }

    #[test]
    fn variables_and_flags_are_unique() {
        for pick in [|key: &Key| key.name, |key: &Key| key.variable, |key: &Key| key.flag] {
            let mut names: Vec<&str> = KEYS.iter().map(pick).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), KEYS.len());
        }
    }
}
