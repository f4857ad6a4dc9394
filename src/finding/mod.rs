//! The nouns of a scan: what was looked at, what was found, what became of it.
//!
//! Level 0. Every other module speaks in these types, so nothing here knows how
//! objects are read, matched, reported or revoked.

mod coverage;
mod disposition;
mod fingerprint;
mod hit;
mod inert;
mod leak;
mod level;
mod line_hash;
mod oid;
mod origin;
mod outcome;
mod path;
mod rule_info;
mod secret;
mod slow_hash;
#[cfg(target_arch = "x86_64")]
mod slow_hash_avx512;
mod span;

pub use coverage::{Coverage, Gap, GapKind, SkipReason};
pub use disposition::{AllowSource, Disposition};
pub use fingerprint::{Fingerprint, FingerprintKey, ParseFingerprintError};
pub use hit::{Checksum, Decoded, Match};
pub use inert::{InertEntry, Inertness};
pub use leak::{Detail, Facet, Finding, Note, Occurrence, ScanReport, apart};
pub use level::{Confidence, Severity, UnknownLevel};
pub use line_hash::line_hashes;
pub use oid::{Oid, ParseOidError};
pub use origin::{Attributor, CommitInfo, Origin, Placement, Reachability, Timeline};
pub use outcome::{Evidence, RevocationOutcome, Validation};
pub use path::RepoPath;
pub use rule_info::{CredentialMode, RuleInfo};
pub use secret::{Redaction, Secret};
pub use span::{Position, Region, Span};
