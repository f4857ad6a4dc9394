//! Asks git about hooks and configuration: only git's answer is the one git will act on.

use std::path::Path;
use std::process::Command;

use super::HookError;

/// A version of git: major and minor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

/// The first git that reads hooks from its configuration (release notes of git 2.54.0).
pub(super) const CONFIGURED_HOOKS: Version = Version(2, 54);

/// Which configuration is read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// That of the repository.
    Local,
    /// The user's own.
    Global,
}

impl Scope {
    pub(super) const fn flag(self) -> &'static str {
        match self {
            Self::Local => "--local",
            Self::Global => "--global",
        }
    }
}

/// Runs git in `directory` and returns what it prints, without the line end.
///
/// # Errors
/// Git cannot be run, or says no; the answer is taken to mean that there is no repository.
pub(super) fn ask(directory: &Path, arguments: &[&str]) -> Result<String, HookError> {
    answer(directory, arguments).map_err(|error| {
        let HookError::Refused { said, .. } = error else { return error };
        HookError::NotARepository { path: directory.to_owned(), said }
    })
}

/// Runs git in `directory` and returns what it prints, without the line end.
///
/// # Errors
/// Git cannot be run, or says no.
pub(super) fn answer(directory: &Path, arguments: &[&str]) -> Result<String, HookError> {
    let output =
        Command::new("git").arg("-C").arg(directory).args(arguments).output().map_err(HookError::Git)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(HookError::Refused { command: arguments.join(" "), said });
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}

/// The version of the git that is on `PATH`.
pub(super) fn version(directory: &Path) -> Result<Version, HookError> {
    // NOTE: a git that does not tell counts as the oldest.
    Ok(parse_version(&answer(directory, &["version"])?).unwrap_or(Version(0, 0)))
}

/// Reads `git version 2.47.3`, with whatever distributors append.
fn parse_version(text: &str) -> Option<Version> {
    let numbers = text.strip_prefix("git version ")?;
    let mut parts = numbers.split(|c: char| !c.is_ascii_digit());
    Some(Version(parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_whatever_follows() {
        for (text, version) in [
            ("git version 2.47.3", Version(2, 47)),
            ("git version 2.54.0.windows.1", Version(2, 54)),
            ("git version 2.55.GIT", Version(2, 55)),
            ("git version 3.0-rc1", Version(3, 0)),
        ] {
            assert_eq!(parse_version(text), Some(version), "{text}");
        }
        assert_eq!(parse_version("hub version 2.54"), None);
        assert!(Version(2, 9) < CONFIGURED_HOOKS && Version(3, 0) > CONFIGURED_HOOKS);
    }
}
