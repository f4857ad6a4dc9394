//! The built-in rules: static tables written by `build.rs` from `rules/*.toml`.

use super::model::RuleSet;

mod generated {
    // Generated code; which of these names it needs depends on the rules.
    #![allow(unused_imports, clippy::all)]

    use std::borrow::Cow;

    use crate::finding::{Confidence, Severity};
    use crate::rule::class::ByteSet;
    use crate::rule::model::{Branch, Companion, Find, FormatUse, Group, Kind, Pattern, Rule, RuleSet};
    use crate::rule::pool::{Entries, Row, Texts};
    use crate::rule::shape::Item;
    use crate::rule::table::{Literal, Lookup, Tables, Target, ValueTable};
    use crate::rule::{checksum, format};

    include!(concat!(env!("OUT_DIR"), "/builtin_rules.rs"));
}

impl RuleSet {
    /// All built-in rules. Costs nothing: the tables are part of the binary.
    #[must_use]
    pub fn builtin() -> &'static RuleSet {
        &generated::BUILTIN
    }
}
