//! How sure one can be of a secret where it stands, by what speaks for it.
//!
//! A form of its own (a prefix, a key block, a place in a URL) is evidence wherever it stands: tests,
//! documents and vendored code take one step from it. A random text under a name is little more than
//! the name: in test code these are vectors, in documents samples and in examples what an interface
//! once answered, so that these take two steps. Passwords are between the two: programs in a directory
//! of examples are run, and theirs, when they do not read like placeholders, are mostly their
//! author's; there they are at most medium.

use super::aside::Aside;
use super::capture::Candidate;
use super::path_rank::{Class, classify};
use crate::finding::{Confidence, Detail, Facet, Match, Note, RepoPath, RuleInfo};
use crate::rule::Kind;

/// The generic rule whose values need not look random.
const PASSWORDS: &str = "generic-password";

/// Tokens that documents and tests are full of: anybody can make one.
const WEB_TOKENS: &str = "json-web-token";

/// Parts of the ids of rules for what stands in a URL.
const URLS: [&str; 3] = ["-url", "url-", "uri"];

/// Kinds of files that settings are kept in. What a test reads from there may well be in use.
const SETTINGS: [&str; 10] =
    ["env", "yml", "yaml", "ini", "conf", "cfg", "properties", "toml", "tfvars", "config"];

/// Kinds of files of code whose comments are told by their signs.
const CODE: [&str; 28] = [
    "js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx", "vue", "svelte", "java", "kt", "scala", "groovy",
    "go", "rs", "c", "h", "cc", "cpp", "hpp", "cs", "swift", "php", "dart", "py", "pyi", "m",
];

/// Kinds of files that build tools put on one line.
const BUNDLED: [&str; 5] = ["js", "mjs", "cjs", "css", "html"];

/// What speaks for a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Evidence {
    Form,
    /// A password in a URL, which documents show the form of.
    Url,
    /// A key block, which documents show the look of.
    Block,
    Name,
    Password,
}

impl Evidence {
    fn of(info: &RuleInfo) -> Self {
        let is = |kind: Kind| info.kind == kind.as_str();
        match info.id.as_str() {
            PASSWORDS => Self::Password,
            WEB_TOKENS => Self::Name,
            _ if is(Kind::Generic) => Self::Name,
            // Instructions for a web server show what its file of users looks like.
            id if id.ends_with("-hash") => Self::Block,
            _ if is(Kind::Block) => Self::Block,
            id if is(Kind::Uri) && URLS.iter().any(|part| id.contains(part)) => Self::Url,
            _ => Self::Form,
        }
    }
}

/// What is taken from a confidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    Nothing,
    OneStep,
    TwoSteps,
    /// All above medium.
    Cap,
}

impl Loss {
    fn from(self, confidence: Confidence) -> Confidence {
        match self {
            Self::Nothing => confidence,
            Self::OneStep => confidence.lowered(),
            Self::TwoSteps => Confidence::Low,
            Self::Cap => confidence.min(Confidence::Medium),
        }
    }

    fn told(self) -> &'static str {
        match self {
            Self::Nothing | Self::OneStep => "one step less sure",
            Self::TwoSteps => "two steps less sure, for little more than a name speaks for it",
            Self::Cap => "at most medium",
        }
    }
}

/// Where a place of a secret stands.
#[derive(Debug)]
pub(super) struct Standing {
    classes: Vec<Class>,
    aside: Aside,
    /// A value in quotes, as code has them.
    quoted: bool,
    settings: bool,
}

impl Standing {
    pub(super) fn of(path: Option<&RepoPath>, candidate: &Candidate) -> Self {
        let lower = path.map(|path| path.as_bytes().to_ascii_lowercase()).unwrap_or_default();
        let is = |ends: &[&str]| ends.contains(&extension(&lower));
        let mut classes = path.map(classify).unwrap_or_default();
        let means_something = match candidate.aside {
            Aside::Endless => is(&BUNDLED),
            Aside::UnitTest => is(&["rs"]),
            Aside::Documents | Aside::Pasted => is(&CODE),
            Aside::Said | Aside::None => true,
        };
        let aside = if means_something { candidate.aside } else { Aside::None };
        let built = classes.iter().any(|class| matches!(class, Class::Bundle | Class::SourceMap));
        if aside == Aside::Endless && !candidate.decoded.is_empty() {
            // Source maps stand in bundles, too, as base64.
            classes.retain(|class| *class != Class::Bundle);
            classes.push(Class::SourceMap);
        } else if aside == Aside::Endless && !built {
            classes.push(Class::Bundle);
        }
        let quoted = candidate.traits & Match::TRAIT_BARE == 0;
        Self { classes, aside, quoted, settings: is(&SETTINGS) }
    }

    /// Whether it stands in test code or a fixture.
    pub(super) fn is_test(&self) -> bool {
        self.classes.contains(&Class::Test)
    }

    /// What is left of `confidence` in a finding of the rule `info`; says why in `notes`.
    pub(super) fn judge(&self, confidence: Confidence, info: &RuleInfo, notes: &mut Vec<Note>) -> Confidence {
        let evidence = Evidence::of(info);
        let of_path = self.classes.iter().map(|&class| (self.loss(class, evidence), about(class)));
        let of_line = about_line(self.aside).map(|about| (loss_by_line(self.aside, evidence), about));
        let mut left = confidence;
        for (loss, (code, text)) in of_path.chain(of_line) {
            if loss != Loss::Nothing {
                left = loss.from(left);
                notes.push(Note { code, text: format!("{text}: {}", loss.told()) });
            }
        }
        left
    }

    fn loss(&self, class: Class, evidence: Evidence) -> Loss {
        match (class, evidence) {
            (Class::Example, Evidence::Password) => Loss::Cap,
            // To be copied and filled in, each in its own way.
            (Class::Template, Evidence::Password) => Loss::TwoSteps,
            (Class::Test, Evidence::Name) if self.settings => Loss::OneStep,
            (
                Class::Test
                | Class::Example
                | Class::Template
                | Class::Docs
                | Class::Readme
                | Class::Document
                | Class::Lock
                | Class::Profile
                | Class::SourceMap,
                Evidence::Name,
            ) => Loss::TwoSteps,
            // Notes and instructions name what is in use; samples of code in them do not.
            (Class::Readme, Evidence::Password) if self.quoted => Loss::OneStep,
            (Class::Readme | Class::Document, Evidence::Form | Evidence::Password) => Loss::Nothing,
            (Class::Readme | Class::Document, Evidence::Url | Evidence::Block) => Loss::OneStep,
            // Tokens in what is delivered have leaked.
            (Class::Bundle, Evidence::Form | Evidence::Url | Evidence::Block) => Loss::Nothing,
            _ => Loss::OneStep,
        }
    }
}

fn loss_by_line(aside: Aside, evidence: Evidence) -> Loss {
    match (aside, evidence) {
        (Aside::None | Aside::Endless, _) | (Aside::Pasted, Evidence::Password) => Loss::Nothing,
        (Aside::Said, _) | (Aside::Documents | Aside::Pasted, Evidence::Name) => Loss::TwoSteps,
        (Aside::UnitTest, Evidence::Name) => Loss::TwoSteps,
        (Aside::Documents | Aside::Pasted | Aside::UnitTest, _) => Loss::OneStep,
    }
}

/// Whether a doubtful `hit` is a password after all: a user stands beside it in a block of settings
/// (`user = "…", pass = "…"`), and it is no plain word, which could be the label of a field.
pub(super) fn is_of_a_login(bytes: &[u8], hit: &Match, info: &RuleInfo, context: &[Detail]) -> bool {
    let told = Match::TRAIT_PLACEHOLDER | Match::TRAIT_COMPARED | Match::TRAIT_BARE;
    let secret = hit.secret_bytes(bytes);
    let word =
        secret.iter().enumerate().all(|(i, b)| b.is_ascii_lowercase() || i == 0 && b.is_ascii_uppercase());
    info.id == PASSWORDS
        && hit.traits & told == 0
        && !word
        && secret.is_ascii()
        && !secret.contains(&b' ')
        && context.iter().any(|detail| detail.facet == Facet::User)
}

/// Code and beginning of the remark on a class of path.
fn about(class: Class) -> (&'static str, &'static str) {
    match class {
        Class::Test => ("test-path", "stands in test code or a fixture"),
        Class::Example | Class::Template => ("example-path", "stands in an example or sample"),
        Class::Docs | Class::Readme | Class::Document => ("docs-path", "stands in documentation"),
        Class::Vendored => ("vendored-path", "stands in vendored third-party code"),
        Class::Profile => ("browser-profile", "stands in a file that a browser wrote"),
        Class::Lock => ("lock-file", "stands in a package manager's lock file"),
        Class::Bundle => ("generated", "stands in code that a build tool wrote"),
        Class::SourceMap => ("generated", "stands in a source map, a copy of sources"),
    }
}

/// Code and beginning of the remark on a line.
fn about_line(aside: Aside) -> Option<(&'static str, &'static str)> {
    match aside {
        Aside::Documents => Some(("doc-comment", "stands in a comment that documents code")),
        Aside::Pasted => Some(("pasted-data", "stands in data pasted into a comment")),
        Aside::Said => Some(("said-example", "follows \"e.g.\"")),
        Aside::UnitTest => Some(("unit-test", "stands in the unit tests of a file")),
        Aside::None | Aside::Endless => None,
    }
}

/// What follows the last dot of a file's name; of `.env` and `.env.local`, `env`.
fn extension(lower: &[u8]) -> &str {
    let name = lower.rsplit(|b| matches!(b, b'/' | b'!')).next().unwrap_or_default();
    if name.starts_with(b".env") {
        return "env";
    }
    let dot = name.iter().rposition(|&b| b == b'.').map_or(name.len(), |dot| dot + 1);
    std::str::from_utf8(&name[dot..]).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::testing::info;

    fn left(classes: &[Class], aside: Aside, id: &str, kind: &'static str) -> Confidence {
        let standing = Standing { classes: classes.to_vec(), aside, quoted: true, settings: false };
        let mut notes = Vec::new();
        let left = standing.judge(Confidence::High, &info(id, kind), &mut notes);
        assert_eq!(left != Confidence::High, !notes.is_empty(), "{notes:?}");
        left
    }

    #[test]
    fn what_speaks_for_a_secret_decides_what_its_place_takes() {
        use Confidence::{High, Low, Medium};
        let hash =
            [Class::Readme, Class::Document].map(|class| left(&[class], Aside::None, "acme-hash", "token"));
        assert_eq!(hash, [Medium, Medium]);
        let kinds = [
            ("acme-token", "token"),
            ("private-key-rsa", "block"),
            ("generic-token", "generic"),
            ("generic-password", "generic"),
        ];
        let cases: [(&[Class], Aside, [Confidence; 4]); 9] = [
            (&[], Aside::None, [High; 4]),
            (&[Class::Test], Aside::None, [Medium, Medium, Low, Medium]),
            (&[Class::Example], Aside::None, [Medium, Medium, Low, Medium]),
            (&[Class::Template], Aside::None, [Medium, Medium, Low, Low]),
            (&[Class::Readme], Aside::None, [High, Medium, Low, Medium]),
            (&[Class::Document], Aside::None, [High, Medium, Low, High]),
            (&[Class::Test, Class::Vendored], Aside::None, [Low; 4]),
            (&[Class::Bundle], Aside::None, [High, High, Medium, Medium]),
            (&[], Aside::Documents, [Medium, Medium, Low, Medium]),
        ];
        for (classes, aside, expected) in cases {
            let found = kinds.map(|(id, kind)| left(classes, aside, id, kind));
            assert_eq!(found, expected, "{classes:?} {aside:?}");
        }
    }
}
