//! `pre-push`: what the remote does not have.

use std::io::{self, IsTerminal, Read};
use std::path::Path;

use crate::finding::Oid;
use crate::hook;
use crate::hook::push::{self, RefUpdate};
use crate::source::git::Repository;
use crate::source::git::range::RangeOptions;

use super::super::failure::{Failure, Outcome};
use super::super::gate::Gate;
use super::super::settings::Settings;
use super::super::shelf::Shelf;
use super::super::{rule_choice, scan};
use super::advice::Circumstances;
use super::run::Hook;

/// Most bytes of a list of refs: about half a million refs.
const MAX_LIST: u64 = 128 << 20;

impl Hook<'_> {
    /// What a push would give the remote.
    pub(super) fn push(&self) -> Outcome<u8> {
        let repository = self.repository()?;
        let settings = self.settings(repository.work_dir())?;
        let (include, exclude) = if self.environment.get("PRE_COMMIT").is_some() {
            self.framework_push(&repository)?
        } else {
            let refs = push::outgoing(&list()?).map_err(Failure::new)?;
            let remote = self.args.arguments.first().map(|name| name.to_string_lossy());
            (new_objects(&refs), has(&repository, remote.as_deref(), &refs))
        };
        if include.is_empty() {
            return Ok(0);
        }
        self.range(repository, &settings, RangeOptions::of_objects("what is pushed", include, exclude))
    }

    /// Scans a range and tells about it.
    pub(super) fn range(
        &self,
        repository: Repository,
        settings: &Settings,
        options: RangeOptions,
    ) -> Outcome<u8> {
        let engine = rule_choice::engine(&settings.rules)?;
        let scope = scan::range(options, settings, settings.exclude_globs()?);
        let request = self.request(settings, &engine, Some(repository), scope)?;
        let scanned = self.scan(settings, &engine, request)?;
        self.tell(&scanned, settings, Circumstances::default())
    }

    /// Scans a range that the framework is run for by hand, mostly in a pipeline: the base side decides.
    pub(super) fn gate(&self, repository: Repository, options: RangeOptions) -> Outcome<u8> {
        let gate = Gate::of(&repository, &options).filter(|_| !self.args.config.head_decides());
        let shelf = gate.as_ref().map_or(Shelf::Disk, Gate::base);
        let root = repository.work_dir();
        let settings = self.settings_from(root, &shelf)?;
        let read = |shelf: &Shelf<'_>| self.settings_from(root, shelf).ok();
        let not_in_force = gate.as_ref().map(|gate| gate.added(&settings, read)).unwrap_or_default();
        let engine = rule_choice::engine_from(&settings.rules, &shelf)?;
        let scope = scan::range(options, &settings, settings.exclude_globs()?);
        let mut request = self.request_from(&settings, &engine, None, scope, &shelf)?;
        request.triage.honour_markers = gate.is_none() || settings.allow_new_markers;
        request.not_in_force = not_in_force;
        drop((gate, shelf));
        request.repository = Some(repository);
        let scanned = self.scan(&settings, &engine, request)?;
        self.tell(&scanned, &settings, Circumstances::default())
    }

    /// The range of a push that the pre-commit framework tells about: one ref only, and of a
    /// branch that the remote has nothing of only its name.
    fn framework_push(&self, repository: &Repository) -> Outcome<(Vec<Oid>, Vec<Oid>)> {
        let text = |name: &str| self.environment.get(name).map(|value| value.to_string_lossy().into_owned());
        let tip = text("PRE_COMMIT_TO_REF").or_else(|| text("PRE_COMMIT_LOCAL_BRANCH"));
        let tip = self.object(tip.as_deref().unwrap_or("HEAD"))?;
        let remote = text("PRE_COMMIT_REMOTE_NAME");
        let mut exclude = has(repository, remote.as_deref().or(Some("")), &[]);
        if let Some(from) = text("PRE_COMMIT_FROM_REF").filter(|_| remote.is_none()) {
            exclude.push(self.object(&from)?);
        }
        Ok((vec![tip], exclude))
    }

    /// The range the pre-commit framework is run for by hand: `--from-ref` and `--to-ref`.
    pub(super) fn framework_range(&self) -> Outcome<Option<RangeOptions>> {
        let text = |name: &str| self.environment.get(name).map(|value| value.to_string_lossy().into_owned());
        if text("PRE_COMMIT").is_none() {
            return Ok(None);
        }
        let (Some(from), Some(to)) = (text("PRE_COMMIT_FROM_REF"), text("PRE_COMMIT_TO_REF")) else {
            return Ok(None);
        };
        let name = format!("range {from}..{to}");
        Ok(Some(RangeOptions::of_objects(name, [self.object(&to)?], [self.object(&from)?])))
    }

    fn object(&self, name: &str) -> Outcome<Oid> {
        let text = hook::resolve(self.here, name).map_err(super::failure)?;
        text.parse().map_err(|_| Failure::new(format!("`{name}` leads to no object")))
    }
}

/// The list of refs on standard input.
pub(super) fn list() -> Outcome<String> {
    if io::stdin().is_terminal() {
        return Err(Failure::new("this hook reads the refs of a push from standard input")
            .hint("git writes them there; by hand: keycull scan --range origin/main..HEAD"));
    }
    let mut text = String::new();
    io::stdin()
        .lock()
        .take(MAX_LIST)
        .read_to_string(&mut text)
        .map_err(|error| Failure::from(error).context("cannot read the list of refs"))?;
    Ok(text)
}

/// What the refs are to name.
pub(super) fn new_objects(refs: &[RefUpdate]) -> Vec<Oid> {
    refs.iter().filter_map(|moved| moved.new).collect()
}

/// What the remote has, as far as is known here: what it said just now about the refs that are
/// pushed, and what its other branches named when they were last fetched or pushed.
///
/// `remote` is a name, or an address that has none; empty stands for all remotes.
fn has(repository: &Repository, remote: Option<&str>, refs: &[RefUpdate]) -> Vec<Oid> {
    let mut all: Vec<Oid> = refs.iter().filter_map(|moved| moved.old).collect();
    let named = remote.filter(|name| !Path::new(name).is_absolute() && !name.contains(':'));
    if let Some(name) = named {
        let slash = if name.is_empty() { "" } else { "/" };
        all.extend(repository.ref_targets(&format!("refs/remotes/{name}{slash}")));
    }
    all
}
