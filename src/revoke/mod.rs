//! Kills leaked keys: prove it is live, kill it, prove it is dead.
//!
//! A plan says what would be done and holds no secret; applying it reads each secret again from
//! the place it leaked at and checks it against its fingerprint. Every step is in a journal, synced
//! to disk before the network sees anything, so a run killed at any point resumes without sending
//! twice. Only a check that finds the key dead makes it `revoked`.

mod apply;
mod audit;
mod driver;
mod journal;
mod place;
mod plan;
mod planner;
mod private_file;
mod report;
mod rescan;
mod source;

pub use apply::{Apply, ApplyError, ApplyOptions, Confirmation, Point};
pub use audit::{Audit, AuditError, AuditVerdict, verify_audit};
pub use journal::{Journal, JournalError};
pub use place::Place;
pub use plan::{Decision, Plan, PlanError, PlanItem, PlanPart, PlannedAction, PlannedRequest};
pub use planner::{PlanOptions, Planner};
pub use report::{ApplyReport, ItemReport, Outcome};
pub use rescan::{ReadPlace, Rescan};
pub use source::{Found, GivenSecret, SecretSource};
