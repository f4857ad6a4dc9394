//! Which rules a run uses: built-in ones, those of rule files, and what the user picked.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use globset::{Glob, GlobMatcher};

use crate::config::{self, Given};
use crate::engine::Engine;
use crate::engine::imported::Imported;
use crate::rule::RuleSet;
use crate::rule::compile::{Draft, RuleError, Trust, assemble, digest, drafts_of, parse_file};

use super::failure::{Failure, Outcome};
use super::import;
use super::settings::RuleChoice;
use super::shelf::Shelf;

/// Largest rule file read, in bytes.
const MAX_BYTES: u64 = 16 << 20;

/// An engine with the rules of `choice`.
///
/// # Errors
/// A rule file that cannot be used, or an id nobody has.
pub(super) fn engine(choice: &RuleChoice) -> Outcome<Engine> {
    engine_from(choice, &Shelf::Disk)
}

/// An engine with the rules of `choice`, whose files `shelf` holds.
///
/// # Errors
/// As [`engine`].
pub(super) fn engine_from(choice: &RuleChoice, shelf: &Shelf<'_>) -> Outcome<Engine> {
    let untouched = choice.select.is_empty()
        && choice.exclude.is_empty()
        && choice.files.is_empty()
        && choice.tables.is_empty()
        && choice.imported.is_none();
    if untouched {
        return Ok(Engine::builtin());
    }
    let engine = Engine::with_rules(chosen(choice, shelf)?);
    let Some(config) = &choice.imported else { return Ok(engine) };
    let number = |id: &str| engine.rules().by_id(id);
    let imported = Imported::new(Arc::clone(config), number);
    Ok(engine.with_imported(imported))
}

/// The built-in rules with those of `files`.
///
/// # Errors
/// A rule file that cannot be used.
pub(super) fn with_files(files: &[impl AsRef<Path>]) -> Outcome<RuleSet> {
    let mut drafts = drafts_of(RuleSet::builtin());
    for file in files {
        drafts.extend(read(file.as_ref())?);
    }
    joined(drafts, &[])
}

/// The rules of `files` alone, held to what user rules must be.
///
/// # Errors
/// A rule file that cannot be used.
pub(super) fn alone(files: &[impl AsRef<Path>]) -> Outcome<RuleSet> {
    let mut drafts = Vec::new();
    for file in files {
        drafts.extend(read(file.as_ref())?);
    }
    joined(without_strangers(drafts), &[])
}

fn chosen(choice: &RuleChoice, shelf: &Shelf<'_>) -> Outcome<RuleSet> {
    let mut drafts = match &choice.imported {
        Some(config) => import::drafts(config),
        None => drafts_of(RuleSet::builtin()),
    };
    let mut texts: Vec<Vec<u8>> = Vec::new();
    texts.extend(
        choice.imported.iter().flat_map(|config| &config.texts).map(|text| text.clone().into_bytes()),
    );
    for file in &choice.files {
        let text =
            shelf.text(&file.value).map_err(|error| Failure::from(error).context(file.place.clone()))?;
        drafts.extend(parsed(&file.value, &text)?);
        texts.push(text.into_bytes());
    }
    for table in &choice.tables {
        drafts.extend(parsed(&table.file, &table.text)?);
        texts.push(table.text.clone().into_bytes());
    }
    if !choice.select.is_empty() {
        let keep = matching(&drafts, &choice.select)?;
        drafts = drafts.into_iter().zip(keep).filter_map(|(draft, keep)| keep.then_some(draft)).collect();
    }
    if !choice.exclude.is_empty() {
        let drop = matching(&drafts, &choice.exclude)?;
        drafts = drafts.into_iter().zip(drop).filter_map(|(draft, drop)| (!drop).then_some(draft)).collect();
    }
    if drafts.is_empty() {
        return Err(Failure::new("no rule is left to scan with").hint(
            "check --rule and --exclude-rule, and whether an imported configuration has `useDefault = true`; \
             `keycull rules list` shows all rules",
        ));
    }
    joined(without_strangers(drafts), &texts)
}

/// For each draft, whether one of `patterns` names it; every pattern must name one.
fn matching(drafts: &[Draft], patterns: &[Given<String>]) -> Outcome<Vec<bool>> {
    let mut named = vec![false; drafts.len()];
    for pattern in patterns {
        let glob = rule_glob(pattern)?;
        let mut hit = false;
        for (draft, named) in drafts.iter().zip(&mut named) {
            if glob.is_match(draft.rule.id.as_ref()) {
                (*named, hit) = (true, true);
            }
        }
        if !hit {
            return Err(unknown(
                &pattern.value,
                Some(pattern),
                drafts.iter().map(|draft| draft.rule.id.as_ref()),
            ));
        }
    }
    Ok(named)
}

fn rule_glob(pattern: &Given<String>) -> Outcome<GlobMatcher> {
    let glob = Glob::new(&pattern.value).map_err(|error| {
        Failure::new(format!("{}: `{}` is not a glob: {}", pattern.place, pattern.value, error.kind()))
    })?;
    Ok(glob.compile_matcher())
}

/// The failure for an id that no rule of `ids` has.
pub(super) fn unknown<'a>(
    id: &str,
    given: Option<&Given<String>>,
    ids: impl Iterator<Item = &'a str>,
) -> Failure {
    let place = given.map_or_else(String::new, |given| format!("{}: ", given.place));
    let suggestion =
        config::closest(id, ids).map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
    Failure::new(format!("{place}unknown rule `{id}`{suggestion}"))
        .hint("`keycull rules list` shows all rules")
}

/// Companions that are not in the set are forgotten: a partial set is still a set.
fn without_strangers(mut drafts: Vec<Draft>) -> Vec<Draft> {
    let ids: Vec<String> = drafts.iter().map(|draft| draft.rule.id.to_string()).collect();
    for draft in &mut drafts {
        draft.rule.companions.to_mut().retain(|companion| ids.iter().any(|id| *id == companion.rule));
    }
    drafts
}

/// Numbers `drafts`; the digest follows the rules kept and the text of those that were added.
fn joined(drafts: Vec<Draft>, texts: &[Vec<u8>]) -> Outcome<RuleSet> {
    let builtin = RuleSet::builtin().digest.to_le_bytes();
    let ids: Vec<&[u8]> = drafts.iter().map(|draft| draft.rule.id.as_bytes()).collect();
    let digest = digest([builtin.as_slice()].into_iter().chain(ids).chain(texts.iter().map(Vec::as_slice)));
    assemble(drafts, digest).map_err(|reason| {
        Failure::new(reason).hint("rename the rule of your own, or leave one rule file away")
    })
}

fn read(file: &Path) -> Outcome<Vec<Draft>> {
    parsed(file, &text_of(file)?)
}

fn text_of(file: &Path) -> Outcome<String> {
    let failed = |error: std::io::Error| {
        Failure::from(error).context(format!("cannot read the rule file {}", file.display()))
    };
    let about = fs::metadata(file).map_err(failed)?;
    if !about.is_file() {
        return Err(failed(std::io::Error::other("not a regular file")));
    }
    if about.len() > MAX_BYTES {
        return Err(failed(std::io::Error::other(format!("larger than {MAX_BYTES} bytes"))));
    }
    fs::read_to_string(file).map_err(failed)
}

fn parsed(file: &Path, text: &str) -> Outcome<Vec<Draft>> {
    parse_file(&file.to_string_lossy(), text, Trust::User).map_err(|errors| broken(file, &errors))
}

/// The failure for a rule file with mistakes: the first one, and how many more there are.
fn broken(file: &Path, errors: &[RuleError]) -> Failure {
    let first =
        errors.first().map_or_else(|| format!("{}: broken rule file", file.display()), ToString::to_string);
    let more = match errors.len() {
        0 | 1 => String::new(),
        many => format!(" (and {} more)", many - 1),
    };
    let is_rule_file = file.file_name().is_none_or(|name| name != config::FILE_NAME);
    let hint = if is_rule_file {
        format!(
            "`keycull rules check {}` lists every mistake; docs/rules.md describes the format",
            file.display()
        )
    } else {
        "docs/rules.md describes the format of rules".to_owned()
    };
    Failure::new(format!("{first}{more}")).hint(hint)
}
