//! Why an upload failed, in words that say what to do.

use thiserror::Error;

use crate::net::NetError;

/// Why an upload failed. No variant holds the token.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UploadError {
    /// The file is something else.
    #[error("this is no SARIF log")]
    NoSarif,
    /// GitHub would keep only one of them.
    #[error("two runs of the category `{category}` are in one file")]
    SameCategory {
        /// The category.
        category: String,
    },
    /// One result alone is too large.
    #[error("a result of `{category}` takes {bytes} bytes when compressed; GitHub takes {most}")]
    TooLarge {
        /// The category.
        category: String,
        /// Its size.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// 401.
    #[error("GitHub does not know this token (401)")]
    Token,
    /// 403, when it is about rights.
    #[error("the token may not write code scanning results of {repository} (403: {said})")]
    Forbidden {
        /// Owner and name.
        repository: String,
        /// GitHub's words.
        said: String,
    },
    /// 403, when the repository has no code scanning.
    #[error("code scanning is not switched on for {repository} (403: {said})")]
    SwitchedOff {
        /// Owner and name.
        repository: String,
        /// GitHub's words.
        said: String,
    },
    /// 403 or 429, when there were too many requests.
    #[error("GitHub asks to wait: too many requests ({status})")]
    Busy {
        /// The status.
        status: u16,
    },
    /// 404.
    #[error("there is no {repository} that this token can see (404)")]
    NotFound {
        /// Owner and name.
        repository: String,
    },
    /// 413.
    #[error("GitHub refuses the size of `{category}`, {bytes} bytes when compressed (413)")]
    Refused {
        /// The category.
        category: String,
        /// Its size.
        bytes: usize,
    },
    /// 400 and 422.
    #[error("GitHub does not take `{category}` for {commit} on {reference} ({status}: {said})")]
    Invalid {
        /// The category.
        category: String,
        /// The commit it was for.
        commit: String,
        /// The ref it was for.
        reference: String,
        /// The status.
        status: u16,
        /// GitHub's words.
        said: String,
    },
    /// 5xx, also after some more tries.
    #[error("GitHub has a problem ({status}), also after {tries} tries")]
    Down {
        /// The status.
        status: u16,
        /// How often it was tried.
        tries: u32,
    },
    /// Any other status, or an answer that is not understood.
    #[error("GitHub answered with something else (status {status})")]
    Unexpected {
        /// The status.
        status: u16,
    },
    /// It was taken, but could not be used.
    #[error("GitHub took `{category}` and could not process it: {said}")]
    Failed {
        /// The category.
        category: String,
        /// GitHub's words.
        said: String,
    },
    /// It was taken, and nothing was heard of it in time.
    #[error("GitHub took `{category}` and still processes it after {seconds} s")]
    Slow {
        /// The category.
        category: String,
        /// How long was waited.
        seconds: u64,
    },
    /// No answer at all.
    #[error("{0}")]
    Net(#[from] NetError),
}

impl UploadError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoSarif => "write one: keycull scan --report sarif=keycull.sarif",
            Self::SameCategory { .. } => "upload runs of different tools in files of their own",
            Self::TooLarge { .. } | Self::Refused { .. } => {
                "fix or baseline some findings first, or leave data out with --exclude"
            }
            Self::Token => {
                "put a token into GITHUB_TOKEN that is not expired; in Actions: GITHUB_TOKEN: ${{ github.token }}"
            }
            Self::Forbidden { .. } => {
                "in Actions: `permissions: security-events: write`; tokens of workflows that forks and Dependabot start only \
                 read; a fine-grained token needs \"Code scanning alerts: write\""
            }
            Self::SwitchedOff { .. } => {
                "switch it on in the repository's settings, under Code security; private repositories need a licence for it"
            }
            Self::Busy { .. } => "run it again later",
            Self::NotFound { .. } => {
                "check --repository OWNER/NAME; tokens see private repositories only when they are given them"
            }
            Self::Invalid { .. } => {
                "commit and ref must be on GitHub, and the commit must be reachable from the ref: check --commit and --ref, and push first"
            }
            Self::Down { .. } => "see githubstatus.com, and run it again later",
            Self::Unexpected { .. } => "check --api; `--verbose` says more",
            Self::Failed { .. } => {
                "the file is not what GitHub expects; `keycull scan --report sarif=FILE` writes one that is"
            }
            Self::Slow { .. } => "it may still succeed: see the Security tab, or wait longer with --timeout",
            Self::Net(_) => {
                "check the connection, --api and --proxy; hosts inside your network have to be named in the operator's file"
            }
        }
    }
}
