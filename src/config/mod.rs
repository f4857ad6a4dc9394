//! Settings as people write them in `keycull.toml`: keys, types, places.
//!
//! Level 1. A file becomes a [`Layer`], as do the environment and the flags (read by the
//! command line); [`Layer::over`] lays one upon another. Every value remembers its [`Place`],
//! so that whoever finds it wrong later can say where it stands.
//!
//! A configuration file can be part of the scanned tree, so nothing in it may name a host, run
//! a command, reveal a secret or choose where output is written: there are no such keys.

mod allow;
mod baseline;
mod error;
mod fail_on;
mod file;
mod hook;
mod keys;
mod suggest;
mod text;
mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::finding::{Confidence, GapKind, Severity};

pub use allow::{ALLOW_KEYS, AllowEntry, AllowKey};
pub use baseline::{BASELINE_KEYS, BASELINE_NAME, Baseline, BaselineEntry};
pub use error::ConfigError;
pub use fail_on::FailOn;
pub use file::{RuleTable, parse, read, text_of};
pub use hook::{OnTimeout, TimeBudget};
pub use keys::{KEYS, Key, OTHER_VARIABLES, TABLES, starter};
pub use suggest::closest;
pub use text::switch;
pub use write::{Overwrite, quoted, write_whole};

/// Name of the configuration file at the root of a repository or a scanned directory.
pub const FILE_NAME: &str = "keycull.toml";

/// Where a value was given, for error messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line of a configuration file.
    File {
        /// The file, as it was named or found.
        file: PathBuf,
        /// 1-based line of the value.
        line: usize,
    },
    /// An environment variable.
    Variable(&'static str),
    /// A flag of the command line.
    Flag(&'static str),
}

impl Place {
    /// The place without directories, for reports, which are the same wherever a clone lies.
    #[must_use]
    pub fn short(&self) -> String {
        match self {
            Self::File { file, line } => {
                let name = file.file_name().unwrap_or(file.as_os_str());
                format!("{}:{line}", name.display())
            }
            Self::Variable(name) | Self::Flag(name) => (*name).to_owned(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line } => write!(f, "{}:{line}", file.display()),
            Self::Variable(name) | Self::Flag(name) => f.write_str(name),
        }
    }
}

/// A value and where it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given<T> {
    /// The value.
    pub value: T,
    /// Where it was given.
    pub place: Place,
}

/// A named gap that does not make a scan incomplete: `KIND` or `KIND:GLOB`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedGap {
    /// Kind of gap; never [`GapKind::Interrupted`].
    pub kind: GapKind,
    /// What it may concern; `None` stands for anything.
    pub glob: Option<String>,
}

impl AcceptedGap {
    /// Kinds that can be accepted, with their names.
    const KINDS: [GapKind; 4] = [GapKind::Shallow, GapKind::Missing, GapKind::Unreadable, GapKind::Budget];
}

impl std::str::FromStr for AcceptedGap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, glob) = match text.split_once(':') {
            Some((name, glob)) => (name, Some(glob.to_owned())),
            None => (text, None),
        };
        if glob.as_deref() == Some("") {
            return Err(format!("`{text}` names no glob after the colon"));
        }
        let kind = Self::KINDS.into_iter().find(|kind| kind.as_str() == name).ok_or_else(|| {
            let names = Self::KINDS.map(GapKind::as_str);
            format!("unknown kind of gap `{name}`, expected one of {}", names.join(", "))
        })?;
        Ok(Self { kind, glob })
    }
}

impl fmt::Display for AcceptedGap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.glob {
            Some(glob) => write!(f, "{}:{glob}", self.kind.as_str()),
            None => f.write_str(self.kind.as_str()),
        }
    }
}

/// One source of settings; every value is optional.
#[derive(Clone, Debug, Default)]
pub struct Layer {
    /// Least confidence that is reported and counts.
    pub confidence: Option<Given<Confidence>>,
    /// Least severity that is reported.
    pub severity: Option<Given<Severity>>,
    /// What makes the exit code 1.
    pub fail_on: Option<Given<FailOn>>,
    /// The baseline.
    pub baseline: Option<Given<PathBuf>>,
    /// Whether markers that come with a range count in it.
    pub allow_new_markers: Option<Given<bool>>,
    /// A configuration of another tool.
    pub import: Option<Given<PathBuf>>,
    /// Whether entries that do nothing make the exit code 1.
    pub fail_on_stale: Option<Given<bool>>,
    /// Name of the report format of standard output and `--output`.
    pub format: Option<Given<String>>,
    /// `auto`, `always` or `never`.
    pub color: Option<Given<String>>,
    /// Worker threads; 0 stands for one per core.
    pub jobs: Option<Given<usize>>,
    /// Budgets for containers, by key (`archive-…`).
    pub archives: BTreeMap<&'static str, Given<u64>>,
    /// Whether untracked files that git ignores are scanned too.
    pub no_ignore: Option<Given<bool>>,
    /// Path globs left out.
    pub exclude: Vec<Given<String>>,
    /// Gaps that may stay.
    pub accept_incomplete: Vec<Given<AcceptedGap>>,
    /// Rule ids or globs; when there are any, only these rules run.
    pub rules_select: Vec<Given<String>>,
    /// Rule ids or globs that do not run.
    pub rules_exclude: Vec<Given<String>>,
    /// Further rule files, resolved.
    pub rules_files: Vec<Given<PathBuf>>,
    /// Rules written into configuration files.
    pub rules: Vec<RuleTable>,
    /// Findings that are known and accepted.
    pub allow: Vec<AllowEntry>,
    /// What only git hooks ask for.
    pub hook: HookLayer,
}

/// The settings of the table `[hook]`; every value is optional.
#[derive(Clone, Debug, Default)]
pub struct HookLayer {
    /// Least confidence that stops a hook.
    pub confidence: Option<Given<Confidence>>,
    /// Time a hook on a server may take.
    pub time_budget: Option<Given<TimeBudget>>,
    /// What a hook on a server does when the time is used up.
    pub on_timeout: Option<Given<OnTimeout>>,
    /// Whether a push option lets findings pass on a server.
    pub break_glass: Option<Given<bool>>,
    /// Whether markers in what is pushed count on a server.
    pub allow_markers: Option<Given<bool>>,
}

impl HookLayer {
    /// Lays `self` over `below`.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        Self {
            confidence: self.confidence.or(below.confidence),
            time_budget: self.time_budget.or(below.time_budget),
            on_timeout: self.on_timeout.or(below.on_timeout),
            break_glass: self.break_glass.or(below.break_glass),
            allow_markers: self.allow_markers.or(below.allow_markers),
        }
    }
}

impl Layer {
    /// Lays `self` over `below`.
    ///
    /// Single values of `self` win. Lists are joined, but for the rule selection: naming rules
    /// in a nearer place replaces the selection made farther away.
    #[must_use]
    pub fn over(self, below: Layer) -> Layer {
        Layer {
            confidence: self.confidence.or(below.confidence),
            severity: self.severity.or(below.severity),
            fail_on: self.fail_on.or(below.fail_on),
            baseline: self.baseline.or(below.baseline),
            allow_new_markers: self.allow_new_markers.or(below.allow_new_markers),
            import: self.import.or(below.import),
            fail_on_stale: self.fail_on_stale.or(below.fail_on_stale),
            format: self.format.or(below.format),
            color: self.color.or(below.color),
            jobs: self.jobs.or(below.jobs),
            archives: below.archives.into_iter().chain(self.archives).collect(),
            no_ignore: self.no_ignore.or(below.no_ignore),
            exclude: joined(self.exclude, below.exclude),
            accept_incomplete: joined(self.accept_incomplete, below.accept_incomplete),
            rules_select: if self.rules_select.is_empty() { below.rules_select } else { self.rules_select },
            rules_exclude: joined(self.rules_exclude, below.rules_exclude),
            rules_files: joined(self.rules_files, below.rules_files),
            rules: joined(self.rules, below.rules),
            allow: joined(self.allow, below.allow),
            hook: self.hook.over(below.hook),
        }
    }
}

fn joined<T>(mut near: Vec<T>, far: Vec<T>) -> Vec<T> {
    near.extend(far);
    near
}

/// The user's own configuration file, below every repository's.
///
/// `$XDG_CONFIG_HOME/keycull/config.toml`, else `~/.config/keycull/config.toml`; on Windows
/// `%APPDATA%\keycull\config.toml`. `variable` reads the environment.
#[must_use]
pub fn user_file(variable: impl Fn(&str) -> Option<std::ffi::OsString>) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("XDG_CONFIG_HOME").filter(|path| path.is_absolute()).or_else(|| {
        if cfg!(windows) { set("APPDATA") } else { set("HOME").map(|home| home.join(".config")) }
    })?;
    Some(base.join("keycull").join("config.toml"))
}

/// Resolves a path written in `file`: relative to the directory the file is in.
#[must_use]
pub fn beside(file: &Path, written: &str) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given<T>(value: T) -> Given<T> {
        Given { value, place: Place::Flag("--test") }
    }

    #[test]
    fn near_values_win_and_lists_join() {
        let near = Layer {
            confidence: Some(given(Confidence::High)),
            exclude: vec![given("a".into())],
            rules_select: vec![given("x".into())],
            ..Layer::default()
        };
        let far = Layer {
            confidence: Some(given(Confidence::Low)),
            jobs: Some(given(3)),
            exclude: vec![given("b".into())],
            rules_select: vec![given("y".into())],
            ..Layer::default()
        };
        let both = near.over(far);
        assert_eq!(both.confidence.map(|g| g.value), Some(Confidence::High));
        assert_eq!(both.jobs.map(|g| g.value), Some(3));
        let globs: Vec<_> = both.exclude.iter().map(|g| g.value.as_str()).collect();
        assert_eq!(globs, ["a", "b"]);
        let rules: Vec<_> = both.rules_select.iter().map(|g| g.value.as_str()).collect();
        assert_eq!(rules, ["x"]);
    }

    #[test]
    fn accepted_gaps_are_read_and_written() {
        for text in ["shallow", "missing:*.bin", "unreadable:a:b"] {
            assert_eq!(text.parse::<AcceptedGap>().unwrap().to_string(), text);
        }
        for junk in ["interrupted", "", "missing:", "Shallow"] {
            assert!(junk.parse::<AcceptedGap>().is_err(), "{junk}");
        }
    }

    #[test]
    fn the_user_file_follows_xdg() {
        let with = |pairs: &'static [(&str, &str)]| {
            user_file(move |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, v)| (*v).into()))
        };
        assert_eq!(with(&[("XDG_CONFIG_HOME", "/x"), ("HOME", "/h")]), Some("/x/keycull/config.toml".into()));
        if cfg!(unix) {
            let home = Some("/h/.config/keycull/config.toml".into());
            assert_eq!(with(&[("HOME", "/h")]), home);
            assert_eq!(
                with(&[("XDG_CONFIG_HOME", "relative"), ("HOME", "/h")]),
                home,
                "relative values are invalid"
            );
        }
        assert_eq!(with(&[]), None);
    }
}
