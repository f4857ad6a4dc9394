//! Finds secrets in bytes.
//!
//! One pass over the text turns it into token runs and literal hits (`scan`); each of them is
//! then tested alone: prefixes against shapes, values against the rules their names select,
//! literals against regular expressions and hand-written verifiers. A match is a function of the
//! bounded neighbourhood of its trigger, which the history scan depends on.
//!
//! [`mod@reference`] finds the same matches the slow and obvious way; tests hold the two equal.

mod assignment;
mod bigram;
pub mod checksum;
mod code_words;
pub mod cost;
pub mod decode;
mod edge;
pub mod entropy;
mod fallback;
mod foreign;
pub mod format;
mod generic;
mod identifier;
pub mod imported;
mod literal_value;
mod look_alike;
mod mask;
#[cfg(target_arch = "x86_64")]
mod mask_avx2;
#[cfg(target_arch = "x86_64")]
mod mask_avx512;
mod name;
mod pack;
mod pattern;
mod placeholder;
mod places;
mod randomness;
pub mod reference;
mod scan;
pub mod selftest;
mod stored_hash;
mod token;
mod trace;
mod typing;
mod value;
mod vocabulary;
mod weak_password;
mod word;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};

use crate::finding::Match;
use crate::rule::RuleSet;

use cost::{Finds, Ledger};
pub use trace::{Copied, Trace};

/// Most bytes a match reads to the left or right of its trigger.
///
/// Windows over large content overlap by this much, so that the result does not depend on where
/// they are cut.
pub const REACH: usize = 32 * 1024;

/// Memory a scan needs beside the content; one per thread, reused.
pub struct Scratch {
    /// Boxed, so that moving a scratch is no copy of kilobytes.
    masks: Box<mask::Masks>,
    room: trace::Room,
    decode: decode::State,
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            masks: Box::new(mask::Masks::new()),
            room: trace::Room::default(),
            decode: decode::State::default(),
        }
    }
}

impl Scratch {
    /// Whether the last scan left something undecoded because its budget was used up.
    pub fn take_overrun(&mut self) -> bool {
        self.decode.take_overrun()
    }
}

/// A set of rules, ready to scan with. Shared between threads.
pub struct Engine {
    rules: Cow<'static, RuleSet>,
    filter: mask::Filter,
    fill: mask::Fill,
    /// Compiled on a pattern's first trigger; `None` inside when it does not compile.
    regexes: Vec<OnceLock<Regex>>,
    /// Rules that run over whole contents.
    imported: Option<imported::Imported>,
}

impl Engine {
    /// An engine with all built-in rules. Nothing is parsed or compiled.
    #[must_use]
    pub fn builtin() -> Self {
        Self::over(Cow::Borrowed(RuleSet::builtin()))
    }

    /// An engine with `rules`.
    #[must_use]
    pub fn with_rules(rules: RuleSet) -> Self {
        Self::over(Cow::Owned(rules))
    }

    fn over(rules: Cow<'static, RuleSet>) -> Self {
        Self {
            filter: mask::Filter::new(&rules.tables.literals),
            fill: mask::best(),
            regexes: rules.patterns.iter().map(|_| OnceLock::new()).collect(),
            rules,
            imported: None,
        }
    }

    /// Adds rules that run over whole contents; [`Engine::scan`] leaves them to the caller, who
    /// knows where the content is.
    #[must_use]
    pub fn with_imported(mut self, imported: imported::Imported) -> Self {
        self.imported = Some(imported);
        self
    }

    /// The rules that run over whole contents.
    #[must_use]
    pub fn imported(&self) -> Option<&imported::Imported> {
        self.imported.as_ref()
    }

    /// How many back ends this processor can run: 1 to 3. All find the same.
    #[must_use]
    pub fn back_ends() -> usize {
        mask::all().len()
    }

    /// The same engine on one of the [`back_ends`](Self::back_ends), for comparison. The fastest is 0,
    /// the last one, and any number beyond, has no processor-specific code.
    #[must_use]
    pub fn on_back_end(mut self, number: usize) -> Self {
        self.fill = mask::all().get(number).copied().unwrap_or(mask::portable);
        self
    }

    /// The same engine without processor-specific code, for comparison.
    #[must_use]
    pub fn portable(self) -> Self {
        self.on_back_end(usize::MAX)
    }

    /// The rules in force.
    #[must_use]
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// Appends every match in `bytes` to `out`.
    ///
    /// The order is that of discovery; one secret may be found from several triggers.
    pub fn scan(&self, bytes: &[u8], scratch: &mut Scratch, out: &mut Vec<Match>) {
        self.scan_range(bytes, 0..bytes.len(), scratch, out);
    }

    /// Appends every match whose trigger starts in `triggers` to `out`; the context on both sides
    /// is read up to [`REACH`] bytes.
    pub fn scan_range(
        &self,
        bytes: &[u8],
        triggers: Range<usize>,
        scratch: &mut Scratch,
        out: &mut Vec<Match>,
    ) {
        self.scan_into(bytes, triggers, scratch, Finds::new(out));
    }

    /// Like [`Engine::scan_range`], and notes in `ledger` what each rule cost. Slower.
    ///
    /// # Panics
    /// When `ledger` was made for fewer rules.
    pub fn scan_counted(
        &self,
        bytes: &[u8],
        triggers: Range<usize>,
        scratch: &mut Scratch,
        out: &mut Vec<Match>,
        ledger: &mut Ledger,
    ) {
        self.scan_into(bytes, triggers, scratch, Finds::counted(out, ledger));
    }

    fn scan_into(&self, bytes: &[u8], triggers: Range<usize>, scratch: &mut Scratch, mut finds: Finds<'_>) {
        let triggers = triggers.start.min(bytes.len())..triggers.end.min(bytes.len());
        scratch.decode.refill(triggers.len());
        self.scan_level(bytes, triggers, 0, scratch, &mut finds);
    }

    /// Scans text that `depth` encodings were taken off.
    fn scan_level(
        &self,
        bytes: &[u8],
        triggers: Range<usize>,
        depth: u8,
        scratch: &mut Scratch,
        finds: &mut Finds<'_>,
    ) {
        self.scan_without_keyword(bytes, &triggers, finds);
        scratch.decode.begin(bytes, &triggers);
        scan::Pass::new(self, bytes, triggers.clone(), finds.reborrow()).run(scratch);
        decode::follow(self, bytes, &triggers, depth, scratch, finds.matches());
    }

    /// Matches of the patterns that nothing but themselves triggers.
    fn scan_without_keyword(&self, bytes: &[u8], triggers: &Range<usize>, finds: &mut Finds<'_>) {
        for (number, pattern) in self.rules.patterns.iter().enumerate() {
            if pattern.keywords.is_empty() {
                let regex = self.regex(number as u16);
                finds.trigger(pattern.rule);
                finds.test(pattern.rule, |out| {
                    pattern::scan_whole(&self.rules, pattern, regex, bytes, triggers, out);
                });
            }
        }
    }

    /// The compiled expression of pattern `number`.
    fn regex(&self, number: u16) -> &Regex {
        self.regexes[usize::from(number)]
            .get_or_init(|| compile(&self.rules.patterns[usize::from(number)].regex))
    }
}

/// Compiles an expression the rule compiler has accepted.
fn compile(expression: &str) -> Regex {
    RegexBuilder::new(expression)
        .unicode(false)
        .size_limit(64 << 20)
        .dfa_size_limit(8 << 20)
        .build()
        // An expression over the size limit matches nothing; `rules check` reports it.
        .unwrap_or_else(|_| never())
}

/// An expression that matches nothing.
fn never() -> Regex {
    // NOTE: a fixed, valid expression.
    Regex::new(r"[a&&b]").expect("a valid expression")
}
