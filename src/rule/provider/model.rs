//! Provider blocks after the lint: what validation and revocation work with.

use std::collections::BTreeMap;
use std::time::Duration;

use super::template::{JsonTemplate, Template, UrlTemplate};

/// A checked `[[provider]]` block.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Kebab-case id.
    pub id: String,
    /// Detection rules it serves.
    pub rules: Vec<String>,
    /// The block of another installation of the same provider; neither knows the other's keys.
    pub sibling_of: Option<String>,
    /// The only hosts it may contact, apart from an operator's `base`.
    pub hosts: Vec<String>,
    /// Address of self-hosted installations.
    pub base: Option<Base>,
    /// Groups of the secret.
    pub split: Option<Split>,
    /// The secret is a JSON document.
    pub parse_json: bool,
    /// Further parts.
    pub parts: BTreeMap<String, PartFrom>,
    /// Compare the account in the key id with the AWS canary accounts.
    pub aws_canaries: bool,
    /// SigV4 keys.
    pub signer: Option<Signer>,
    /// Assertion made from the credential.
    pub auth: Option<Auth>,
    /// How the requests are known.
    pub evidence: String,
    /// Pages that document them.
    pub references: Vec<String>,
    /// Read-only check.
    pub validate: Option<Action>,
    /// The default revocation.
    pub revoke: Option<Revocation>,
    /// The final one, on request.
    pub delete: Option<Revocation>,
    /// With an administrator's credential, on request.
    pub admin: Option<Revocation>,
}

/// Address of an installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// `https://host[/path]` without a slash at the end; none if only self-hosted.
    pub default: Option<String>,
    /// Key in the operator's configuration.
    pub name: String,
}

/// Named groups of the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Expression over the whole secret.
    pub pattern: String,
    /// Its group names.
    pub groups: Vec<String>,
    /// Those that are no secret.
    pub public: Vec<String>,
}

/// Where a part comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartFrom {
    /// The found value, under a name that says it is an id.
    Own,
    /// What `rule` found near it.
    Near {
        /// The other rule.
        rule: String,
        /// No secret by itself.
        public: bool,
    },
    /// A credential of the operator's own.
    Operator {
        /// Its name in the operator's file.
        name: String,
    },
}

/// SigV4 keys.
#[derive(Clone, Debug)]
pub struct Signer {
    /// Access key id.
    pub key: Template,
    /// Secret access key.
    pub secret: Template,
}

/// Assertions made from the credential.
#[derive(Clone, Debug)]
pub enum Auth {
    /// A JWT signed with the leaked key, `{auth.assertion}`.
    JwtBearer(JwtBearer),
}

/// Claims and key of an RS256 assertion.
#[derive(Clone, Debug)]
pub struct JwtBearer {
    /// PEM private key.
    pub key: Template,
    /// `kid` header.
    pub kid: Option<Template>,
    /// `iss` claim.
    pub issuer: Template,
    /// `aud` claim; constant.
    pub audience: String,
    /// `scope` claim; constant.
    pub scope: Option<String>,
}

/// Read-only requests that end in a verdict.
#[derive(Clone, Debug)]
pub struct Action {
    /// One to four.
    pub steps: Vec<Step>,
}

/// A way to kill a credential.
#[derive(Clone, Debug)]
pub struct Revocation {
    /// Who can do it.
    pub class: Class,
    /// How it is known that the request kills this very key.
    pub binding: Binding,
    /// The provider can undo it.
    pub reversible: bool,
    /// Twice is the same as once.
    pub idempotent: bool,
    /// May run without a person, if policy allows.
    pub unattended: bool,
    /// Post-check deadline.
    pub propagation: Duration,
    /// What else breaks.
    pub warning: Option<String>,
    /// Documented rate limit.
    pub limit: Option<Limit>,
    /// Several secrets in one request.
    pub batch: Option<Batch>,
    /// What the validation must have shown.
    pub require: Option<Require>,
    /// One to four; the last one mutates.
    pub steps: Vec<Step>,
    /// Post-check; `validate` if none.
    pub post: Option<Action>,
}

/// Who can do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The leaked credential itself.
    OwnKey,
    /// An administrator's credential.
    Admin,
    /// Somebody who reports it.
    Report,
}

/// How a request is bound to the leaked key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// It acts on the key it is authenticated with, or takes the raw key.
    OwnKey,
    /// The key's id is part of the leaked text.
    Embed,
    /// A call with the key returned its id.
    Intro,
    /// A list returned the full key, and it was equal.
    Exact,
    /// A list shows only part of the key: never without a person.
    Part,
    /// Not bound: the operator names the id.
    None,
}

impl Binding {
    /// The word in rule files and plans.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OwnKey => "self",
            Self::Embed => "embed",
            Self::Intro => "intro",
            Self::Exact => "exact",
            Self::Part => "part",
            Self::None => "none",
        }
    }

    /// Whether it is certain enough to run without a person.
    #[must_use]
    pub fn is_safe(self) -> bool {
        matches!(self, Self::OwnKey | Self::Embed | Self::Intro | Self::Exact)
    }
}

impl Class {
    /// The word in rule files and plans.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OwnKey => "self",
            Self::Admin => "admin",
            Self::Report => "report",
        }
    }
}

/// Requests in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Length of the window.
    pub per: Duration,
    /// Requests in it.
    pub requests: u32,
}

/// Several secrets in one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Most of them.
    pub max: usize,
}

/// What the validation must have shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Require {
    /// A scope that must be among those the validation kept.
    pub scope: String,
}

/// One request and what its answers mean.
#[derive(Clone, Debug)]
pub struct Step {
    /// Name in the journal.
    pub name: String,
    /// It changes something.
    pub mutates: bool,
    /// What is sent.
    pub request: Request,
    /// Answers with which the next step goes on.
    pub need: Vec<Condition>,
    /// Values taken from the answer.
    pub take: BTreeMap<String, Take>,
    /// Answers that end the action.
    pub outcomes: Vec<Outcome>,
}

/// HTTP methods in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Whatever the API says.
    Post,
    /// Replace.
    Put,
    /// Change.
    Patch,
    /// Remove.
    Delete,
}

impl Method {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A request with typed positions.
#[derive(Clone, Debug)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Address.
    pub url: UrlTemplate,
    /// Header fields.
    pub headers: Vec<(String, Template)>,
    /// Bearer token.
    pub bearer: Option<Template>,
    /// Basic authentication.
    pub basic: Option<BasicAuth>,
    /// The client an access token is fetched for.
    pub oauth: Option<OauthClient>,
    /// Body.
    pub body: Body,
    /// SigV4 scope.
    pub sign: Option<Signature>,
}

/// Basic authentication.
#[derive(Clone, Debug)]
pub struct BasicAuth {
    /// User name.
    pub user: Template,
    /// Password.
    pub pass: Template,
}

/// Client credentials (RFC 6749, section 4.4).
#[derive(Clone, Debug)]
pub struct OauthClient {
    /// Client id.
    pub id: Template,
    /// Client secret.
    pub secret: Template,
    /// How both are sent.
    pub send: SendClient,
}

/// How a client says who it is (RFC 6749, section 2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendClient {
    /// `client_secret_basic`: both form-encoded, then as basic authentication.
    Basic,
    /// `client_secret_post`: in the form.
    Post,
}

/// Body of a request.
#[derive(Clone, Debug)]
pub enum Body {
    /// None.
    Empty,
    /// `application/x-www-form-urlencoded`.
    Form(Vec<(String, Template)>),
    /// `application/json`.
    Json(JsonTemplate),
}

/// SigV4 scope of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Service code.
    pub service: String,
    /// Region.
    pub region: String,
}

/// When an answer counts. All parts must hold.
#[derive(Clone, Debug, Default)]
pub struct Condition {
    /// Any of these; empty is any.
    pub status: Vec<u16>,
    /// JSON pointer and expectation.
    pub json: Vec<(String, Expect)>,
    /// XML element and expectation.
    pub xml: Vec<(String, Expect)>,
    /// Header and expectation.
    pub header: Vec<(String, Expect)>,
}

/// What a value must be.
#[derive(Clone, Debug, PartialEq)]
pub enum Expect {
    /// There, and not null.
    Any,
    /// One of these scalars.
    OneOf(Vec<toml::Value>),
}

/// A verdict and when it holds.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The verdict.
    pub is: Word,
    /// In words.
    pub reason: Option<String>,
    /// When.
    pub when: Condition,
    /// Evidence to keep.
    pub keep: Vec<Keep>,
}

/// Verdicts of both kinds of action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Validate: it works.
    Live,
    /// Validate: it does not, or no longer.
    Dead,
    /// Validate: it exists, but may not do this.
    Restricted,
    /// Revoke: taken; proof comes later.
    Accepted,
    /// Revoke: was dead.
    AlreadyDead,
    /// Revoke: the key may not do this.
    NotAuthorised,
    /// Revoke: cannot be done for this key.
    Unsupported,
    /// Revoke: refused.
    Failed,
    /// No verdict.
    Unknown,
}

impl Word {
    /// The word in rule files and journals.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Dead => "dead",
            Self::Restricted => "restricted",
            Self::Accepted => "accepted",
            Self::AlreadyDead => "already_dead",
            Self::NotAuthorised => "not_authorised",
            Self::Unsupported => "unsupported",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// One piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keep {
    /// `who`, `account`, `id`, `scopes` or `expires`.
    pub name: String,
    /// Where it stands in the answer.
    pub from: KeepFrom,
}

/// Where a piece of evidence stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeepFrom {
    /// JSON pointer.
    Json(String),
    /// Header field.
    Header(String),
    /// XML element.
    Xml(String),
}

/// A value taken from an answer.
#[derive(Clone, Debug)]
pub struct Take {
    /// Where it stands.
    pub from: TakeFrom,
    /// Expression the whole value must match.
    pub pattern: String,
}

/// Where a taken value stands.
#[derive(Clone, Debug)]
pub enum TakeFrom {
    /// At a JSON pointer.
    Json(String),
    /// In the only element of a list in which all `filter` values are equal.
    Find {
        /// Pointer to the list.
        list: String,
        /// Pointers inside an element, and values.
        filter: Vec<(String, Template)>,
        /// Pointer to the value inside the element.
        get: String,
    },
}

impl Provider {
    /// The way called `kind` in plans: `revoke`, `delete` or `admin`.
    #[must_use]
    pub fn way(&self, kind: &str) -> Option<&Revocation> {
        match kind {
            "revoke" => self.revoke.as_ref(),
            "delete" => self.delete.as_ref(),
            "admin" => self.admin.as_ref(),
            _ => None,
        }
    }

    /// All ways, by their names in plans.
    pub fn ways(&self) -> impl Iterator<Item = (&'static str, &Revocation)> {
        let named = ["revoke", "delete", "admin"].into_iter();
        named.filter_map(|kind| Some((kind, self.way(kind)?)))
    }

    /// Names of the operator's credentials it needs for `admin`.
    pub fn operator_parts(&self) -> impl Iterator<Item = &str> {
        self.parts.values().filter_map(|part| match part {
            PartFrom::Operator { name } => Some(name.as_str()),
            PartFrom::Own | PartFrom::Near { .. } => None,
        })
    }

    /// A block that serves nobody: stands in where only a driver serves a rule.
    #[must_use]
    pub fn nobody() -> Self {
        Self {
            id: String::new(),
            rules: Vec::new(),
            sibling_of: None,
            hosts: Vec::new(),
            base: None,
            split: None,
            parse_json: false,
            parts: BTreeMap::new(),
            aws_canaries: false,
            signer: None,
            auth: None,
            evidence: String::new(),
            references: Vec::new(),
            validate: None,
            revoke: None,
            delete: None,
            admin: None,
        }
    }
}
