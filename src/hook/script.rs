//! One hook file: whose it is, and how keycull's own is written and removed.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::HookError;

/// The script, for all hooks: it goes by its own name.
const SCRIPT: &str = include_str!("../../hooks/keycull-hook");

/// The line that tells keycull's scripts, of any version, from others.
const MARK: &str = "# keycull-hook ";

/// The line of the script that names the program to fall back to.
const PROGRAM_LINE: &str = "installed=''\n";

/// The line of the script that says which repositories it serves: `yes` all of a user's,
/// `pass` all of them without scanning.
const EVERYWHERE_LINE: &str = "everywhere=''\n";

/// Ending of the name under which the hook that was there before is kept.
pub(super) const BEFORE: &str = ".before-keycull";

/// What is in the place of a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing.
    Absent,
    /// Keycull's own script.
    Own(Own),
    /// Somebody else's.
    Foreign {
        /// It mentions keycull, so it may well run it.
        mentions_keycull: bool,
        /// Git runs it only when it is executable.
        executable: bool,
        /// The hook manager that wrote it, if it is a known one.
        manager: Option<Manager>,
    },
}

/// Keycull's own script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Own {
    /// Git runs it only when it is executable.
    pub(super) executable: bool,
    /// It is the script of this version.
    pub(super) current: bool,
    /// It has carriage returns, with which no shell runs it.
    pub(super) carriage_returns: bool,
    /// The program it falls back to when no `keycull` is on `PATH`.
    pub(super) program: Option<PathBuf>,
    /// The hook it runs as well, which was there before.
    pub(super) before: Option<PathBuf>,
    /// It only runs the repository's own hook.
    pub(super) passes_on: bool,
}

/// Which repositories a script serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// The one it is in.
    Here,
    /// All of the user's: it runs the repository's own hook as well.
    Everywhere,
    /// All of the user's: it runs the repository's own hook and nothing else.
    PassOn,
}

/// A program that manages hooks, as far as hook files tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// The pre-commit framework.
    PreCommit,
    /// husky.
    Husky,
    /// lefthook.
    Lefthook,
}

impl Manager {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PreCommit => "pre-commit",
            Self::Husky => "husky",
            Self::Lefthook => "lefthook",
        }
    }
}

impl State {
    /// Whether keycull's own hook is there.
    pub(super) fn is_own(&self) -> bool {
        matches!(self, Self::Own(_))
    }
}

/// The name under which the hook at `path` is kept while keycull's script is in its place.
pub(super) fn before(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(BEFORE);
    PathBuf::from(name)
}

/// Looks at the file at `path`.
pub(super) fn inspect(path: &Path) -> Result<State, HookError> {
    let failed = |source| HookError::File { action: "read", path: path.to_owned(), source };
    let about = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::Absent),
        other => other.map_err(failed)?,
    };
    // A link counts as somebody else's, wherever it leads.
    let (text, about) = if about.is_symlink() {
        (fs::read(path).unwrap_or_default(), fs::metadata(path).unwrap_or(about.clone()))
    } else if about.is_file() {
        (fs::read(path).map_err(failed)?, about.clone())
    } else {
        (Vec::new(), about.clone())
    };
    let text = String::from_utf8_lossy(&text);
    let executable = is_executable(&about);
    let own = text.lines().take(3).any(|line| line.starts_with(MARK));
    if !own || fs::symlink_metadata(path).is_ok_and(|about| about.is_symlink()) {
        let mentions_keycull = text.contains("keycull");
        return Ok(State::Foreign { mentions_keycull, executable, manager: manager(path, &text) });
    }
    let plain = |text: &str| {
        let fixed = |line: &&str| !line.starts_with("installed=") && !line.starts_with("everywhere=");
        text.lines().filter(fixed).map(str::to_owned).collect::<Vec<_>>()
    };
    let kept = before(path);
    Ok(State::Own(Own {
        executable,
        current: plain(&text) == plain(SCRIPT),
        carriage_returns: text.contains('\r'),
        program: program_of(&text),
        before: fs::symlink_metadata(&kept).is_ok().then_some(kept),
        passes_on: text.lines().any(|line| line == "everywhere='pass'"),
    }))
}

/// Writes keycull's script to `path`, which must be free.
pub(super) fn write(path: &Path, program: Option<&Path>, reach: Reach) -> Result<(), HookError> {
    let failed = |source| HookError::File { action: "write", path: path.to_owned(), source };
    // Exclusive, so that a hook that somebody puts there at this moment survives.
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o755);
    }
    let mut file = options.open(path).map_err(failed)?;
    file.write_all(script(program, reach).as_bytes()).map_err(failed)
}

/// Removes the file at `path`.
pub(super) fn remove(path: &Path) -> Result<(), HookError> {
    fs::remove_file(path).map_err(|source| HookError::File {
        action: "remove",
        path: path.to_owned(),
        source,
    })
}

/// The hook manager that wrote the file at `path`, as far as its text tells.
fn manager(path: &Path, text: &str) -> Option<Manager> {
    let in_path = |part: &str| path.components().any(|component| component.as_os_str() == part);
    if text.contains("generated by pre-commit") {
        Some(Manager::PreCommit)
    } else if in_path(".husky") {
        Some(Manager::Husky)
    } else if text.contains("call_lefthook") || text.contains("LEFTHOOK") {
        Some(Manager::Lefthook)
    } else {
        None
    }
}

/// The script, with `program` written into it.
fn script(program: Option<&Path>, reach: Reach) -> String {
    let mut text = SCRIPT.to_owned();
    if let Some(program) = program.and_then(Path::to_str) {
        text = text.replacen(PROGRAM_LINE, &format!("installed={}\n", quoted(program)), 1);
    }
    match reach {
        Reach::Here => text,
        Reach::Everywhere => text.replacen(EVERYWHERE_LINE, "everywhere='yes'\n", 1),
        Reach::PassOn => text.replacen(EVERYWHERE_LINE, "everywhere='pass'\n", 1),
    }
}

/// `text` as one word of a shell, with the separators shells take on every system.
pub(super) fn quoted(text: &str) -> String {
    let text = if cfg!(windows) { text.replace('\\', "/") } else { text.to_owned() };
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// The program a script falls back to.
fn program_of(text: &str) -> Option<PathBuf> {
    let line = text.lines().find_map(|line| line.strip_prefix("installed='"))?;
    let program = line.strip_suffix('\'')?.replace("'\\''", "'");
    (!program.is_empty()).then(|| PathBuf::from(program))
}

#[cfg(unix)]
fn is_executable(about: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    about.is_file() && about.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(about: &fs::Metadata) -> bool {
    about.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_can_be_recognised_and_filled_in() {
        assert!(SCRIPT.lines().nth(1).unwrap().starts_with(MARK));
        assert!(SCRIPT.contains(BEFORE));
        assert!(!SCRIPT.contains('\r'), "wherever it was built: .gitattributes sees to it");
        assert_eq!(SCRIPT.matches(PROGRAM_LINE).count(), 1);
        assert_eq!(SCRIPT.matches(EVERYWHERE_LINE).count(), 1);
        let text = script(Some(Path::new("/it's/keycull")), Reach::Everywhere);
        assert!(text.contains("installed='/it'\\''s/keycull'\n") && text.contains("everywhere='yes'\n"));
        assert_eq!(program_of(&text).unwrap(), Path::new("/it's/keycull"));
        assert_eq!(program_of(SCRIPT), None);
    }

    #[test]
    fn own_hooks_are_told_from_others() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pre-commit");
        assert_eq!(inspect(&path).unwrap(), State::Absent);
        write(&path, Some(Path::new("/opt/keycull")), Reach::Here).unwrap();
        assert!(write(&path, None, Reach::Here).is_err(), "never over another file");
        let State::Own(own) = inspect(&path).unwrap() else { panic!("not recognised") };
        assert!(own.executable && own.current && !own.carriage_returns && own.before.is_none());
        assert_eq!(own.program.unwrap(), Path::new("/opt/keycull"));
        fs::write(before(&path), "").unwrap();
        fs::write(&path, "#!/bin/sh\r\n# keycull-hook 0\r\n").unwrap();
        let State::Own(own) = inspect(&path).unwrap() else { panic!("not recognised") };
        assert!(!own.current && own.carriage_returns && own.before.is_some());
        fs::write(&path, "#!/bin/sh\nkeycull scan --staged\n").unwrap();
        assert!(matches!(inspect(&path).unwrap(), State::Foreign { mentions_keycull: true, .. }));
    }
}
