//! Gates over ranges and pushes: which side decides, and what the other would like to silence.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::config::{AllowEntry, Baseline, Place};
use crate::finding::{InertEntry, Inertness, Oid};
use crate::import::ignores;
use crate::source::git::range::RangeOptions;
use crate::source::git::{Repository, commit_of};

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
        let base = self.base();
        let known = known(force, &base);
        let mut added = Vec::new();
        for tip in &self.tips {
            let shelf = Shelf::Commit { repository: self.repository, commit: *tip, root: self.root.clone() };
            added.extend(not_read(&self.root, Some(&base), &shelf));
            match read(&shelf) {
                Some(head) => added.extend(compare(force, &known, &head, &self::known(&head, &shelf))),
                None => added.push(unusable("the tip of the range")),
            }
        }
        sorted(added)
    }
}

/// Entries that a push to a server adds: what `read` makes of its `tips`, without what is in
/// `force` there. `base` is the commit whose files count.
pub(super) fn pushed(
    repository: &Repository,
    base: Option<Oid>,
    tips: &[Oid],
    force: &Settings,
    read: impl Fn(&Shelf<'_>) -> Option<Settings>,
) -> Vec<InertEntry> {
    let shelf = |commit| Shelf::Bare { repository, commit };
    let base = base.map(shelf);
    // The operator's own baseline is on disk; that of a commit is among the settings.
    let known = |settings: &Settings| known(settings, &Shelf::Disk);
    let in_force = known(force);
    let mut added = Vec::new();
    for tip in tips.iter().filter_map(|tip| commit_of(repository, tip)) {
        let tip = shelf(tip);
        added.extend(not_read(Path::new(""), base.as_ref(), &tip));
        match read(&tip) {
            Some(head) => added.extend(compare(force, &in_force, &head, &known(&head))),
            None => added.push(unusable("what is pushed")),
        }
    }
    sorted(added)
}

/// The known secrets of `settings`, whose files `shelf` holds.
fn known(settings: &Settings, shelf: &Shelf<'_>) -> Baseline {
    let file = settings.baseline.as_ref().and_then(|file| baseline::read(&file.value, shelf).ok());
    let mut known = file.unwrap_or_default();
    settings.known.entries().iter().for_each(|entry| {
        known.insert(entry.clone());
    });
    known
}

/// What `head`, with the baseline `new`, would silence beyond what is in `force`, with the baseline `old`.
fn compare(force: &Settings, old: &Baseline, head: &Settings, new: &Baseline) -> Vec<InertEntry> {
    const CAME: &str = "it came with these changes and does not count here";
    let mut added = Vec::new();
    let held = |new: &AllowEntry| force.allow.iter().any(|old| same(old, new));
    let fresh = head.allow.iter().filter(|new| !held(new));
    added.extend(fresh.map(|new| entry(&format!("{} [[allow]]", new.place.short()), CAME)));
    for (name, new, old) in [
        ("exclude", &head.exclude, &force.exclude),
        ("rules.exclude", &head.rules.exclude, &force.rules.exclude),
        ("rules.select", &head.rules.select, &force.rules.select),
    ] {
        let fresh = new.iter().filter(|given| old.iter().all(|known| known.value != given.value));
        added.extend(
            fresh.map(|given| entry(&format!("{} ({name} {:?})", given.place.short(), given.value), CAME)),
        );
    }
    let fresh = new
        .entries()
        .iter()
        .filter(|entry| old.get(&entry.fingerprint).is_none_or(|known| known.until != entry.until));
    added.extend(fresh.map(|new| entry(&new.named(), CAME)));
    let texts = |settings: &Settings| settings.rules.imported.as_ref().map(|config| config.texts.clone());
    if texts(head).is_some() && texts(head) != texts(force) {
        let file = head.rules.imported.as_ref().and_then(|config| config.file.file_name());
        let name = file.map_or_else(String::new, |name| name.display().to_string());
        added.push(entry(&name, "it was changed with these changes, and the base side's counts here"));
    }
    added
}

/// What the ignore files of other tools below `root` gained: no scan reads them, but who wrote it may
/// think so.
fn not_read(root: &Path, base: Option<&Shelf<'_>>, tip: &Shelf<'_>) -> Vec<InertEntry> {
    let mut added = Vec::new();
    for name in ignores::NAMES {
        let text = |shelf: &Shelf<'_>| shelf.text(&root.join(name)).unwrap_or_default();
        let (old, new) = (base.map(text).unwrap_or_default(), text(tip));
        let old: BTreeSet<&str> = old.lines().map(str::trim).collect();
        let says = |line: &str| !line.is_empty() && !line.starts_with('#') && !old.contains(line);
        let fresh = (1..).zip(new.lines().map(str::trim)).filter(|(_, line)| says(line));
        added.extend(fresh.map(|(number, _)| {
            entry(&format!("{name}:{number}"), "no scan reads this file; `keycull migrate` carries it over")
        }));
    }
    added
}

fn unusable(whose: &str) -> InertEntry {
    entry("settings", &format!("{whose} has settings that cannot be used"))
}

fn sorted(mut entries: Vec<InertEntry>) -> Vec<InertEntry> {
    entries.sort();
    entries.dedup();
    entries
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
