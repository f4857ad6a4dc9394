//! Writes a [`RuleSet`] as Rust source, so that the built-in rules are `static` data.
//!
//! Compiled into `build.rs` only.

use std::fmt::Write;

use super::class::ByteSet;
use super::model::{Branch, Companion, Find, FormatUse, Group, Kind, Pattern, Rule, RuleSet};
use super::pool::{Entries, Row, Texts};
use super::shape::Item;
use super::table::{Literal, Lookup, Tables, Target, ValueTable};
use crate::finding::{Confidence, Severity};

/// A value that can be written as a constant expression.
pub trait Emit {
    /// Appends the expression to `out`.
    fn emit(&self, out: &mut String);
}

/// The whole generated file: one `static BUILTIN`.
#[must_use]
pub fn source(set: &RuleSet) -> String {
    let mut out = String::from("pub(super) static BUILTIN: RuleSet = ");
    set.emit(&mut out);
    out.push_str(";\n");
    out
}

macro_rules! emit_display {
    ($($type:ty),*) => {$(
        impl Emit for $type {
            fn emit(&self, out: &mut String) {
                let _ = write!(out, "{self}");
            }
        }
    )*};
}
emit_display!(u8, u16, u32, u64, bool);

macro_rules! emit_variant {
    ($($type:ident),*) => {$(
        impl Emit for $type {
            fn emit(&self, out: &mut String) {
                let _ = write!(out, concat!(stringify!($type), "::{:?}"), self);
            }
        }
    )*};
}
emit_variant!(Kind, Find, Severity, Confidence);

impl Emit for super::checksum::Algorithm {
    fn emit(&self, out: &mut String) {
        let _ = write!(out, "checksum::Algorithm::{self:?}");
    }
}

impl Emit for super::format::Format {
    fn emit(&self, out: &mut String) {
        let _ = write!(out, "format::Format::{self:?}");
    }
}

macro_rules! emit_struct {
    ($type:ident { $($field:ident),* $(,)? }) => {
        impl Emit for $type {
            fn emit(&self, out: &mut String) {
                out.push_str(concat!(stringify!($type), " { "));
                $(
                    out.push_str(concat!(stringify!($field), ": "));
                    self.$field.emit(out);
                    out.push_str(", ");
                )*
                out.push('}');
            }
        }
    };
}

emit_struct!(Rule {
    id,
    name,
    description,
    provider,
    kind,
    severity,
    confidence,
    public,
    chosen,
    min_entropy,
    checksum,
    test_markers,
    test_severity,
    companions,
    markers,
    examples,
    negatives,
    references,
    rotate,
    evidence,
    cost_reason,
});
emit_struct!(Companion { rule, within_lines, required, part_of });
emit_struct!(Branch { rule, before, prefix, fold, body, secret_is_body, not_after, find });
emit_struct!(Texts { joined });
emit_struct!(Row { rule, value, first, count });
emit_struct!(Entries { rows, words, values });
emit_struct!(Pattern { rule, regex, keywords, group, reach });
emit_struct!(FormatUse { rule, format, labels });
emit_struct!(RuleSet { rules, branches, entries, patterns, formats, words, generic, tables, digest });
emit_struct!(Tables {
    head,
    tail,
    literals,
    probes,
    word_slots,
    word_hashes,
    word_is_prefix,
    entry_starts,
    entry_list,
    values,
});
emit_struct!(ValueTable { atoms, starts, sets });
emit_struct!(Lookup { bits, starts, list });
emit_struct!(Literal { bytes, probe, bucket, targets });

impl Emit for Target {
    fn emit(&self, out: &mut String) {
        let _ = write!(out, "Target::{self:?}");
    }
}

impl Emit for ByteSet {
    fn emit(&self, out: &mut String) {
        let _ = write!(out, "ByteSet({:?})", self.0);
    }
}

impl Emit for Item {
    fn emit(&self, out: &mut String) {
        match self {
            Self::Lit(bytes) => {
                out.push_str("Item::Lit(");
                bytes.emit(out);
                out.push(')');
            }
            Self::Run { set, min, max } => {
                out.push_str("Item::Run { set: ");
                set.emit(out);
                let _ = write!(out, ", min: {min}, max: {max} }}");
            }
        }
    }
}

impl Emit for Group {
    fn emit(&self, out: &mut String) {
        match self {
            Self::First => out.push_str("Group::First"),
            Self::Number(n) => {
                let _ = write!(out, "Group::Number({n})");
            }
            Self::Named(name) => {
                out.push_str("Group::Named(");
                name.emit(out);
                out.push(')');
            }
        }
    }
}

impl Emit for std::borrow::Cow<'static, str> {
    fn emit(&self, out: &mut String) {
        let _ = write!(out, "Cow::Borrowed({:?})", self.as_ref());
    }
}

impl<T: Emit + Clone> Emit for std::borrow::Cow<'static, [T]> {
    fn emit(&self, out: &mut String) {
        out.push_str("Cow::Borrowed(&[");
        for item in self.iter() {
            item.emit(out);
            out.push_str(", ");
        }
        out.push_str("])");
    }
}

impl<T: Emit> Emit for Option<T> {
    fn emit(&self, out: &mut String) {
        match self {
            None => out.push_str("None"),
            Some(value) => {
                out.push_str("Some(");
                value.emit(out);
                out.push(')');
            }
        }
    }
}

impl<T: Emit, const N: usize> Emit for [T; N] {
    fn emit(&self, out: &mut String) {
        out.push('[');
        for item in self {
            item.emit(out);
            out.push_str(", ");
        }
        out.push(']');
    }
}
