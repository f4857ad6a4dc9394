//! What a path says about the worth of what is found there.
//!
//! Never a reason to hide: what follows from it is [`standing`](super::standing)'s to say.

use crate::finding::RepoPath;

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

/// Domains that names of Java packages begin with: `com/example` is nobody's example.
const DOMAINS: [&str; 10] = ["com", "org", "net", "io", "de", "dev", "edu", "me", "fr", "cn"];

/// Stems of files about a package, compared in lower case.
const READMES: [&str; 10] = [
    "readme",
    "changelog",
    "changes",
    "history",
    "contributing",
    "upgrading",
    "pkg-info",
    "metadata",
    "openapi",
    "swagger",
];

/// Ends of documents.
const DOCUMENTS: [&str; 5] = [".md", ".markdown", ".rst", ".adoc", ".mdx"];

/// Files of a Chromium profile, in lower case.
const PROFILES: [&str; 5] =
    ["preferences", "secure preferences", "local state", "browsingtopicsstate", "verified_contents.json"];

/// Ends of what build tools write.
const BUNDLES: [&str; 10] = [
    ".min.js",
    ".min.mjs",
    ".min.css",
    ".bundle.js",
    "-bundle.js",
    ".bundled.js",
    ".chunk.js",
    ".chunk.css",
    ".umd.js",
    ".iife.js",
];

/// Kinds of path where secrets are often not real, or not one's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Test,
    /// Below a directory of examples.
    Example,
    /// A file to be copied and filled in.
    Template,
    /// Below a directory of documents.
    Docs,
    /// What a package says about itself.
    Readme,
    /// A document anywhere else.
    Document,
    Vendored,
    Lock,
    /// Code that a build tool wrote.
    Bundle,
    /// A copy of sources beside such code.
    SourceMap,
    /// What a browser keeps in its user's profile: seeds and signatures of its own by the dozen.
    Profile,
}

/// The classes of `path`: that of the file's name, else of the nearest directory that has one;
/// vendored or not; written by a build tool or not.
pub(super) fn classify(path: &RepoPath) -> Vec<Class> {
    let parts: Vec<&[u8]> = path.as_bytes().split(|&b| b == b'/' || b == b'!').collect();
    let Some((name, directories)) = parts.split_last() else { return Vec::new() };
    let lower = name.to_ascii_lowercase();
    let nearest = class_of_name(name, &lower).or_else(|| class_of_directories(directories));
    let vendored = directories.iter().any(|part| class_of_directory(part) == Some(Class::Vendored));
    let mut classes: Vec<Class> = nearest.filter(|class| *class != Class::Vendored).into_iter().collect();
    if classes.is_empty() {
        classes.extend(class_of_document(&lower));
    }
    if vendored {
        classes.push(Class::Vendored);
    }
    classes.extend(class_of_build(&lower));
    classes
}

fn class_of_directory(part: &[u8]) -> Option<Class> {
    let named = |name: &str| name.as_bytes().eq_ignore_ascii_case(part);
    let known = DIRECTORIES.iter().find(|(name, _)| named(name)).map(|(_, class)| *class);
    // `api-docs`, `k8s_docs`
    let lower = part.to_ascii_lowercase();
    known.or_else(|| (lower.ends_with(b"-docs") || lower.ends_with(b"_docs")).then_some(Class::Docs))
}

fn class_of_directories(parts: &[&[u8]]) -> Option<Class> {
    // `java/com/example/…`: from the domain on these are names of packages.
    let is = |part: &[u8], names: &[&str]| names.iter().any(|name| name.as_bytes() == part);
    let languages = ["java", "kotlin", "scala", "groovy"];
    let packages = parts.windows(2).position(|pair| is(pair[0], &languages) && is(pair[1], &DOMAINS));
    let ends = packages.map_or(parts.len(), |at| at + 1);
    parts
        .iter()
        .enumerate()
        .rev()
        .find_map(|(at, part)| class_of_directory(part).filter(|class| *class != Class::Example || at < ends))
}

fn class_of_name(name: &[u8], lower: &[u8]) -> Option<Class> {
    if LOCK_FILES.iter().any(|lock| lock.as_bytes() == lower) {
        return Some(Class::Lock);
    }
    let words = |marks: &[&[u8]]| lower.split(|b| b"._-".contains(b)).any(|word| marks.contains(&word));
    if words(&[b"test", b"tests", b"spec", b"specs", b"fixture", b"fixtures", b"mock", b"conftest"]) {
        return Some(Class::Test);
    }
    // `AccountServiceTest.java`, `AccountTests.cs`
    let stem = name.iter().position(|&b| b == b'.').map_or(name, |dot| &name[..dot]);
    let humped = |end: &[u8]| {
        stem.strip_suffix(end)
            .and_then(<[u8]>::last)
            .is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    if [&b"Test"[..], b"Tests", b"Spec"].into_iter().any(humped) {
        return Some(Class::Test);
    }
    if words(&[b"example", b"examples", b"sample", b"samples", b"dist", b"template"]) {
        return Some(Class::Template);
    }
    None
}

fn class_of_document(lower: &[u8]) -> Option<Class> {
    let stem = lower.iter().position(|&b| b == b'.').map_or(lower, |dot| &lower[..dot]);
    if READMES.iter().any(|name| name.as_bytes() == stem) {
        return Some(Class::Readme);
    }
    DOCUMENTS.iter().any(|end| lower.ends_with(end.as_bytes())).then_some(Class::Document)
}

fn class_of_build(lower: &[u8]) -> Option<Class> {
    if PROFILES.iter().any(|name| name.as_bytes() == lower) {
        return Some(Class::Profile);
    }
    if [".js.map", ".mjs.map", ".cjs.map", ".css.map"].iter().any(|end| lower.ends_with(end.as_bytes())) {
        return Some(Class::SourceMap);
    }
    BUNDLES.iter().any(|end| lower.ends_with(end.as_bytes())).then_some(Class::Bundle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_directories_are_told_apart() {
        let cases: [(&str, &[Class]); 28] = [
            ("src/main.rs", &[]),
            ("src/contest/latest.rs", &[]),
            ("tests/a.rs", &[Class::Test]),
            ("pkg/Fixtures/key.pem", &[Class::Test]),
            ("src/user_test.go", &[Class::Test]),
            ("src/app.spec.ts", &[Class::Test]),
            ("src/AccountServiceTest.java", &[Class::Test]),
            ("src/Latest.java", &[]),
            ("config/.env.example", &[Class::Template]),
            ("examples/run.py", &[Class::Example]),
            ("examples/java/com/acme/Run.java", &[Class::Example]),
            ("src/main/java/com/example/demo/Login.java", &[]),
            ("src/test/java/com/example/demo/Login.java", &[Class::Test]),
            ("docs/guide.md", &[Class::Docs]),
            ("K8s-docs/secrets.md", &[Class::Docs]),
            ("README.md", &[Class::Readme]),
            ("notes/run.md", &[Class::Document]),
            ("pkg/PKG-INFO", &[Class::Readme]),
            ("a/node_modules/b/index.js", &[Class::Vendored]),
            ("a/node_modules/b/test/index.js", &[Class::Test, Class::Vendored]),
            ("vendor/app.min.js", &[Class::Vendored, Class::Bundle]),
            ("dist/app.js.map", &[Class::SourceMap]),
            ("dist/app.js", &[]),
            ("bitmap.map", &[]),
            ("Cargo.lock", &[Class::Lock]),
            ("a.zip!testdata/x", &[Class::Test]),
            ("test", &[Class::Test]),
            ("lib/authorizationTest.js", &[Class::Test]),
        ];
        for (path, classes) in cases {
            assert_eq!(classify(&path.into()), classes, "{path}");
        }
    }
}
