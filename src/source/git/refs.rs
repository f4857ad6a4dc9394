//! Names and tips: refs, detached heads of worktrees, and what only reflogs remember.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use gix::ObjectId;

use super::reftable::{self, Move, Stack, Target};
use super::repository::{Repository, chain};
use crate::source::file::read_small;

/// Largest reflog that is read; each move of a branch takes about 200 bytes.
const MAX_REFLOG: u64 = 256 << 20;

/// One ref.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ref {
    /// Full name, for example `refs/heads/main`.
    pub(super) name: Vec<u8>,
    /// The object it names; none for a ref that names another ref.
    pub(super) target: Option<ObjectId>,
}

/// All refs of a repository.
#[derive(Clone, Debug, Default)]
pub(super) struct Refs {
    /// Sorted by name.
    pub(super) list: Vec<Ref>,
    /// What could not be read: name or place, and why.
    pub(super) broken: Vec<(String, String)>,
}

/// Reads all refs.
pub(super) fn read(repository: &Repository) -> Refs {
    if repository.uses_reftable() {
        return from_tables(repository);
    }
    let mut refs = Refs::default();
    let local = repository.local();
    let platform = match local.references() {
        Ok(platform) => platform,
        Err(error) => return Refs { broken: vec![("refs".to_owned(), chain(&error))], ..refs },
    };
    match platform.all() {
        Ok(all) => {
            for found in all {
                match found {
                    Ok(found) => refs.list.push(Ref {
                        name: found.name().as_bstr().to_vec(),
                        target: found.target().try_id().map(ToOwned::to_owned),
                    }),
                    Err(error) => refs.broken.push(("a ref".to_owned(), chain(&error))),
                }
            }
        }
        Err(error) => refs.broken.push(("refs".to_owned(), chain(&error))),
    }
    refs.list.sort();
    refs.list.dedup();
    refs
}

fn from_tables(repository: &Repository) -> Refs {
    let mut refs = Refs::default();
    for stack in stacks(repository) {
        let targets = stack.refs.into_iter().filter(|(name, _)| name.starts_with(b"refs/"));
        refs.list.extend(targets.map(|(name, target)| Ref {
            name,
            target: match target {
                Target::Object(id) => Some(id),
                Target::Ref(_) => None,
            },
        }));
        refs.broken.extend(stack.broken.into_iter().map(|(table, why)| (table, why.to_owned())));
    }
    refs.list.sort();
    refs.list.dedup();
    refs
}

/// The reftables of the repository and of its linked worktrees; none when it has no reftables.
fn stacks(repository: &Repository) -> Vec<Stack> {
    let dirs = if repository.uses_reftable() { git_dirs(repository) } else { Vec::new() };
    dirs.iter().map(|dir| reftable::read(dir, repository.hash_kind())).collect()
}

/// Git directories of the repository: the shared one and one for each linked worktree.
pub(super) fn git_dirs(repository: &Repository) -> Vec<PathBuf> {
    let common = repository.common_dir();
    let mut all = BTreeSet::from([common.to_owned(), repository.git_dir().to_owned()]);
    if let Ok(worktrees) = fs::read_dir(common.join("worktrees")) {
        all.extend(worktrees.flatten().map(|entry| entry.path()));
    }
    all.into_iter().collect()
}

/// Commits that worktrees have checked out without a branch.
pub(super) fn detached_heads(repository: &Repository) -> Vec<ObjectId> {
    if repository.uses_reftable() {
        let heads = stacks(repository).into_iter().filter_map(|mut stack| stack.refs.remove(&b"HEAD"[..]));
        let detached = |head| match head {
            Target::Object(id) => Some(id),
            Target::Ref(_) => None,
        };
        return heads.filter_map(detached).collect();
    }
    git_dirs(repository)
        .iter()
        .filter_map(|git_dir| read_small(&git_dir.join("HEAD"), 4096))
        .filter_map(|content| ObjectId::from_hex(content.trim_ascii()).ok())
        .collect()
}

/// Every object that a reflog names, sorted; the stash is one of them.
pub(super) fn reflog_ids(repository: &Repository) -> Vec<ObjectId> {
    let mut ids = BTreeSet::new();
    for stack in stacks(repository) {
        ids.extend(stack.log.iter().flat_map(|entry| entry.objects));
    }
    for log in reflog_files(repository) {
        ids_in_reflog(&log, repository.hash_kind().len_in_hex(), &mut ids);
    }
    ids.into_iter().filter(|id| !id.is_null()).collect()
}

/// Files that hold reflogs, sorted.
pub(super) fn reflog_files(repository: &Repository) -> Vec<PathBuf> {
    let mut files = Vec::new();
    git_dirs(repository).iter().for_each(|git_dir| files_below(&git_dir.join("logs"), 0, &mut files));
    files.sort();
    files
}

/// Moves of refs that reftables hold.
pub(super) fn moves(repository: &Repository) -> Vec<Move> {
    stacks(repository).into_iter().flat_map(|stack| stack.log).collect()
}

fn files_below(path: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    // NOTE: links are not followed, since they can lead round in circles; no ref is this deep.
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() && depth < 256 => {
            for entry in fs::read_dir(path).into_iter().flatten().flatten() {
                files_below(&entry.path(), depth + 1, files);
            }
        }
        Ok(found) if found.is_file() => files.push(path.to_owned()),
        Ok(_) | Err(_) => {}
    }
}

fn ids_in_reflog(path: &Path, hex: usize, ids: &mut BTreeSet<ObjectId>) {
    let Some(log) = read_small(path, MAX_REFLOG) else { return };
    for line in log.split(|&byte| byte == b'\n') {
        // Each line begins with the name before and the name after the move.
        let names = [line.get(..hex), line.get(hex + 1..2 * hex + 1)];
        ids.extend(names.into_iter().flatten().filter_map(|name| ObjectId::from_hex(name).ok()));
    }
}
