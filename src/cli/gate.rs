//! Gates over ranges: which side decides, and what the range would like to silence.

use std::path::PathBuf;

use crate::config::{AllowEntry, Place};
use crate::finding::{InertEntry, Inertness, Oid};
use crate::source::git::Repository;
use crate::source::git::range::RangeOptions;

use super::baseline;
use super::settings::Settings;
use super::shelf::Shelf;

/// A range with a base side.
pub(super) struct Gate<'r> {
    repository: &'r Repository,
    base: Oid,
    tips: Vec<Oid>,
    /// Stands for the root of the working tree.
    pub(super) root: PathBuf,
}

impl<'r> Gate<'r> {
    /// The gate that a scan of `options` is; none when the range has no base side.
    pub(super) fn of(repository: &'r Repository, options: &RangeOptions) -> Option<Self> {
        let base = *options.exclude.first()?;
        let root = repository.work_dir().unwrap_or(repository.git_dir()).to_owned();
        Some(Self { repository, base, tips: options.include.clone(), root })
    }

    /// What the base side says.
    pub(super) fn base(&self) -> Shelf<'r> {
        Shelf::Commit { repository: self.repository, commit: self.base, root: self.root.clone() }
    }

    /// Entries that the range adds: what `read` makes of its tips, without what is in `force`.
    pub(super) fn added(
        &self,
        force: &Settings,
        read: impl Fn(&Shelf<'_>) -> Option<Settings>,
    ) -> Vec<InertEntry> {
        let mut added = Vec::new();
        for tip in &self.tips {
            let shelf = Shelf::Commit { repository: self.repository, commit: *tip, root: self.root.clone() };
            let Some(head) = read(&shelf) else {
                added.push(entry("settings", "the tip of the range has settings that cannot be used"));
                continue;
            };
            let old = |new: &AllowEntry| force.allow.iter().any(|old| same(old, new));
            added.extend(head.allow.iter().filter(|new| !old(new)).map(|new| {
                entry(
                    &format!("{} [[allow]]", new.place.short()),
                    "it came with these changes and does not count here",
                )
            }));
            for (name, new, old) in [
                ("exclude", &head.exclude, &force.exclude),
                ("rules.exclude", &head.rules.exclude, &force.rules.exclude),
                ("rules.select", &head.rules.select, &force.rules.select),
            ] {
                let fresh = new.iter().filter(|given| old.iter().all(|known| known.value != given.value));
                added.extend(fresh.map(|given| {
                    let what = format!("{} ({name} {:?})", given.place.short(), given.value);
                    entry(&what, "it came with these changes and does not count here")
                }));
            }
            added.extend(self.baseline(force, &head, &shelf));
            let texts =
                |settings: &Settings| settings.rules.imported.as_ref().map(|config| config.texts.clone());
            if texts(&head).is_some() && texts(&head) != texts(force) {
                let file = head.rules.imported.as_ref().and_then(|config| config.file.file_name());
                let name = file.map_or_else(String::new, |name| name.display().to_string());
                added
                    .push(entry(&name, "it was changed with these changes, and the base side's counts here"));
            }
        }
        added.sort();
        added.dedup();
        added
    }

    fn baseline(&self, force: &Settings, head: &Settings, shelf: &Shelf<'_>) -> Vec<InertEntry> {
        let read = |settings: &Settings, shelf: &Shelf<'_>| {
            settings
                .baseline
                .as_ref()
                .and_then(|file| baseline::read(&file.value, shelf).ok())
                .unwrap_or_default()
        };
        let (old, new) = (read(force, &self.base()), read(head, shelf));
        let fresh = new
            .entries()
            .iter()
            .filter(|entry| old.get(&entry.fingerprint).is_none_or(|known| known.until != entry.until));
        fresh
            .map(|added| entry(&added.named(), "it came with these changes and does not count here"))
            .collect()
    }
}

fn entry(entry: &str, text: &str) -> InertEntry {
    InertEntry { entry: entry.to_owned(), why: Inertness::NotInForce, text: text.to_owned() }
}

/// Whether both say the same, wherever they stand.
fn same(one: &AllowEntry, other: &AllowEntry) -> bool {
    let bare = |entry: &AllowEntry| {
        let mut bare = AllowEntry { place: Place::Flag("entry"), ..entry.clone() };
        for given in bare.rules.iter_mut().chain(&mut bare.paths) {
            given.place = Place::Flag("entry");
        }
        bare
    };
    bare(one) == bare(other)
}
