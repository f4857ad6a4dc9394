//! Whether a leaked credential works: live, dead, or unknown and why.
//!
//! Level 3, on its own because it is the only reader of secrets that opens sockets besides
//! `revoke`. It sends a credential only to the hosts its provider block names, only if nothing
//! speaks against it (checksum, canary, placeholder, generic), and only in requests that change
//! nothing.

mod answer;
mod base;
mod cache;
mod canary;
mod check;
mod exchange;
mod jwt;
mod oauth;
mod operator;
mod providers;
mod redact;
mod render;
mod sign;
mod subject;
mod values;

pub use base::Address;
pub use canary::{aws_account, is_canary};
pub use check::{Checked, Validator, exit_code};
pub use exchange::{Event, Mutation, Observer, Traffic, Verdict, Wire, run};
pub use jwt::client_assertion;
pub use operator::{Driver, DriverAuth, DriverKind, Operator, OperatorError, Send as SendWhat, Unattended};
pub use providers::Providers;
pub use redact::Redactor;
pub use sign::{Signed, aws4_authorization};
pub use subject::{Subject, Veto, admit};
pub use values::{ValueError, Values};
