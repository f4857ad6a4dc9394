//! Object directories: a repository's own and those it borrows from (alternates).

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::object::HashKind;
use crate::finding::{Gap, GapKind};

/// How deep alternates may name alternates; git itself follows five.
const DEEPEST: usize = 16;
/// How many directories there may be in all.
const MOST: usize = 1024;

/// The object directories of a repository, its own first.
#[derive(Clone, Debug)]
pub struct ObjectDirectories {
    hash: HashKind,
    directories: Vec<PathBuf>,
    gaps: Vec<Gap>,
}

impl ObjectDirectories {
    /// Starts from `objects` (the `objects` directory of the common git directory) and follows
    /// `info/alternates`. `environment` is the value of `GIT_ALTERNATE_OBJECT_DIRECTORIES`, where it is
    /// to count.
    ///
    /// Alternates that are not there are gaps, not errors: see [`gaps`](Self::gaps).
    #[must_use]
    pub fn discover(objects: &Path, hash: HashKind, environment: Option<&OsStr>) -> Self {
        let mut found = Self { hash, directories: Vec::new(), gaps: Vec::new() };
        let mut seen = HashSet::new();
        let mut queue = vec![(objects.to_owned(), 0)];
        if let Some(list) = environment {
            queue.extend(split_list(list.as_encoded_bytes()).into_iter().map(|path| (path, 1)));
        }
        let mut at = 0;
        while let Some((directory, depth)) = queue.get(at).cloned() {
            at += 1;
            match directory.canonicalize() {
                Err(error) if depth > 0 => {
                    let gone = error.kind() == io::ErrorKind::NotFound;
                    let kind = if gone { GapKind::Missing } else { GapKind::Unreadable };
                    found.gap(kind, &directory, format!("objects are borrowed from it: {error}"));
                    continue;
                }
                Err(_) => {}
                Ok(canonical) => {
                    if !seen.insert(canonical) {
                        continue;
                    }
                }
            }
            if depth > DEEPEST || found.directories.len() >= MOST {
                found.gap(GapKind::Budget, &directory, "alternates are nested too deep".to_owned());
                continue;
            }
            queue.extend(found.alternates_of(&directory).into_iter().map(|path| (path, depth + 1)));
            found.directories.push(directory);
        }
        found
    }

    /// The directories, the repository's own first.
    #[must_use]
    pub fn paths(&self) -> &[PathBuf] {
        &self.directories
    }

    /// How objects are named.
    #[must_use]
    pub const fn hash(&self) -> HashKind {
        self.hash
    }

    /// Directories that should be there and are not.
    #[must_use]
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    fn gap(&mut self, kind: GapKind, directory: &Path, why: String) {
        let what = format!("object directory {}", directory.display());
        self.gaps.push(Gap { kind, what, why, accepted: false });
    }

    fn alternates_of(&mut self, directory: &Path) -> Vec<PathBuf> {
        let path = directory.join("info/alternates");
        // A pipe would be waited for.
        if fs::metadata(&path).is_ok_and(|about| !about.is_file()) {
            self.gap(GapKind::Unreadable, directory, "its info/alternates is not a regular file".to_owned());
            return Vec::new();
        }
        match fs::read(path) {
            Ok(text) => text
                .split(|&byte| byte == b'\n')
                .filter(|line| !line.is_empty() && line[0] != b'#')
                .map(|line| directory.join(path_from(&unquote(line).unwrap_or_else(|| line.to_vec()))))
                .collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                self.gap(GapKind::Unreadable, directory, format!("its info/alternates: {error}"));
                Vec::new()
            }
        }
    }
}

/// Splits a `PATH`-like list whose elements may be quoted as C strings.
fn split_list(list: &[u8]) -> Vec<PathBuf> {
    let separator = if cfg!(windows) { b';' } else { b':' };
    let mut paths = Vec::new();
    let mut rest = list;
    while !rest.is_empty() {
        let quoted = rest.first() == Some(&b'"');
        let end = if quoted { closing_quote(rest).map(|at| at + 1) } else { None };
        let end = end.unwrap_or_else(|| rest.iter().position(|&b| b == separator).unwrap_or(rest.len()));
        let element = &rest[..end];
        if !element.is_empty() {
            paths.push(path_from(&unquote(element).unwrap_or_else(|| element.to_vec())));
        }
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    paths
}

fn closing_quote(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    while at < text.len() {
        match text[at] {
            b'\\' => at += 2,
            b'"' => return Some(at),
            _ => at += 1,
        }
    }
    None
}

/// Undoes git's C-style quoting; `None` when `text` is not wholly a quoted string.
fn unquote(text: &[u8]) -> Option<Vec<u8>> {
    if text.first() != Some(&b'"') || closing_quote(text)? != text.len() - 1 {
        return None;
    }
    let mut plain = Vec::new();
    let mut bytes = text[1..text.len() - 1].iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            plain.push(byte);
            continue;
        }
        plain.push(match bytes.next()? {
            b'a' => 7,
            b'b' => 8,
            b't' => b'\t',
            b'n' => b'\n',
            b'v' => 11,
            b'f' => 12,
            b'r' => b'\r',
            literal @ (b'"' | b'\\') => literal,
            first @ b'0'..=b'3' => {
                let mut octal = || bytes.next().filter(|b| (b'0'..=b'7').contains(b)).map(|b| b - b'0');
                (first - b'0') * 64 + octal()? * 8 + octal()?
            }
            _ => return None,
        });
    }
    Some(plain)
}

#[cfg(unix)]
fn path_from(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(OsStr::from_bytes(bytes))
}

#[cfg(not(unix))]
fn path_from(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_follows_git() {
        assert_eq!(unquote(br#""a\tb\"\303\244""#).as_deref(), Some("a\tb\"ä".as_bytes()));
        for bad in [&br#""open"#[..], br#"plain"#, br#""a"b"#, br#""\9""#, br#""\""#, b"\""] {
            assert_eq!(unquote(bad), None);
        }
        let paths = split_list(br#"/a:"/b:\"c":/d:"#);
        assert_eq!(paths, [PathBuf::from("/a"), PathBuf::from("/b:\"c"), PathBuf::from("/d")]);
    }

    #[test]
    fn follows_alternates_and_survives_their_loops() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).join("objects");
        for name in ["one", "two", "three"] {
            fs::create_dir_all(at(name).join("info")).unwrap();
        }
        fs::write(at("one").join("info/alternates"), "# borrowed\n../../two/objects\n\n").unwrap();
        let quoted = format!("\"{}\"\n../../one/objects\n../../gone/objects\n", at("three").display());
        fs::write(at("two").join("info/alternates"), quoted).unwrap();
        let found = ObjectDirectories::discover(&at("one"), HashKind::Sha1, None);
        let canonical: Vec<_> = found.paths().iter().map(|path| path.canonicalize().unwrap()).collect();
        let expected = [at("one"), at("two"), at("three")].map(|path| path.canonicalize().unwrap());
        assert_eq!(canonical, expected);
        assert_eq!(found.gaps().len(), 1);
        assert_eq!(found.gaps()[0].kind, GapKind::Missing);

        let environment = at("two").into_os_string();
        let found = ObjectDirectories::discover(&at("three"), HashKind::Sha1, Some(&environment));
        assert_eq!(found.paths().len(), 3);
    }
}
