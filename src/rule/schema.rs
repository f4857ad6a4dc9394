//! Rule files as people write them: `rules/<provider>.toml`, and user rules.
//!
//! Unknown keys are errors. See `docs/rules.md` for the guide.

use serde::Deserialize;

/// One rule file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleFile {
    /// Version of this schema; `1`.
    pub schema: u32,
    /// Detection rules.
    #[serde(default)]
    pub rule: Vec<toml::Spanned<RuleDef>>,
    /// Validation and revocation of what the rules find; only in built-in and operator-trusted files.
    #[serde(default)]
    pub provider: Vec<toml::Spanned<toml::Table>>,
}

/// One `[[rule]]` as written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleDef {
    /// Kebab-case id, unique, never reused or renamed.
    pub id: String,
    /// Short name for people.
    pub name: String,
    /// What it opens and what an attacker does with it.
    pub description: String,
    /// `token`, `assignment`, `block`, `uri` or `generic`.
    pub kind: String,
    /// Whose credential it is; defaults to the file's name.
    pub provider: Option<String>,
    /// `info`, `low`, `medium`, `high` or `critical`.
    pub severity: String,
    /// `low`, `medium` or `high`; default `high` for token and block, `medium` otherwise.
    pub confidence: Option<String>,

    /// Token: literal(s) the secret starts with; each is tried with each `body`.
    #[serde(default)]
    pub prefix: OneOrMany,
    /// Token: shape(s) that follow the prefix.
    #[serde(default)]
    pub body: OneOrMany,
    /// Token: shape in front of the prefix, for an anchor inside the secret.
    pub before: Option<String>,
    /// Token: the prefix is matched in any case.
    #[serde(default)]
    pub ignore_case: bool,
    /// Token: `all` (default), or `body` when the prefix is not part of the secret.
    /// Pattern: name or number of the capture group (default: first that took part, else all).
    pub secret: Option<SecretField>,

    /// Regular expression (`regex` syntax, bytes, ASCII classes), for what shapes cannot say.
    pub pattern: Option<String>,
    /// Pattern: literals (any case) one of which every match contains; the triggers. For user rules
    /// they are read from the expression when none are given.
    #[serde(default)]
    pub keywords: OneOrMany,

    /// Assignment: alternatives; each is a blank-separated set of words all of which the name has.
    #[serde(default)]
    pub words: OneOrMany,
    /// Assignment: shape(s) of the whole value.
    #[serde(default)]
    pub value: OneOrMany,

    /// Block, uri: the hand-written verifier, for example `pem` or `uri-userinfo`.
    pub format: Option<String>,
    /// Format `pem`: labels between the dashes. Format `uri-userinfo`: schemes.
    #[serde(default)]
    pub labels: OneOrMany,

    /// Generic: the class of name it serves, for example `password`.
    pub class: Option<String>,

    /// Least Shannon entropy of the secret (without prefix), bits per character.
    pub min_entropy: Option<f32>,
    /// Offline check of the token's structure, for example `github-crc32`.
    pub checksum: Option<String>,
    /// How to tell sandbox from production.
    pub test_key: Option<TestKeyDef>,
    /// Publishable by design: reported only on request.
    #[serde(default)]
    pub public: bool,
    /// Pattern: people choose the value, so words in it tell a placeholder.
    #[serde(default)]
    pub chosen: bool,
    /// Other rules that complete this credential.
    #[serde(default)]
    pub companions: Vec<CompanionDef>,

    /// Generated texts that must match; `${…}` is filled from a seed.
    #[serde(default)]
    pub examples: Vec<String>,
    /// Generated texts that must not match.
    #[serde(default)]
    pub negatives: Vec<String>,
    /// Pages that document the format.
    #[serde(default)]
    pub references: Vec<String>,
    /// Where and how to rotate by hand.
    pub rotate: Option<String>,
    /// What the format was learnt from: `documentation`, `sdk`, `peer`.
    pub evidence: Option<String>,
    /// Why the rule may cost more than its share, if it does.
    pub cost_reason: Option<String>,
}

/// A string, or a list of strings.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
pub enum OneOrMany {
    /// Not given.
    #[default]
    #[serde(skip)]
    None,
    /// `key = "x"`.
    One(String),
    /// `key = ["x", "y"]`.
    Many(Vec<String>),
}

impl OneOrMany {
    /// The strings, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::None => &[],
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }

    /// Whether nothing was given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }
}

/// The `secret` key: a word, a group name or a group number.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
pub enum SecretField {
    /// `secret = 1`.
    Group(u32),
    /// `secret = "body"`, or a group name.
    Name(String),
}

/// How to tell a sandbox key from a production key.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestKeyDef {
    /// The secret contains one of these (any case).
    #[serde(default)]
    pub contains: Vec<String>,
    /// Severity of a test key; default `low`.
    pub severity: Option<String>,
}

/// Another rule that completes this credential.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompanionDef {
    /// Id of the other rule.
    pub rule: String,
    /// How many lines away it may stand; default 20.
    #[serde(default = "default_lines")]
    pub within_lines: u16,
    /// Without it the credential opens nothing; default false.
    #[serde(default)]
    pub required: bool,
    /// What this rule finds is told as a part of what the other one finds; default false.
    #[serde(default)]
    pub part_of: bool,
}

fn default_lines() -> u16 {
    20
}
