//! What a pipeline is about: the commits to scan, from the environment of its CI system.
//!
//! Nothing is guessed. A system or an event that is not known, a value that is missing and one that
//! makes no sense are errors, since a gate that scans the wrong commits is green for the wrong reason.

mod github;
mod gitlab;
mod others;
mod system;

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

pub use system::System;

/// Environment variables and the files they name.
pub trait Surroundings {
    /// The value of a variable; `None` when unset or empty.
    fn get(&self, name: &str) -> Option<String>;

    /// The content of a file.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read(&self, file: &Path) -> io::Result<Vec<u8>>;
}

/// What is to be scanned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// What `tip` has and `base` has not.
    Range {
        /// The side that is judged: a full object name.
        tip: String,
        /// The side it is held against.
        base: Base,
    },
    /// All files and the whole history.
    Everything,
}

/// The side that changes are held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// A commit: a full object name.
    Commit(String),
    /// A branch of the remote `origin`, by its short name.
    Branch(String),
}

impl Base {
    /// How git names it.
    #[must_use]
    pub fn revision(&self) -> String {
        match self {
            Self::Commit(id) => id.clone(),
            Self::Branch(name) => format!("refs/remotes/origin/{name}"),
        }
    }
}

/// What was found out about a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    /// The CI system.
    pub system: System,
    /// What started it, in the system's own word.
    pub event: String,
    /// What is to be scanned.
    pub scope: Scope,
    /// Why just that, in words that go on after the scope.
    pub why: String,
    /// Address of the repository.
    pub uri: Option<String>,
    /// Short name of the branch.
    pub branch: Option<String>,
}

/// Why it is not known what to scan.
#[derive(Debug, Error)]
pub enum CiError {
    /// No variable of any system is set.
    #[error("this is no CI system that keycull knows ({})", System::names())]
    NoSystem,
    /// The system is known, what started the pipeline is not.
    #[error("{}: keycull does not know what to scan for the event `{event}`", system.as_str())]
    Event {
        /// The system.
        system: System,
        /// The event.
        event: String,
    },
    /// A variable that this event always comes with is not there.
    #[error("{}: {variable} is not set", system.as_str())]
    Unset {
        /// The system.
        system: System,
        /// The variable, or the place in the file that describes the event.
        variable: String,
    },
    /// A value that is no object name or branch.
    #[error("{}: the value of {variable} is no {what}", system.as_str())]
    Value {
        /// The system.
        system: System,
        /// The variable.
        variable: String,
        /// What it should be.
        what: &'static str,
    },
    /// The file that describes the event.
    #[error("{}: cannot read the event in {}: {why}", system.as_str(), file.display())]
    EventFile {
        /// The system.
        system: System,
        /// The file.
        file: PathBuf,
        /// Why.
        why: String,
    },
    /// A ref went away; there is nothing to scan.
    #[error("{}: a ref was deleted, so there is nothing to scan", system.as_str())]
    Deleted {
        /// The system.
        system: System,
    },
}

/// Finds out what the pipeline around this process is about.
///
/// # Errors
/// See [`CiError`]: nothing is known rather than guessed.
pub fn pipeline(around: &dyn Surroundings) -> Result<Pipeline, CiError> {
    let system = System::find(around).ok_or(CiError::NoSystem)?;
    let values = Values { around, system };
    match system {
        System::GitHub => github::pipeline(&values),
        System::GitLab => gitlab::pipeline(&values),
        System::Azure => others::azure(&values),
        System::Bitbucket => others::bitbucket(&values),
        System::Buildkite => others::buildkite(&values),
        System::CircleCi => others::circle(&values),
        System::Drone => others::drone(&values),
        System::Jenkins => others::jenkins(&values),
        System::Travis => others::travis(&values),
        System::Woodpecker => others::woodpecker(&values),
    }
}

/// The variables of one system.
struct Values<'a> {
    around: &'a dyn Surroundings,
    system: System,
}

impl Values<'_> {
    fn get(&self, name: &str) -> Option<String> {
        self.around.get(name)
    }

    fn need(&self, name: &str) -> Result<String, CiError> {
        self.get(name).ok_or_else(|| CiError::Unset { system: self.system, variable: name.to_owned() })
    }

    /// The object name in `name`.
    fn commit(&self, name: &str) -> Result<String, CiError> {
        let value = self.need(name)?;
        self.object(name, &value)
    }

    /// The object name in `name`; `None` when it is unset or all zeros.
    fn commit_if_any(&self, name: &str) -> Result<Option<String>, CiError> {
        match self.get(name) {
            Some(value) if !is_zero(&value) => self.object(name, &value).map(Some),
            Some(_) | None => Ok(None),
        }
    }

    /// `value` as a full object name.
    fn object(&self, variable: &str, value: &str) -> Result<String, CiError> {
        let whole = [40, 64].contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_hexdigit());
        if whole && !is_zero(value) {
            Ok(value.to_ascii_lowercase())
        } else {
            Err(self.odd(variable, "commit"))
        }
    }

    /// The branch in `name`, without `refs/heads/`.
    fn branch(&self, name: &str) -> Result<Base, CiError> {
        let value = self.need(name)?;
        let short = value.strip_prefix("refs/heads/").unwrap_or(&value);
        if is_branch(short) { Ok(Base::Branch(short.to_owned())) } else { Err(self.odd(name, "branch")) }
    }

    fn odd(&self, variable: &str, what: &'static str) -> CiError {
        CiError::Value { system: self.system, variable: variable.to_owned(), what }
    }

    fn unknown(&self, event: &str) -> CiError {
        CiError::Event { system: self.system, event: event.to_owned() }
    }

    /// What a change asks to add to a branch.
    fn change(&self, event: &str, base: Base, tip: String) -> Pipeline {
        self.found(event, Scope::Range { tip, base }, "what the change adds")
    }

    /// What a push brought, when what was there before is known; else what the default branch has not;
    /// else everything.
    fn push(
        &self,
        event: &str,
        before: Option<String>,
        default: Option<Base>,
        tip: String,
        branch: Option<&str>,
    ) -> Pipeline {
        match (before, default) {
            (Some(before), _) => {
                let scope = Scope::Range { tip, base: Base::Commit(before) };
                self.found(event, scope, "what was pushed")
            }
            (None, Some(Base::Branch(name))) if branch.is_some_and(|branch| branch != name) => {
                let why = format!("what the branch has and {name} has not");
                self.found(event, Scope::Range { tip, base: Base::Branch(name) }, &why)
            }
            (None, _) => self.everything(event, "nothing says what was there before the push"),
        }
    }

    fn everything(&self, event: &str, why: &str) -> Pipeline {
        self.found(event, Scope::Everything, why)
    }

    fn found(&self, event: &str, scope: Scope, why: &str) -> Pipeline {
        let (event, why) = (event.to_owned(), why.to_owned());
        Pipeline { system: self.system, event, scope, why, uri: None, branch: None }
    }
}

/// Whether `id` stands for no object.
fn is_zero(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte == b'0')
}

/// Whether git lets a branch have this name, as far as it matters where names are joined to revisions.
fn is_branch(name: &str) -> bool {
    let plain = |byte: u8| byte > b' ' && byte != 0x7f && !b"~^:?*[\\".contains(&byte);
    !name.is_empty()
        && !name.starts_with(['-', '/', '.'])
        && !name.ends_with(['/', '.'])
        && !name.contains("..")
        && !name.contains("@{")
        && name.bytes().all(plain)
}

#[cfg(test)]
mod tests;
