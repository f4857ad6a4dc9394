//! What a provider said about a credential, and what became of a revocation.

/// What a provider's answer proves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// HTTP status of the deciding answer.
    pub status: Option<u16>,
    /// Who the credential belongs to, where the provider tells.
    pub identity: Option<String>,
    /// What it may do, where the provider tells.
    pub scopes: Vec<String>,
    /// When it expires, where the provider tells (as the provider wrote it).
    pub expires: Option<String>,
}

/// Whether a credential works: three-valued, with evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Validation {
    /// The provider accepted it.
    Live(Evidence),
    /// The provider said it is not, or no longer, a credential.
    Dead(Evidence),
    /// No verdict, and why: network failure, rate limit, unexpected answer.
    Unknown(String),
    /// Nobody asked.
    NotAttempted,
}

impl Validation {
    /// `live`, `dead`, `unknown` or `not-attempted`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Live(_) => "live",
            Self::Dead(_) => "dead",
            Self::Unknown(_) => "unknown",
            Self::NotAttempted => "not-attempted",
        }
    }
}

/// Result of one revocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RevocationOutcome {
    /// Accepted by the provider, and then proven dead.
    Revoked(Evidence),
    /// Was dead before.
    AlreadyDead(Evidence),
    /// Accepted, but no proof of death yet.
    AcceptedUnproven(String),
    /// Not done, by policy or because it cannot be bound to this very key.
    Refused(String),
    /// The provider refused.
    Failed(String),
    /// Sent, and no answer: the provider's state must be checked.
    Unknown(String),
}
