//! Rules as the engine reads them: plain data that is `static` for the built-in set and owned
//! for rules given at run time.

use std::borrow::Cow;

use super::checksum::Algorithm;
use super::class::ByteSet;
use super::format::Format;
use super::pool::{Entries, Texts};
use super::shape::Shape;
use super::table::Tables;
use crate::finding::{Confidence, Severity};

/// Text that is borrowed from the binary or owned.
pub type Text = Cow<'static, str>;
/// A list that is borrowed from the binary or owned.
pub type List<T> = Cow<'static, [T]>;

/// What kind of secret a rule describes, and so how it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The secret carries its own distinctive marker.
    Token,
    /// A random-looking value whose name says whose it is.
    Assignment,
    /// PEM and similar multi-line material.
    Block,
    /// Credentials in URLs, connection strings, headers and credential files.
    Uri,
    /// A value under a credential-like name with no known provider.
    Generic,
    /// What an expression out of another tool's configuration finds. Not for rule files.
    Imported,
}

impl Kind {
    /// Every kind a rule file can name.
    pub const ALL: [Kind; 5] = [Self::Token, Self::Assignment, Self::Block, Self::Uri, Self::Generic];

    /// The stable lower-case name used in rule files and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Assignment => "assignment",
            Self::Block => "block",
            Self::Uri => "uri",
            Self::Generic => "generic",
            Self::Imported => "imported",
        }
    }
}

/// Class of names a generic rule serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameClass {
    /// password, passwd, pwd, passphrase, pin …
    Password,
    /// secret, client secret …
    Secret,
    /// token, jwt, pat …
    Token,
    /// api key, access key, encryption key …; `key` alone needs a very random value.
    Key,
    /// authorization, credential …
    Auth,
    /// salt, nonce, session, cookie, seed, signature, hmac …
    Other,
}

impl NameClass {
    /// Every class, in the order of [`RuleSet::generic`].
    pub const ALL: [NameClass; 6] =
        [Self::Password, Self::Secret, Self::Token, Self::Key, Self::Auth, Self::Other];

    /// The stable lower-case name used in rule files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Secret => "secret",
            Self::Token => "token",
            Self::Key => "key",
            Self::Auth => "auth",
            Self::Other => "other",
        }
    }
}

/// Another rule that completes a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Companion {
    /// Id of the other rule.
    pub rule: Text,
    /// How many lines away it may stand.
    pub within_lines: u16,
    /// Without it the credential opens nothing.
    pub required: bool,
    /// The other rule finds the secret half: where both stand together, one finding tells of both.
    pub part_of: bool,
}

/// What a rule says about itself; the ways it is found are in the lists of [`RuleSet`].
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Kebab-case id, unique in the set.
    pub id: Text,
    /// Short name for people.
    pub name: Text,
    /// What it opens and what an attacker does with it.
    pub description: Text,
    /// Whose credential it is.
    pub provider: Text,
    /// How it is found.
    pub kind: Kind,
    /// Severity before context.
    pub severity: Severity,
    /// Confidence before structure and context.
    pub confidence: Confidence,
    /// Publishable by design.
    pub public: bool,
    /// People choose such values; for patterns, the other kinds know by themselves.
    pub chosen: bool,
    /// Least Shannon entropy of the secret without its marker, hundredths of a bit per character; 0 = none.
    pub min_entropy: u16,
    /// Offline structure test.
    pub checksum: Option<Algorithm>,
    /// The secret (any case) contains one of these when it is a sandbox key.
    pub test_markers: List<Text>,
    /// Severity of a sandbox key.
    pub test_severity: Severity,
    /// Rules that complete this credential.
    pub companions: List<Companion>,
    /// Literal markers the secret may start with; shown when the rest is redacted.
    pub markers: List<Text>,
    /// Generated texts that must match.
    pub examples: Texts,
    /// Generated texts that must not match.
    pub negatives: Texts,
    /// Pages that document the format.
    pub references: Texts,
    /// Where and how to rotate by hand.
    pub rotate: Text,
    /// What the format was learnt from: `documentation`, `sdk`, `peer`, or empty.
    pub evidence: Text,
    /// Why the rule may cost more than its share, or empty.
    pub cost_reason: Text,
}

impl Rule {
    /// Whether people choose such secrets, so that their hash could be guessed.
    #[must_use]
    pub fn guessable(&self) -> bool {
        self.chosen || matches!(self.kind, Kind::Generic | Kind::Uri | Kind::Imported)
    }

    /// Whether `secret` is a sandbox key by its form.
    #[must_use]
    pub fn is_test_key(&self, secret: &[u8]) -> bool {
        self.test_markers.iter().any(|marker| contains_ignore_case(secret, marker.as_bytes()))
    }

    /// Length of the public marker `secret` starts with, for redaction; `None` when nothing of
    /// the secret may be shown.
    #[must_use]
    pub fn visible_prefix(&self, secret: &[u8]) -> Option<usize> {
        let starts = |m: &&Text| secret.get(..m.len()).is_some_and(|s| s.eq_ignore_ascii_case(m.as_bytes()));
        self.markers.iter().filter(starts).map(|marker| marker.len()).max()
    }
}

fn contains_ignore_case(haystack: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && haystack.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle))
}

/// How the engine comes upon a [`Branch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Find {
    /// The prefix starts inside a token run that is certain to have 16 bytes.
    Head,
    /// The prefix ends just before such a run.
    Tail,
    /// Neither is certain: the prefix is one of the literals of the text filter.
    Literal,
}

/// One way a token rule matches: an anchor literal and the shapes around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Rule it belongs to.
    pub rule: u16,
    /// Shape in front of the anchor; empty for a plain prefix.
    pub before: Shape,
    /// The anchor: the trigger.
    pub prefix: Cow<'static, [u8]>,
    /// The anchor is matched in any (ASCII) case.
    pub fold: bool,
    /// Shape behind the anchor.
    pub body: Shape,
    /// Only the body is the secret.
    pub secret_is_body: bool,
    /// Bytes that may not follow the match.
    pub not_after: ByteSet,
    /// How it is found.
    pub find: Find,
}

/// Which part of a regular expression's match is the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Group {
    /// The first group that took part and is not empty, else the whole match.
    First,
    /// This group.
    Number(u16),
    /// The group of this name.
    Named(Text),
}

/// One rule given as a regular expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Rule it belongs to.
    pub rule: u16,
    /// The expression, `regex` syntax; ASCII classes.
    pub regex: Text,
    /// Lower-case literals, one of which every match contains; empty = searched everywhere (slow).
    pub keywords: List<Text>,
    /// Which part is the secret.
    pub group: Group,
    /// Most bytes a match can have.
    pub reach: u32,
}

/// One rule served by a hand-written verifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatUse {
    /// Rule it belongs to.
    pub rule: u16,
    /// The verifier.
    pub format: Format,
    /// PEM labels or URI schemes.
    pub labels: List<Text>,
}

/// A set of rules, ready to match with.
#[derive(Clone, Debug)]
pub struct RuleSet {
    /// The rules; a rule's index is its number in [`crate::finding::Match`].
    pub rules: List<Rule>,
    /// Token rules.
    pub branches: List<Branch>,
    /// Assignment rules.
    pub entries: Entries,
    /// Regular expressions.
    pub patterns: List<Pattern>,
    /// Hand-written verifiers.
    pub formats: List<FormatUse>,
    /// Words of assignment rules; a word's index is its id.
    pub words: List<Text>,
    /// Rule of each [`NameClass`], in the order of [`NameClass::ALL`].
    pub generic: [Option<u16>; 6],
    /// Look-up tables over the lists.
    pub tables: Tables,
    /// Identifies the rules, for reports and caches.
    pub digest: u64,
}

impl RuleSet {
    /// The rule with number `index`.
    ///
    /// # Panics
    /// When `index` is not of this set.
    #[must_use]
    pub fn get(&self, index: u16) -> &Rule {
        &self.rules[usize::from(index)]
    }

    /// Number of the rule called `id`.
    #[must_use]
    pub fn by_id(&self, id: &str) -> Option<u16> {
        self.rules.iter().position(|rule| rule.id == id).map(|i| i as u16)
    }

    /// Rule that serves names of `class`.
    #[must_use]
    pub fn generic_rule(&self, class: NameClass) -> Option<u16> {
        self.generic[class as usize]
    }
}
