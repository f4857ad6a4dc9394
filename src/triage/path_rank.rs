//! What a path says about the worth of what is found there.
//!
//! Never a reason to hide: a place in tests or vendored code is one step less sure and says why.

use crate::finding::{Note, RepoPath};

/// Names of directories, compared in lower case, and the class they put a path into.
const DIRECTORIES: [(&str, Class); 45] = [
    ("test", Class::Test),
    ("tests", Class::Test),
    ("testing", Class::Test),
    ("unittest", Class::Test),
    ("unittests", Class::Test),
    ("__tests__", Class::Test),
    ("__mocks__", Class::Test),
    ("__snapshots__", Class::Test),
    ("__fixtures__", Class::Test),
    ("mock", Class::Test),
    ("mocks", Class::Test),
    ("spec", Class::Test),
    ("specs", Class::Test),
    ("fixture", Class::Test),
    ("fixtures", Class::Test),
    ("testdata", Class::Test),
    ("test_data", Class::Test),
    ("test-data", Class::Test),
    ("testutil", Class::Test),
    ("testutils", Class::Test),
    ("e2e", Class::Test),
    ("cypress", Class::Test),
    ("androidtest", Class::Test),
    ("example", Class::Example),
    ("examples", Class::Example),
    ("sample", Class::Example),
    ("samples", Class::Example),
    ("demo", Class::Example),
    ("demos", Class::Example),
    ("tutorial", Class::Example),
    ("tutorials", Class::Example),
    ("doc", Class::Docs),
    ("docs", Class::Docs),
    ("documentation", Class::Docs),
    ("vendor", Class::Vendored),
    ("vendored", Class::Vendored),
    ("third_party", Class::Vendored),
    ("third-party", Class::Vendored),
    ("thirdparty", Class::Vendored),
    ("node_modules", Class::Vendored),
    ("bower_components", Class::Vendored),
    ("site-packages", Class::Vendored),
    ("dist-packages", Class::Vendored),
    (".venv", Class::Vendored),
    ("pods", Class::Vendored),
];

/// Files that package managers write, compared in lower case.
const LOCK_FILES: [&str; 22] = [
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "deno.lock",
    "cargo.lock",
    "composer.lock",
    "gemfile.lock",
    "poetry.lock",
    "pdm.lock",
    "uv.lock",
    "pipfile.lock",
    "go.sum",
    "go.work.sum",
    "flake.lock",
    "mix.lock",
    "pubspec.lock",
    "gradle.lockfile",
    "packages.lock.json",
    "package.resolved",
    "podfile.lock",
];

/// Kinds of path where secrets are often not real, or not one's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Test,
    Example,
    Docs,
    Vendored,
    Lock,
}

impl Class {
    /// The remark that goes with the lowered confidence.
    pub(super) fn note(self) -> Note {
        let (code, text) = match self {
            Self::Test => ("test-path", "stands in test code or a fixture: one step less sure"),
            Self::Example => ("example-path", "stands in an example or sample: one step less sure"),
            Self::Docs => ("docs-path", "stands in documentation: one step less sure"),
            Self::Vendored => ("vendored-path", "stands in vendored third-party code: one step less sure"),
            Self::Lock => ("lock-file", "stands in a package manager's lock file: one step less sure"),
        };
        Note { code, text: text.to_owned() }
    }
}

/// The class of `path`: that of the file's name, else of the nearest directory that has one.
pub(super) fn classify(path: &RepoPath) -> Option<Class> {
    let lower = path.as_bytes().to_ascii_lowercase();
    let mut parts = lower.rsplit(|&b| b == b'/' || b == b'!');
    let name = parts.next().unwrap_or_default();
    class_of_name(name).or_else(|| {
        parts.find_map(|part| {
            DIRECTORIES.iter().find(|(directory, _)| directory.as_bytes() == part).map(|(_, class)| *class)
        })
    })
}

fn class_of_name(name: &[u8]) -> Option<Class> {
    if LOCK_FILES.iter().any(|lock| lock.as_bytes() == name) {
        return Some(Class::Lock);
    }
    let words = |marks: &[&[u8]]| name.split(|b| b"._-".contains(b)).any(|word| marks.contains(&word));
    if words(&[b"test", b"tests", b"spec", b"specs", b"fixture", b"fixtures", b"mock", b"conftest"]) {
        return Some(Class::Test);
    }
    if words(&[b"example", b"examples", b"sample", b"samples", b"dist", b"template"]) {
        return Some(Class::Example);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_directories_are_told_apart() {
        let cases = [
            ("src/main.rs", None),
            ("src/contest/latest.rs", None),
            ("tests/a.rs", Some(Class::Test)),
            ("pkg/Fixtures/key.pem", Some(Class::Test)),
            ("src/user_test.go", Some(Class::Test)),
            ("src/app.spec.ts", Some(Class::Test)),
            ("config/.env.example", Some(Class::Example)),
            ("examples/run.py", Some(Class::Example)),
            ("docs/guide.md", Some(Class::Docs)),
            ("a/node_modules/b/index.js", Some(Class::Vendored)),
            ("Cargo.lock", Some(Class::Lock)),
            ("a.zip!testdata/x", Some(Class::Test)),
            ("test", Some(Class::Test)),
        ];
        for (path, class) in cases {
            assert_eq!(classify(&path.into()), class, "{path}");
        }
    }
}
