//! From rule files to a [`RuleSet`], with every mistake named by file, line and reason.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::checksum::Algorithm;
use super::class::ByteSet;
use super::format::Format;
use super::literal;
use super::model::{
    Branch, Companion, Find, FormatUse, Group, Kind, NameClass, Pattern, Rule, RuleSet, Text,
};
use super::pool::{Entries, Texts};
use super::schema::{RuleDef, RuleFile, SecretField};
use super::shape::{self, Item};
use super::table::{Parts, Tables};
use crate::finding::{Confidence, Severity};

/// Shortest token run the engine looks at.
pub const MIN_RUN: usize = 16;
/// Longest literal the text filter looks for, and longest prefix.
pub const MAX_LITERAL: usize = 48;
/// Most bytes a pattern may match; also the cap for user patterns without a bound of their own.
pub const MAX_REACH: usize = 8192;

/// Words that say nothing about whose credential it is; a rule needs at least one other word.
const COMMON_WORDS: [&str; 34] = [
    "access",
    "account",
    "admin",
    "api",
    "app",
    "application",
    "auth",
    "authentication",
    "authorization",
    "bearer",
    "client",
    "cred",
    "credential",
    "credentials",
    "id",
    "key",
    "keys",
    "login",
    "oauth",
    "pass",
    "passphrase",
    "passwd",
    "password",
    "pat",
    "private",
    "pwd",
    "secret",
    "secrets",
    "service",
    "sign",
    "signing",
    "token",
    "tokens",
    "user",
];

/// Whether `word` alone cannot select a provider.
#[must_use]
pub fn is_common(word: &str) -> bool {
    COMMON_WORDS.contains(&word)
}

/// A mistake in a rule file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// The file, as it was given.
    pub file: String,
    /// 1-based line of the rule or of the syntax error.
    pub line: usize,
    /// Rule concerned, if known.
    pub rule: Option<String>,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if let Some(rule) = &self.rule {
            write!(f, "rule `{rule}`: ")?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for RuleError {}

/// Whose rules they are: built-in ones are held to stricter rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Shipped with keycull: bounded patterns, examples, no surprises.
    BuiltIn,
    /// Written by a user: unbounded patterns are cut to [`MAX_REACH`]; no `[[provider]]` blocks.
    User,
}

/// One rule with all the ways it is found, before rules are numbered.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The rule.
    pub rule: Rule,
    branches: Vec<Branch>,
    entries: Vec<DraftEntry>,
    patterns: Vec<Pattern>,
    formats: Vec<FormatUse>,
    class: Option<NameClass>,
}

impl Draft {
    /// A rule that something else than the tables finds.
    #[must_use]
    pub fn bare(rule: Rule) -> Self {
        Self {
            rule,
            branches: Vec::new(),
            entries: Vec::new(),
            patterns: Vec::new(),
            formats: Vec::new(),
            class: None,
        }
    }
}

/// Reads one rule file. `file` is its name for messages; its stem is the default provider.
///
/// # Errors
/// All mistakes of the file, not just the first.
pub fn parse_file(file: &str, text: &str, trust: Trust) -> Result<Vec<Draft>, Vec<RuleError>> {
    let error = |line, rule: Option<&str>, reason: String| RuleError {
        file: file.to_owned(),
        line,
        rule: rule.map(str::to_owned),
        reason,
    };
    let line_at = |offset: usize| text[..offset.min(text.len())].bytes().filter(|&b| b == b'\n').count() + 1;
    let parsed: RuleFile = toml::from_str(text).map_err(|e| {
        let line = e.span().map_or(1, |span| line_at(span.start));
        vec![error(line, None, e.message().trim().to_owned())]
    })?;
    let mut errors = Vec::new();
    if parsed.schema != 1 {
        errors.push(error(1, None, format!("schema {} is not known; this version reads 1", parsed.schema)));
    }
    if trust == Trust::User
        && let Some(block) = parsed.provider.first()
    {
        let line = line_at(block.span().start);
        let reason = "a [[provider]] block is not taken from a rule file; it belongs in a file named with \
                      --revokers, outside the scanned tree";
        errors.push(error(line, None, reason.to_owned()));
    }
    let stem = file.rsplit(['/', '\\']).next().unwrap_or(file).trim_end_matches(".toml");
    let mut drafts = Vec::new();
    for spanned in &parsed.rule {
        let line = line_at(spanned.span().start);
        let def = spanned.get_ref();
        match draft(def, stem, trust) {
            Ok(draft) => drafts.push(draft),
            Err(reason) => errors.push(error(line, Some(&def.id), reason)),
        }
    }
    if errors.is_empty() { Ok(drafts) } else { Err(errors) }
}

/// Numbers `drafts` and builds the tables. `digest` identifies the rules for reports and caches.
///
/// # Errors
/// Two rules with one id, two generic rules for one class, a companion that does not exist.
pub fn assemble(drafts: Vec<Draft>, digest: u64) -> Result<RuleSet, String> {
    let mut seen = BTreeSet::new();
    for draft in &drafts {
        if !seen.insert(draft.rule.id.to_string()) {
            return Err(format!("two rules are called `{}`", draft.rule.id));
        }
    }
    let words: BTreeSet<&String> =
        drafts.iter().flat_map(|d| &d.entries).flat_map(|(words, _)| words).collect();
    let words: Vec<String> = words.into_iter().cloned().collect();
    let word_id: BTreeMap<&str, u16> =
        words.iter().enumerate().map(|(i, word)| (word.as_str(), i as u16)).collect();

    let (mut rules, mut branches, mut entries) = (Vec::new(), Vec::new(), Entries::default());
    let (mut patterns, mut formats, mut generic) = (Vec::new(), Vec::new(), [None; 6]);
    for (number, draft) in drafts.iter().enumerate() {
        let number = number as u16;
        branches.extend(draft.branches.iter().map(|b| Branch { rule: number, ..b.clone() }));
        patterns.extend(draft.patterns.iter().map(|p| Pattern { rule: number, ..p.clone() }));
        formats.extend(draft.formats.iter().map(|f| FormatUse { rule: number, ..f.clone() }));
        for (names, value) in &draft.entries {
            let mut ids: Vec<u16> = names.iter().map(|name| word_id[name.as_str()]).collect();
            ids.sort_unstable();
            ids.dedup();
            entries.push(number, &ids, value)?;
        }
        if let Some(class) = draft.class
            && generic[class as usize].replace(number).is_some()
        {
            return Err(format!("two rules serve the generic class `{}`", class.as_str()));
        }
        rules.push(draft.rule.clone());
    }
    let words: Vec<Text> = words.into_iter().map(Cow::Owned).collect();
    let tables = Tables::build(&Parts {
        branches: &branches,
        entries: &entries,
        patterns: &patterns,
        formats: &formats,
        words: &words,
        has_generic: generic.iter().any(Option::is_some),
    });
    Ok(RuleSet {
        rules: Cow::Owned(rules),
        branches: Cow::Owned(branches),
        entries,
        patterns: Cow::Owned(patterns),
        formats: Cow::Owned(formats),
        words: Cow::Owned(words),
        generic,
        tables,
        digest,
    })
}

/// Takes a rule set apart again, to add or leave out rules.
#[must_use]
pub fn drafts_of(set: &RuleSet) -> Vec<Draft> {
    let word = |id: &u16| set.words[usize::from(*id)].to_string();
    let entries = |number: u16| {
        let entries = set.entries.of_rule(number);
        entries.map(|entry| (entry.words.iter().map(word).collect(), entry.value.to_vec()))
    };
    let draft = |(number, rule): (usize, &Rule)| {
        let number = number as u16;
        Draft {
            rule: rule.clone(),
            branches: set.branches.iter().filter(|b| b.rule == number).cloned().collect(),
            entries: entries(number).collect(),
            patterns: set.patterns.iter().filter(|p| p.rule == number).cloned().collect(),
            formats: set.formats.iter().filter(|f| f.rule == number).cloned().collect(),
            class: NameClass::ALL.into_iter().find(|&class| set.generic[class as usize] == Some(number)),
        }
    };
    set.rules.iter().enumerate().map(draft).collect()
}

/// 64-bit FNV-1a over `parts`, for [`assemble`].
#[must_use]
pub fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3);
    parts.into_iter().fold(0xCBF2_9CE4_8422_2325, |hash, part| part.iter().fold(step(hash, &0xFF), step))
}

fn draft(def: &RuleDef, stem: &str, trust: Trust) -> Result<Draft, String> {
    check_id(&def.id)?;
    let kind = Kind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == def.kind)
        .ok_or_else(|| format!("kind `{}` is not one of token, assignment, block, uri, generic", def.kind))?;
    for (field, text) in [("name", &def.name), ("description", &def.description)] {
        if text.trim().is_empty() {
            return Err(format!("{field} is empty"));
        }
    }
    if trust == Trust::BuiltIn && (def.examples.is_empty() || def.negatives.is_empty()) {
        return Err("needs at least one example and one negative".to_owned());
    }
    let mut draft = Draft {
        rule: rule(def, kind, stem)?,
        branches: Vec::new(),
        entries: Vec::new(),
        patterns: Vec::new(),
        formats: Vec::new(),
        class: None,
    };
    check_fields(def, kind)?;
    if let Some(pattern) = &def.pattern {
        draft.patterns.push(compile_pattern(def, pattern, trust)?);
    }
    match kind {
        Kind::Token if def.pattern.is_none() => draft.branches = compile_branches(def)?,
        Kind::Assignment if def.pattern.is_none() => draft.entries = compile_entries(def)?,
        Kind::Block | Kind::Uri if def.pattern.is_none() => draft.formats.push(compile_format(def)?),
        Kind::Generic => draft.class = Some(compile_class(def)?),
        Kind::Token | Kind::Assignment | Kind::Block | Kind::Uri | Kind::Imported => {}
    }
    Ok(draft)
}

fn check_id(id: &str) -> Result<(), String> {
    let kebab = id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let neat = !id.is_empty() && !id.starts_with('-') && !id.ends_with('-') && !id.contains("--");
    if kebab && neat { Ok(()) } else { Err(format!("id `{id}` is not kebab-case")) }
}

/// A field that the rule's kind does not use is a mistake, not a comment.
fn check_fields(def: &RuleDef, kind: Kind) -> Result<(), String> {
    let given = [
        ("prefix", !def.prefix.is_empty(), kind == Kind::Token),
        ("body", !def.body.is_empty(), kind == Kind::Token),
        ("before", def.before.is_some(), kind == Kind::Token),
        ("ignore_case", def.ignore_case, kind == Kind::Token),
        ("words", !def.words.is_empty(), kind == Kind::Assignment),
        ("value", !def.value.is_empty(), kind == Kind::Assignment),
        ("format", def.format.is_some(), matches!(kind, Kind::Block | Kind::Uri)),
        ("labels", !def.labels.is_empty(), matches!(kind, Kind::Block | Kind::Uri)),
        ("class", def.class.is_some(), kind == Kind::Generic),
        ("keywords", !def.keywords.is_empty(), def.pattern.is_some()),
        ("secret", def.secret.is_some(), kind == Kind::Token || def.pattern.is_some()),
    ];
    let stray = given.iter().find(|(_, is_given, used)| *is_given && !used);
    if let Some((field, _, _)) = stray {
        return Err(format!("`{field}` is not used by kind `{}` here", def.kind));
    }
    if def.pattern.is_some() && (!def.prefix.is_empty() || !def.words.is_empty() || def.format.is_some()) {
        return Err("`pattern` stands alone; it cannot be combined with prefix, words or format".to_owned());
    }
    Ok(())
}

fn rule(def: &RuleDef, kind: Kind, stem: &str) -> Result<Rule, String> {
    let owned = |list: &[String]| Cow::Owned(list.iter().cloned().map(Cow::Owned).collect::<Vec<Text>>());
    let severity: Severity = def.severity.parse().map_err(|e| format!("severity: {e}"))?;
    let confidence = match &def.confidence {
        Some(text) => text.parse().map_err(|e| format!("confidence: {e}"))?,
        None if matches!(kind, Kind::Token | Kind::Block) => Confidence::High,
        None => Confidence::Medium,
    };
    let checksum = def
        .checksum
        .as_ref()
        .map(|name| Algorithm::from_name(name).ok_or_else(|| format!("unknown checksum `{name}`")))
        .transpose()?;
    let test = def.test_key.clone().unwrap_or_default();
    let test_severity = match &test.severity {
        Some(text) => text.parse().map_err(|e| format!("test_key.severity: {e}"))?,
        None => Severity::Low,
    };
    let markers = if matches!(def.secret, Some(SecretField::Name(ref part)) if part == "body") {
        &[]
    } else {
        def.prefix.as_slice()
    };
    let entropy = def.min_entropy.unwrap_or(0.0);
    if !(0.0..=8.0).contains(&entropy) {
        return Err(format!("min_entropy {entropy} is not between 0 and 8 bits per character"));
    }
    let companion = |c: &super::schema::CompanionDef| Companion {
        rule: Cow::Owned(c.rule.clone()),
        within_lines: c.within_lines,
        required: c.required,
        part_of: c.part_of,
    };
    Ok(Rule {
        id: Cow::Owned(def.id.clone()),
        name: Cow::Owned(def.name.clone()),
        description: Cow::Owned(def.description.trim().to_owned()),
        provider: Cow::Owned(def.provider.clone().unwrap_or_else(|| stem.to_owned())),
        kind,
        severity,
        confidence,
        public: def.public,
        chosen: def.chosen,
        min_entropy: (entropy * 100.0).round() as u16,
        checksum,
        test_markers: owned(&test.contains),
        test_severity,
        companions: Cow::Owned(def.companions.iter().map(companion).collect()),
        markers: owned(markers),
        examples: texts("examples", &def.examples)?,
        negatives: texts("negatives", &def.negatives)?,
        references: texts("references", &def.references)?,
        rotate: Cow::Owned(def.rotate.clone().unwrap_or_default().trim().to_owned()),
        evidence: Cow::Owned(def.evidence.clone().unwrap_or_default()),
        cost_reason: Cow::Owned(def.cost_reason.clone().unwrap_or_default()),
    })
}

fn compile_branches(def: &RuleDef) -> Result<Vec<Branch>, String> {
    if def.prefix.is_empty() || def.body.is_empty() {
        return Err("a token rule needs `prefix` and `body`, or `pattern`".to_owned());
    }
    let before = match &def.before {
        Some(text) => shape::parse(text).map_err(|e| format!("before: {e}"))?,
        None => Vec::new(),
    };
    let secret_is_body = match &def.secret {
        None => false,
        Some(SecretField::Name(part)) if part == "all" => false,
        Some(SecretField::Name(part)) if part == "body" => true,
        Some(_) => return Err("`secret` of a token rule is \"all\" or \"body\"".to_owned()),
    };
    let mut branches = Vec::new();
    for prefix in def.prefix.as_slice() {
        for body in def.body.as_slice() {
            let body = shape::parse(body).map_err(|e| format!("body `{body}`: {e}"))?;
            branches.push(branch(prefix, &before, body, def.ignore_case, secret_is_body)?);
        }
    }
    Ok(branches)
}

fn branch(
    prefix: &str,
    before: &[Item],
    body: Vec<Item>,
    fold: bool,
    secret_is_body: bool,
) -> Result<Branch, String> {
    let bytes = prefix.as_bytes();
    if !(2..=MAX_LITERAL).contains(&bytes.len()) {
        return Err(format!("prefix `{prefix}` is not 2 to {MAX_LITERAL} bytes long"));
    }
    let further = shape::min_len(&body) + shape::min_len(before);
    if bytes.len() <= 3 && further < MIN_RUN {
        return Err(format!("prefix `{prefix}` is short: it needs at least {MIN_RUN} further characters"));
    }
    let in_run = bytes.iter().all(|&b| ByteSet::RUN.has(b));
    let leading = shape::leading_in(&body, &ByteSet::RUN);
    let ends_run = bytes.last().is_some_and(|&b| !ByteSet::RUN.has(b));
    let find = if before.is_empty() && in_run && bytes.len() + leading >= MIN_RUN {
        Find::Head
    } else if before.is_empty() && ends_run && leading >= MIN_RUN {
        Find::Tail
    } else if bytes.len() >= 3 {
        Find::Literal
    } else {
        return Err(format!("prefix `{prefix}` is too short to look for in the whole text"));
    };
    let last_class = match body.last() {
        Some(Item::Run { set, .. }) => *set,
        Some(Item::Lit(_)) | None => ByteSet::EMPTY,
    };
    Ok(Branch {
        rule: 0,
        before: Cow::Owned(before.to_vec()),
        prefix: Cow::Owned(bytes.to_vec()),
        fold,
        body: Cow::Owned(body),
        secret_is_body,
        not_after: ByteSet::WORD.union(last_class),
        find,
    })
}

/// Words of a name and the shape of its value.
type DraftEntry = (Vec<String>, Vec<Item>);

/// The `list` of that name.
fn texts(name: &str, list: &[String]) -> Result<Texts, String> {
    Texts::new(list.iter().map(String::as_str)).map_err(|text| format!("{name}: {text:?} holds a NUL"))
}

fn compile_entries(def: &RuleDef) -> Result<Vec<DraftEntry>, String> {
    if def.words.is_empty() || def.value.is_empty() {
        return Err("an assignment rule needs `words` and `value`, or `pattern`".to_owned());
    }
    let mut entries = Vec::new();
    for alternative in def.words.as_slice() {
        let words: Vec<String> = alternative.split_whitespace().map(str::to_owned).collect();
        if let Some(bad) =
            words.iter().find(|w| !w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
        {
            return Err(format!("word `{bad}` is not lower-case letters and digits"));
        }
        if words.iter().all(|word| is_common(word)) {
            return Err(format!("words `{alternative}` are all common; name whose credential it is"));
        }
        for value in def.value.as_slice() {
            let items = shape::parse(value).map_err(|e| format!("value `{value}`: {e}"))?;
            if shape::longest_in(&items, &ByteSet::RUN) < MIN_RUN {
                return Err(format!(
                    "value `{value}` need not have {MIN_RUN} characters of [A-Za-z0-9_+/-] in a row; the engine \
                     would not see it"
                ));
            }
            entries.push((words.clone(), items));
        }
    }
    Ok(entries)
}

fn compile_format(def: &RuleDef) -> Result<FormatUse, String> {
    let name = def.format.as_deref().ok_or("a block or uri rule needs `format`, or `pattern`")?;
    let format = Format::from_name(name).ok_or_else(|| format!("unknown format `{name}`"))?;
    let labels: Vec<Text> = def.labels.as_slice().iter().cloned().map(Cow::Owned).collect();
    Ok(FormatUse { rule: 0, format, labels: Cow::Owned(labels) })
}

fn compile_class(def: &RuleDef) -> Result<NameClass, String> {
    let name = def.class.as_deref().ok_or("a generic rule needs `class`")?;
    NameClass::ALL.into_iter().find(|class| class.as_str() == name).ok_or_else(|| {
        format!("unknown class `{name}`: expected password, secret, token, key, auth or other")
    })
}

fn compile_pattern(def: &RuleDef, pattern: &str, trust: Trust) -> Result<Pattern, String> {
    let hir = regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .build()
        .parse(pattern)
        .map_err(|e| format!("pattern: {e}"))?;
    let properties = hir.properties();
    if properties.minimum_len() == Some(0) {
        return Err("pattern matches the empty text".to_owned());
    }
    let reach = match properties.maximum_len() {
        Some(len) if len <= MAX_REACH => len,
        Some(len) if trust == Trust::BuiltIn => {
            return Err(format!("pattern can match {len} bytes; at most {MAX_REACH} are allowed"));
        }
        None if trust == Trust::BuiltIn => {
            return Err("pattern has an unbounded repetition; give every `*`, `+` and `{n,}` an upper bound"
                .to_owned());
        }
        Some(_) | None => MAX_REACH,
    };
    let given: Vec<String> = def.keywords.as_slice().iter().map(|k| k.to_ascii_lowercase()).collect();
    let keywords = if given.is_empty() && trust == Trust::User { literal::keywords(&hir) } else { given };
    let keywords: Vec<Text> = keywords.into_iter().map(Cow::Owned).collect();
    if let Some(bad) = keywords.iter().find(|keyword| !(3..=MAX_LITERAL).contains(&keyword.len())) {
        return Err(format!("keyword `{bad}` is not 3 to {MAX_LITERAL} bytes long"));
    }
    if trust == Trust::BuiltIn && keywords.is_empty() {
        return Err("a pattern needs `keywords`".to_owned());
    }
    let group = match &def.secret {
        None => Group::First,
        Some(SecretField::Group(number)) => Group::Number(
            u16::try_from(*number)
                .ok()
                .filter(|&n| usize::from(n) <= properties.explicit_captures_len())
                .ok_or_else(|| format!("pattern has no group {number}"))?,
        ),
        Some(SecretField::Name(name)) if pattern.contains(&format!("<{name}>")) => {
            Group::Named(Cow::Owned(name.clone()))
        }
        Some(SecretField::Name(name)) => return Err(format!("pattern has no group called `{name}`")),
    };
    Ok(Pattern {
        rule: 0,
        regex: Cow::Owned(pattern.to_owned()),
        keywords: Cow::Owned(keywords),
        group,
        reach: reach as u32,
    })
}
