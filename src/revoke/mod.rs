//! Kills leaked keys: prove it is live, kill it, prove it is dead.
//!
//! A plan says what would be done and holds no secret; applying it reads each secret again from
//! the place it leaked at and checks it against its fingerprint. Every step is in a journal, synced
//! to disk before the network sees anything, so a run killed at any point resumes without sending
//! twice. Only a check that finds the key dead makes it `revoked`.

mod apply;
mod approval;
mod audit;
mod driver;
mod findings;
mod journal;
mod place;
mod place_reader;
mod plan;
mod planner;
mod private_file;
mod receipt;
mod report;
mod repositories;
mod rescan;
mod source;

pub use apply::{Allowed, Apply, ApplyError, ApplyOptions, Confirmation, Point, dry_run};
pub use approval::{APPROVAL_NAMESPACE, ApprovalError, Approver, approved};
pub use audit::{Audit, AuditError, AuditVerdict, verify_audit};
pub use findings::{FindingsError, Leak, read_findings};
pub use journal::{Journal, JournalError};
pub use place::Place;
pub use place_reader::PlaceReader;
pub use plan::{Decision, Plan, PlanError, PlanItem, PlanPart, PlannedAction, PlannedRequest};
pub use planner::{PlanOptions, Planner, documents, short_id};
pub use receipt::{ReceiptError, write_receipt};
pub use report::{ApplyReport, ItemReport, Outcome};
pub use repositories::Repositories;
pub use rescan::{ReadPlace, Rescan};
pub use source::{Found, GivenSecret, SecretSource};
