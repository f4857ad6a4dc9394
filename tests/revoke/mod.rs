//! Planning, applying, resuming, proving; against the mock provider on loopback.

mod drill;
mod drivers;
mod faults;
mod killed;
mod moto;
mod plans;
mod stage;

pub(crate) use stage::rule as stage_rule;
