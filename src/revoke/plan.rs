//! The plan: what would be done to which key, by fingerprint, without any secret in it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Place, private_file};

/// Version of the plan's form.
const SCHEMA: u32 = 1;

/// What `revoke plan` writes and `revoke apply` reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Version of this form.
    pub schema: u32,
    /// Name and version of the program that made it; another refuses it.
    pub tool: String,
    /// Hash of the detection rules in force.
    pub rules: String,
    /// When it was made, seconds since 1970 UTC.
    pub created: i64,
    /// From when on it is refused: a verdict of yesterday must not kill a key today.
    pub expires: i64,
    /// Whether the policy for runs without a person decided; only then may it be applied so.
    #[serde(default)]
    pub unattended: bool,
    /// One per key, sorted by rule and fingerprint.
    pub items: Vec<PlanItem>,
    /// SHA-256 over all of the above.
    #[serde(default)]
    pub digest: String,
}

/// One key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanItem {
    /// Short name, for `--only`.
    pub id: String,
    /// Detection rule.
    pub rule: String,
    /// Identity of the secret.
    pub fingerprint: String,
    /// The form that may be shown.
    pub redacted: String,
    /// Places to read it from, those in use first.
    pub places: Vec<Place>,
    /// Places beyond those.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub more_places: usize,
    /// What completes the credential.
    #[serde(default)]
    pub parts: Vec<PlanPart>,
    /// `live`, `dead`, `unknown` or `not-attempted`, when the plan was made.
    pub verdict: String,
    /// Why, in words.
    pub reason: String,
    /// Who it belongs to, where the provider tells; checked again before anything is sent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub identity: Option<String>,
    /// Account, where the provider tells.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub account: Option<String>,
    /// What would be done; none if nothing can be.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub action: Option<PlannedAction>,
    /// Whether it will be.
    pub decision: Decision,
    /// How to rotate by hand.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub rotate: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Another secret that completes a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanPart {
    /// Its rule.
    pub rule: String,
    /// Its identity.
    pub fingerprint: String,
    /// Where to read it.
    pub places: Vec<Place>,
}

/// What would be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedAction {
    /// Id of the provider block or driver.
    pub provider: String,
    /// Digest of that block.
    pub provider_digest: String,
    /// `revoke`, `delete` or `driver`.
    pub kind: String,
    /// `self`, `admin` or `report`.
    pub class: String,
    /// How the request is bound to this very key.
    pub binding: String,
    /// Whether the provider can undo it.
    pub reversible: bool,
    /// What else breaks.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub warning: Option<String>,
    /// Requests in order, variables unfilled.
    pub requests: Vec<PlannedRequest>,
    /// Longest wait for the key to die, in seconds.
    pub propagation: u64,
}

/// One request, as far as it may be written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedRequest {
    /// Method.
    pub method: String,
    /// Host.
    pub host: String,
    /// Path with variables unfilled.
    pub path: String,
}

/// Whether a key will be revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is", content = "why", deny_unknown_fields)]
pub enum Decision {
    /// Yes, when applied.
    Ready,
    /// It is dead already.
    AlreadyDead,
    /// Only by hand: the steps are in `rotate`.
    Manual(String),
    /// No, by policy or because something speaks against it.
    Refused(String),
    /// No: the secret could not be read.
    Unread(String),
}

/// Why a plan cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// It cannot be read or written.
    #[error("cannot use {path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It is no plan.
    #[error("{0} is no plan: make one with `keycull revoke plan FINDINGS -o FILE` ({1})")]
    Malformed(PathBuf, String),
    /// Somebody changed it.
    #[error("{0} was changed after it was made; run `keycull revoke plan` again")]
    Changed(PathBuf),
    /// It is too old.
    #[error(
        "the plan expired {0} s ago; run `keycull revoke plan` again, so that no old verdict kills a key"
    )]
    Expired(i64),
    /// It comes from the future.
    #[error("the plan was made {0} s in the future; check this machine's clock")]
    FromFuture(i64),
    /// Another version or other rules made it.
    #[error("the plan was made by {0}; this is {1}: run `keycull revoke plan` again")]
    OtherTool(String, String),
}

impl Plan {
    /// Puts a plan together and seals it.
    #[must_use]
    pub fn new(rules: &str, created: i64, lifetime: i64, unattended: bool, mut items: Vec<PlanItem>) -> Self {
        items.sort_by(|a, b| (&a.rule, &a.fingerprint).cmp(&(&b.rule, &b.fingerprint)));
        let mut plan = Self {
            schema: SCHEMA,
            tool: Self::tool(),
            rules: rules.to_owned(),
            created,
            expires: created + lifetime,
            unattended,
            items,
            digest: String::new(),
        };
        plan.digest = plan.sum();
        plan
    }

    /// Name and version of this program.
    #[must_use]
    pub fn tool() -> String {
        format!("keycull {}", env!("CARGO_PKG_VERSION"))
    }

    fn sum(&self) -> String {
        let unsealed = Self { digest: String::new(), ..self.clone() };
        // NOTE: strings, numbers and lists only; nothing in it can fail.
        let text = serde_json::to_vec(&unsealed).expect("a plan serialises");
        Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The plan as JSON, for people and `--from -`.
    #[must_use]
    pub fn to_json(&self) -> String {
        // NOTE: as above.
        serde_json::to_string_pretty(self).expect("a plan serialises") + "\n"
    }

    /// Writes it, readable by its owner alone.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), PlanError> {
        private_file::write(path, self.to_json().as_bytes())
            .map_err(|error| PlanError::File { path: path.to_owned(), error })
    }

    /// Reads a plan and checks its seal and its maker. Its age is checked by [`Plan::still_good`].
    ///
    /// # Errors
    ///
    /// See [`PlanError`].
    pub fn load(path: &Path, rules: &str) -> Result<Self, PlanError> {
        let text = std::fs::read(path).map_err(|error| PlanError::File { path: path.to_owned(), error })?;
        Self::parse(&text, path, rules)
    }

    /// [`Plan::load`] for a text that is here already; `path` names it in errors.
    ///
    /// # Errors
    ///
    /// See [`PlanError`].
    pub fn parse(text: &[u8], path: &Path, rules: &str) -> Result<Self, PlanError> {
        let malformed = |problem: String| PlanError::Malformed(path.to_owned(), problem);
        let plan: Self = serde_json::from_slice(text)
            .map_err(|error| malformed(format!("line {} does not fit", error.line())))?;
        if plan.schema != SCHEMA {
            return Err(malformed(format!("schema {} is not known", plan.schema)));
        }
        if plan.sum() != plan.digest {
            return Err(PlanError::Changed(path.to_owned()));
        }
        if plan.tool != Self::tool() {
            return Err(PlanError::OtherTool(plan.tool, Self::tool()));
        }
        if plan.rules != rules {
            return Err(PlanError::OtherTool(format!("rules {}", plan.rules), format!("rules {rules}")));
        }
        Ok(plan)
    }

    /// How many keys would be revoked.
    #[must_use]
    pub fn ready(&self) -> usize {
        self.items.iter().filter(|item| item.decision == Decision::Ready).count()
    }

    /// Whether anything new may be sent under it now. What was sent may be proven at any time.
    ///
    /// # Errors
    ///
    /// It is too old, or comes from the future (a clock jumped).
    pub fn still_good(&self, now: i64) -> Result<(), PlanError> {
        if now >= self.expires {
            return Err(PlanError::Expired(now - self.expires));
        }
        // A minute of difference between two machines is common.
        if self.created > now + 60 {
            return Err(PlanError::FromFuture(self.created - now));
        }
        Ok(())
    }

    /// Where the journal of this plan lies.
    #[must_use]
    pub fn journal_path(plan: &Path) -> PathBuf {
        let mut name = plan.as_os_str().to_owned();
        name.push(".journal");
        PathBuf::from(name)
    }
}
