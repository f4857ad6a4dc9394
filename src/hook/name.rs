//! The git hooks keycull knows, and what differs between them.

use std::fmt;
use std::str::FromStr;

/// A git hook that keycull can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HookName {
    /// Before a commit: scans what is staged.
    PreCommit,
    /// Before a merge makes its commit; git does not run `pre-commit` there.
    PreMergeCommit,
    /// Scans the message of a commit.
    CommitMsg,
    /// Before a push: scans what the remote does not have.
    PrePush,
    /// On a server, before a push changes anything: scans what is new to it.
    PreReceive,
    /// On a server, once for each ref of a push.
    Update,
}

impl HookName {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::PreCommit,
        Self::PreMergeCommit,
        Self::CommitMsg,
        Self::PrePush,
        Self::PreReceive,
        Self::Update,
    ];

    /// What is installed where people work, unless they choose.
    pub const CLIENT: [Self; 4] = [Self::PreCommit, Self::PreMergeCommit, Self::CommitMsg, Self::PrePush];

    /// What is installed in a bare repository, unless somebody chooses: `update` would scan the
    /// same once more.
    pub const SERVER: [Self; 1] = [Self::PreReceive];

    /// The name as git spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PreCommit => "pre-commit",
            Self::PreMergeCommit => "pre-merge-commit",
            Self::CommitMsg => "commit-msg",
            Self::PrePush => "pre-push",
            Self::PreReceive => "pre-receive",
            Self::Update => "update",
        }
    }

    /// Whether it runs in the repository that receives a push.
    #[must_use]
    pub const fn is_server_side(self) -> bool {
        matches!(self, Self::PreReceive | Self::Update)
    }

    /// The command that goes on without this hook; none on a server.
    #[must_use]
    pub const fn without_it(self) -> Option<&'static str> {
        match self {
            Self::PreCommit | Self::CommitMsg => Some("git commit --no-verify"),
            Self::PreMergeCommit => Some("git merge --no-verify"),
            Self::PrePush => Some("git push --no-verify"),
            Self::PreReceive | Self::Update => None,
        }
    }
}

impl fmt::Display for HookName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for HookName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|name| name.as_str() == text).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|name| name.as_str()).collect();
            format!("`{text}` is no hook keycull knows, expected one of {}", known.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in HookName::ALL {
            assert_eq!(name.to_string().parse(), Ok(name));
        }
        assert!("post-commit".parse::<HookName>().unwrap_err().contains("pre-receive"));
        let (client, server) = (HookName::CLIENT, HookName::SERVER);
        assert!(client.iter().all(|name| name.without_it().is_some() && !name.is_server_side()));
        assert!(server.iter().all(|name| name.without_it().is_none() && name.is_server_side()));
    }
}
