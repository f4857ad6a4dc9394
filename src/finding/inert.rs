//! Suppressions that suppress nothing.

/// Why an entry does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Inertness {
    /// Everything was scanned, and nothing in it needs the entry.
    Unused,
    /// Its last day is over.
    Expired,
    /// It came with the very changes that are judged, and they cannot silence their own gate.
    NotInForce,
}

impl Inertness {
    /// Stable kebab-case name used in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unused => "unused",
            Self::Expired => "expired",
            Self::NotInForce => "not-in-force",
        }
    }
}

/// An entry of the configuration or of the baseline that suppresses nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InertEntry {
    /// Which entry, for people: `keycull.toml:12 [[allow]]`.
    pub entry: String,
    /// Why.
    pub why: Inertness,
    /// The same in words, with what to do.
    pub text: String,
}
