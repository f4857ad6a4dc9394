//! Paths as git knows them: bytes, `/` between components, relative.

use std::fmt;
use std::path::Path;

/// Path of a file relative to what was scanned: bytes, with `/` as separator on every platform.
///
/// Names need not be UTF-8. [`fmt::Display`] is safe for terminals: control characters, and
/// bytes that are not UTF-8, appear as `\xNN`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoPath(Vec<u8>);

impl RepoPath {
    /// Takes the bytes of a path as git stores them.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// Converts a path of the operating system; `\` becomes `/` on Windows only.
    #[must_use]
    pub fn from_os(path: &Path) -> Self {
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStrExt;
            Self(path.as_os_str().as_bytes().to_vec())
        }
        #[cfg(not(unix))]
        {
            Self(path.to_string_lossy().replace('\\', "/").into_bytes())
        }
    }

    /// The bytes of the path.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The last component, for example `main.rs`; the whole path when it has no `/`.
    #[must_use]
    pub fn file_name(&self) -> &[u8] {
        let start = self.0.iter().rposition(|&b| b == b'/').map_or(0, |i| i + 1);
        &self.0[start..]
    }

    /// The path as text when it is UTF-8, else with the offending bytes written as `\xNN`.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.to_string()
    }

    /// Percent-encoded form for URIs (RFC 3986): unreserved characters and `/` stay.
    ///
    /// `:` is encoded too, so that a first segment is never read as a scheme.
    #[must_use]
    pub fn to_uri(&self) -> String {
        let mut uri = String::with_capacity(self.0.len());
        for &byte in &self.0 {
            if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
                uri.push(byte as char);
            } else {
                uri.push_str(&format!("%{byte:02X}"));
            }
        }
        uri
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                if c.is_control() { write!(f, "\\x{:02x}", c as u32)? } else { write!(f, "{c}")? }
            }
            chunk.invalid().iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))?;
        }
        Ok(())
    }
}

impl From<&str> for RepoPath {
    fn from(path: &str) -> Self {
        Self(path.as_bytes().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_never_prints_control_bytes() {
        let path = RepoPath::new(b"a\x1b[31m/\xff\n".to_vec());
        assert_eq!(path.to_string(), "a\\x1b[31m/\\xff\\x0a");
    }

    #[test]
    fn uris_are_encoded_and_never_look_like_a_scheme() {
        assert_eq!(RepoPath::from("c:/a b/ü.txt").to_uri(), "c%3A/a%20b/%C3%BC.txt");
        assert_eq!(RepoPath::from("src/a.rs").file_name(), b"a.rs");
    }
}
