//! Where a secret can be read again.

use serde::{Deserialize, Serialize};

use crate::finding::{Occurrence, Reachability, RepoPath};

/// One place of a secret, as plans keep it. Holds nothing of the secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Name of its repository, in reports about several.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub repository: Option<String>,
    /// Kind of origin, for example `file`, `blob`, `index`, `stdin`.
    pub kind: String,
    /// Path, percent-encoded (names need not be UTF-8); of the file, or where history has the blob.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub path: Option<String>,
    /// Blob, commit or tag the content was read from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub object: Option<String>,
    /// Commit that brought it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub commit: Option<String>,
    /// Line, from 1.
    pub line: u32,
    /// First byte of the secret in the content as scanned.
    pub start: u64,
    /// One past its last byte.
    pub end: u64,
    /// Whether the next checkout still has it: a file, the index, or the tree of `HEAD`.
    pub in_use: bool,
    /// Whether refs still reach it, so that history needs cleaning.
    pub in_history: bool,
}

impl Place {
    /// Takes the place of an occurrence.
    #[must_use]
    pub fn of(occurrence: &Occurrence) -> Self {
        let timeline = occurrence.timeline.as_ref();
        let current = matches!(occurrence.origin.kind(), "file" | "index" | "git-file");
        let reachable =
            timeline.is_some_and(|timeline| matches!(timeline.reachable, Reachability::Refs { .. }));
        Self {
            repository: occurrence.repository.as_deref().map(str::to_owned),
            kind: occurrence.origin.kind().to_owned(),
            path: occurrence.path.as_ref().or(occurrence.origin.path().as_ref()).map(|path| path.to_uri()),
            object: occurrence.object.map(|id| id.to_string()),
            commit: timeline.and_then(|timeline| Some(timeline.introduced.as_ref()?.id.to_string())),
            line: u32::try_from(occurrence.region.start.line).unwrap_or(u32::MAX),
            start: occurrence.span.start as u64,
            end: occurrence.span.end as u64,
            in_use: current || timeline.is_some_and(|timeline| timeline.at_head),
            in_history: reachable || matches!(occurrence.origin.kind(), "commit" | "tag"),
        }
    }

    /// The bytes of its path, if it has one.
    #[must_use]
    pub fn path_bytes(&self) -> Option<Vec<u8>> {
        let text = self.path.as_deref()?.as_bytes();
        let mut bytes = Vec::with_capacity(text.len());
        let mut at = 0;
        while let Some(byte) = text.get(at) {
            let digits = (*byte == b'%').then(|| text.get(at + 1..at + 3)).flatten();
            let escaped = digits.and_then(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok());
            bytes.push(escaped.unwrap_or(*byte));
            at += if escaped.is_some() { 3 } else { 1 };
        }
        Some(bytes)
    }

    /// Whether it lies in a folder of other people's code.
    #[must_use]
    pub fn is_vendored(&self) -> bool {
        const FOLDERS: [&str; 8] = [
            "vendor",
            "node_modules",
            "third_party",
            "third-party",
            "bower_components",
            "Pods",
            "site-packages",
            "external",
        ];
        let folders = self.repository.iter().chain(&self.path).flat_map(|path| path.split('/'));
        folders.into_iter().any(|part| FOLDERS.contains(&part))
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(repository) = &self.repository {
            // Its display form is safe for terminals.
            write!(f, "{}: ", RepoPath::from(repository.as_str()))?;
        }
        match (&self.path, &self.object) {
            (Some(path), _) => write!(f, "{path}:{}", self.line)?,
            (None, Some(object)) => {
                write!(f, "{} {}:{}", self.kind, object.get(..12).unwrap_or(object), self.line)?
            }
            (None, None) => write!(f, "{}:{}", self.kind, self.line)?,
        }
        match &self.commit {
            Some(commit) => write!(f, " (commit {})", commit.get(..12).unwrap_or(commit)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Place;
    use crate::finding::RepoPath;

    #[test]
    fn paths_come_back_as_they_were() {
        let odd = RepoPath::new(b"a b/%41/\xff\n.env".to_vec());
        let place = Place { path: Some(odd.to_uri()), ..Place::default() };
        assert_eq!(place.path_bytes().as_deref(), Some(odd.as_bytes()));
    }

    #[test]
    fn a_repository_is_named_first_and_counts_as_a_folder() {
        let place = Place {
            repository: Some("vendor/b\u{1b}[31m".to_owned()),
            path: Some("x.env".to_owned()),
            line: 3,
            ..Place::default()
        };
        assert_eq!(place.to_string(), "vendor/b\\x1b[31m: x.env:3");
        assert!(place.is_vendored());
        assert!(!Place { repository: Some("b".to_owned()), ..place }.is_vendored());
    }
}
