//! Hand-written verifiers for credentials that are text formats rather than tokens.

pub(super) mod armor;
