//! Provider blocks as people write them. Unknown keys are errors.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A file of provider blocks.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderFile {
    /// Version of this schema; `1`.
    pub schema: u32,
    /// The blocks.
    #[serde(default)]
    pub provider: Vec<toml::Spanned<toml::Table>>,
}

/// One `[[provider]]` as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderDef {
    /// Kebab-case id, unique.
    pub id: String,
    /// Ids of the detection rules it serves.
    pub rules: Vec<String>,
    /// This is another installation of the provider of that block, with keys of its own: both are asked.
    pub sibling_of: Option<String>,
    /// The only hosts ever contacted.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Where self-hosted installations put another address.
    pub base: Option<BaseDef>,
    /// How the secret falls into named groups.
    pub split: Option<SplitDef>,
    /// `json`: the secret is a JSON document, its top-level strings are `{f.name}`.
    pub parse: Option<String>,
    /// Further parts of the credential, found by other rules near it.
    #[serde(default)]
    pub parts: BTreeMap<String, PartDef>,
    /// `builtin:aws`: the account in the key id is compared with the known canary accounts.
    pub canary_accounts: Option<String>,
    /// Signed requests.
    pub sign: Option<SignDef>,
    /// Assertions made from the credential.
    pub auth: Option<AuthDef>,
    /// The secret may stand in the path or query of a URL, where servers log it.
    #[serde(default)]
    pub allow_secret_in_url: bool,
    /// `documentation`, `sdk` or `two-peers`: how the requests are known.
    pub evidence: String,
    /// Pages that document the requests.
    #[serde(default)]
    pub references: Vec<String>,
    /// Read-only check.
    pub validate: Option<ActionDef>,
    /// The default way to kill it; reversible where there is a choice.
    pub revoke: Option<RevokeDef>,
    /// The final way, only on request, where `revoke` is reversible.
    pub delete: Option<RevokeDef>,
    /// The way of an administrator, whose credential the operator's file names; only on request.
    pub admin: Option<RevokeDef>,
}

/// `base = { default = "https://…", override = "name" }`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseDef {
    /// Used when the operator's configuration names no other.
    pub default: Option<String>,
    /// Name under which the operator's configuration gives the address.
    #[serde(rename = "override")]
    pub name: String,
}

/// `split = { re = '…', public = ["id"] }`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitDef {
    /// Regular expression over the whole secret with named groups.
    pub re: String,
    /// Groups that are no secret by themselves (an id): allowed in URLs.
    #[serde(default)]
    pub public: Vec<String>,
}

/// A part of a credential.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum PartDef {
    /// `"{secret}"`: the found value itself under another name; not secret by itself.
    Own(String),
    /// The value another rule found near it.
    Near(NearDef),
    /// A credential of the operator's own, for `admin`.
    Operator(OperatorDef),
}

/// `{ operator = "gitlab-admin" }`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorDef {
    /// Its name under `[credentials]` of the operator's file.
    pub operator: String,
}

/// `{ rule = "aws-secret-access-key", within_lines = 20 }`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NearDef {
    /// Id of the other rule.
    pub rule: String,
    /// The part is no secret by itself (an id).
    #[serde(default)]
    pub public: bool,
}

/// `sign = { aws4 = { … } }`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignDef {
    /// AWS Signature Version 4.
    pub aws4: Aws4Def,
}

/// Keys of SigV4.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aws4Def {
    /// Access key id.
    pub key: String,
    /// Secret access key.
    pub secret: String,
}

/// `auth = { jwt_bearer = { … } }`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthDef {
    /// A signed assertion, `{auth.assertion}` (RFC 7523).
    pub jwt_bearer: JwtBearerDef,
}

/// Claims of the assertion.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JwtBearerDef {
    /// `RS256`.
    pub alg: String,
    /// Private key, PKCS #8 in PEM.
    pub key: String,
    /// Key id in the header.
    pub kid: Option<String>,
    /// Issuer.
    pub iss: String,
    /// Audience; a constant, never from the leaked text.
    pub aud: String,
    /// Scope claim.
    pub scope: Option<String>,
}

/// A read-only check: one request, or steps.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionDef {
    /// The only request.
    pub request: Option<RequestDef>,
    /// What its answers mean.
    #[serde(default)]
    pub outcome: Vec<OutcomeDef>,
    /// Or several requests.
    #[serde(default)]
    pub step: Vec<StepDef>,
}

/// A revocation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokeDef {
    /// `self`, `admin` or `report`.
    pub class: String,
    /// `self`, `embed`, `intro`, `exact`, `part` or `none`.
    pub binding: String,
    /// The provider can undo it.
    #[serde(default)]
    pub reversible: bool,
    /// Sending it twice is the same as once.
    #[serde(default)]
    pub idempotent: bool,
    /// May run without a person, if policy says so too.
    #[serde(default)]
    pub unattended: bool,
    /// How long until the key is dead: post-check deadline, for example `60s`.
    pub propagation: String,
    /// What else dies or breaks; shown in the plan.
    pub warning: Option<String>,
    /// Rate limit the provider documents.
    pub limit: Option<LimitDef>,
    /// Several secrets in one request.
    pub batch: Option<BatchDef>,
    /// What the validation must have shown; else `unsupported`, and nothing is sent.
    pub require: Option<RequireDef>,
    /// The only request.
    pub request: Option<RequestDef>,
    /// What its answers mean.
    #[serde(default)]
    pub outcome: Vec<OutcomeDef>,
    /// Or several requests; the last one changes something.
    #[serde(default)]
    pub step: Vec<StepDef>,
    /// Post-check other than `validate`.
    pub post: Option<ActionDef>,
}

/// `limit = { per = "1h", requests = 60 }`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitDef {
    /// Length of the window.
    pub per: String,
    /// Requests in it.
    pub requests: u32,
}

/// `batch = { max = 1000 }`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchDef {
    /// Most secrets in one request.
    pub max: u32,
}

/// `require = { keep = "scopes", contains = "api_keys.delete" }`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequireDef {
    /// A value the validation keeps; `scopes`.
    pub keep: String,
    /// What must be in it.
    pub contains: String,
}

/// One request of several.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepDef {
    /// Name in the journal.
    pub name: Option<String>,
    /// It changes something at the provider; the last step only.
    #[serde(default)]
    pub mutates: bool,
    /// What is sent.
    pub request: RequestDef,
    /// Answers with which the next step goes on.
    #[serde(default)]
    pub need: Vec<ConditionDef>,
    /// Values taken from the answer.
    #[serde(default)]
    pub take: BTreeMap<String, TakeDef>,
    /// Answers that end the action here.
    #[serde(default)]
    pub outcome: Vec<OutcomeDef>,
}

/// A request as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestDef {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// `https://host/path/{x}?k={y}`.
    pub url: String,
    /// Header fields.
    #[serde(default)]
    pub header: BTreeMap<String, String>,
    /// `true` for `Authorization: Bearer {secret}`, or the template of the token.
    pub bearer: Option<BearerDef>,
    /// Basic authentication.
    pub basic: Option<BasicDef>,
    /// The request fetches an access token for an OAuth client; later ones name it `{auth.token}`.
    pub oauth_client: Option<OauthClientDef>,
    /// Form body.
    pub form: Option<BTreeMap<String, String>>,
    /// JSON body.
    pub json: Option<toml::Value>,
    /// SigV4 with the provider's keys.
    pub sign: Option<SignatureDef>,
}

/// `bearer = true` or `bearer = "{token}"`.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum BearerDef {
    /// The secret itself.
    Secret(bool),
    /// Another value.
    Template(String),
}

/// `basic = { user = "…", pass = "…" }`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BasicDef {
    /// User name.
    pub user: String,
    /// Password; may be empty.
    #[serde(default)]
    pub pass: String,
}

/// `oauth_client = { id = "{client_id}", secret = "{secret}", send = "basic" }`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OauthClientDef {
    /// Client id.
    pub id: String,
    /// Client secret.
    pub secret: String,
    /// `basic` (`client_secret_basic`) or `post` (`client_secret_post`).
    pub send: String,
}

/// `sign = { service = "iam", region = "us-east-1" }`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignatureDef {
    /// AWS service code.
    pub service: String,
    /// AWS region.
    pub region: String,
}

/// When an answer counts. All that is given must hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionDef {
    /// Status, or several.
    pub status: Option<StatusDef>,
    /// JSON pointer → expected value; `"*"` is any but null, a list is any of.
    #[serde(default)]
    pub json: BTreeMap<String, toml::Value>,
    /// XML element name → expected text; `"*"` is any.
    #[serde(default)]
    pub xml: BTreeMap<String, toml::Value>,
    /// Short for `xml = { Code = … }`.
    pub xml_code: Option<String>,
    /// Header → expected value; `"*"` is any.
    #[serde(default)]
    pub header: BTreeMap<String, toml::Value>,
}

/// One status or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum StatusDef {
    /// `status = 200`.
    One(u16),
    /// `status = [200, 204]`.
    Many(Vec<u16>),
}

/// A verdict and when it holds. Written flat: `{ is = "live", status = 200, … }`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeDef {
    /// The verdict.
    pub is: String,
    /// In words, for people.
    pub reason: Option<String>,
    /// What to keep as evidence: `who`, `account`, `id`, `scopes`, `expires` → JSON pointer, `header:name` or `xml:Name`.
    #[serde(default)]
    pub keep: BTreeMap<String, String>,
    /// See [`ConditionDef`].
    pub status: Option<StatusDef>,
    /// See [`ConditionDef`].
    #[serde(default)]
    pub json: BTreeMap<String, toml::Value>,
    /// See [`ConditionDef`].
    #[serde(default)]
    pub xml: BTreeMap<String, toml::Value>,
    /// See [`ConditionDef`].
    pub xml_code: Option<String>,
    /// See [`ConditionDef`].
    #[serde(default)]
    pub header: BTreeMap<String, toml::Value>,
}

/// A value taken from an answer. It always has a shape.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakeDef {
    /// JSON pointer to it.
    pub json: Option<String>,
    /// Or the one element of a list that matches exactly.
    pub json_find: Option<FindDef>,
    /// Regular expression the whole value must match.
    #[serde(rename = "match")]
    pub pattern: String,
}

/// `json_find = { in = "/*", where = { "/token" = "{secret}" }, get = "/id", unique = true }`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindDef {
    /// Pointer to the list, ending in `/*`.
    #[serde(rename = "in")]
    pub list: String,
    /// Pointers inside an element and the values they must equal.
    #[serde(rename = "where")]
    pub filter: BTreeMap<String, String>,
    /// Pointer inside the element.
    pub get: String,
    /// Must be `true`: exactly one element matches.
    pub unique: bool,
}
