//! What people write for a range, as object names: `main..topic`, a branch, a date.

use gix::ObjectId;
use gix::hashtable::HashSet;
use gix::objs::Kind;

use super::super::lookup::{Lookup, time_of_commit};
use super::super::objects::parents;
use super::super::refs;
use super::super::repository::{Head, Repository, chain, oid};
use super::RangeOptions;
use crate::finding::Oid;
use crate::source::SourceError;

/// Resolves `A..B` (what B has and A has not), `A...B` (what only one of the two has) and `A^!`
/// (what A alone brings in). A side that is left out is `HEAD`.
///
/// # Errors
/// When the text is no range, or a side of it leads to no commit or tag of this repository; the
/// message names the command that would fetch it.
pub fn resolve(repository: &Repository, text: &str) -> Result<RangeOptions, SourceError> {
    let name = format!("range {text}");
    let side = |side: &str| commit(repository, if side.is_empty() { "HEAD" } else { side });
    if let Some(revision) = text.strip_suffix("^!") {
        let tip = side(revision)?;
        let before = parents_of(repository, &tip)?;
        return Ok(of_range(name, [tip], before));
    }
    if let Some((one, other)) = text.split_once("...") {
        let (one, other) = (side(one)?, side(other)?);
        return Ok(of_range(name, [one, other], merge_bases(repository, one, other)?));
    }
    match text.split_once("..") {
        Some((base, tip)) => Ok(of_range(name, [side(tip)?], [side(base)?])),
        None => Err(SourceError::NoRange { text: text.to_owned() }),
    }
}

/// What `HEAD` has and `revision` has not.
///
/// # Errors
/// As [`resolve`].
pub fn since(repository: &Repository, revision: &str) -> Result<RangeOptions, SourceError> {
    let (base, tip) = (commit(repository, revision)?, commit(repository, "HEAD")?);
    Ok(of_range(format!("commits since {revision}"), [tip], [base]))
}

/// What `HEAD` has and what was committed at `seconds` since 1970 or later; `name` is the report's
/// word for it.
///
/// As in `git log --since`, a line of history ends at its first older commit.
///
/// # Errors
/// When `HEAD` leads to no commit.
pub fn since_time(
    repository: &Repository,
    seconds: i64,
    name: impl Into<String>,
) -> Result<RangeOptions, SourceError> {
    let tip = commit(repository, "HEAD")?;
    let mut objects = Lookup::new(repository);
    let mut older = Vec::new();
    let mut seen: HashSet<ObjectId> = HashSet::default();
    let mut open: Vec<ObjectId> = ObjectId::try_from(tip.as_bytes()).into_iter().collect();
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        // NOTE: what cannot be read is met again, and told, by the scan.
        let Ok(content) = objects.expect(&id, Kind::Commit) else { continue };
        if time_of_commit(content) < seconds {
            older.push(oid(&id));
        } else {
            open.extend(parents(content).flatten());
        }
    }
    older.sort_unstable();
    Ok(of_range(name, [tip], older))
}

/// The whole history of a branch: a local one, else the one of a remote.
///
/// # Errors
/// When there is no such branch.
pub fn branch(repository: &Repository, name: &str) -> Result<RangeOptions, SourceError> {
    let known = refs::read(repository).list;
    let short = name.strip_prefix("refs/heads/").unwrap_or(name);
    let places = [
        format!("refs/heads/{short}"),
        format!("refs/remotes/{short}"),
        format!("refs/remotes/origin/{short}"),
    ];
    let found = places.iter().find(|place| known.iter().any(|one| one.name == place.as_bytes()));
    let tip = match found {
        Some(place) => commit(repository, place)?,
        None => return Err(unknown(repository, name, "there is no such branch")),
    };
    Ok(of_range(format!("branch {short}"), [tip], []))
}

/// Everything that refs and heads of worktrees reach; `name` is the report's word for it.
///
/// # Errors
/// When a ref cannot be read: what it reaches would be missing without a word.
pub fn reachable(repository: &Repository, name: impl Into<String>) -> Result<RangeOptions, SourceError> {
    let refs::Refs { list, broken } = refs::read(repository);
    if let Some((what, why)) = broken.first() {
        return Err(SourceError::Revision {
            revision: what.clone(),
            reason: why.clone(),
            next: "run `git fsck`; a scan of all objects (without --reachable and paths) needs no refs"
                .to_owned(),
        });
    }
    let mut tips: Vec<Oid> = list
        .iter()
        .filter_map(|found| found.target.as_ref())
        .chain(&refs::detached_heads(repository))
        .map(|id| oid(id))
        .collect();
    if let Head::Commit(id) = repository.head() {
        tips.push(id);
    }
    tips.sort_unstable();
    tips.dedup();
    Ok(of_range(name, tips, []))
}

/// [`reachable`], and what only reflogs remember: all history whose paths are known.
///
/// # Errors
/// As [`reachable`].
pub fn history(repository: &Repository, name: impl Into<String>) -> Result<RangeOptions, SourceError> {
    let mut options = reachable(repository, name)?;
    let mut objects = Lookup::new(repository);
    let logged = refs::reflog_ids(repository);
    // NOTE: reflogs name commits that a prune has removed; these are gone, not missing.
    options.include.extend(logged.iter().filter(|id| objects.read(id).is_ok()).map(|id| oid(id)));
    options.include.sort_unstable();
    options.include.dedup();
    Ok(options)
}

fn of_range(
    name: impl Into<String>,
    include: impl IntoIterator<Item = Oid>,
    exclude: impl IntoIterator<Item = Oid>,
) -> RangeOptions {
    RangeOptions { tags: true, ..RangeOptions::of_objects(name, include, exclude) }
}

/// The commit or tag that `revision` names.
fn commit(repository: &Repository, revision: &str) -> Result<Oid, SourceError> {
    let failed = |reason: &str| unknown(repository, revision, reason);
    if revision == "HEAD" {
        match repository.head() {
            Head::Commit(id) => return Ok(id),
            Head::Unborn => return Err(failed("nothing is committed yet")),
            Head::Unknown { reason } => return Err(failed(&reason)),
        }
    }
    let local = repository.local();
    let named = known_to_tables(repository, revision);
    let found = match local.rev_parse_single(named.as_deref().unwrap_or(revision)) {
        Ok(found) => found.detach(),
        Err(error) => {
            let error = chain(&error);
            let ambiguous = error.contains("ambiguous");
            return Err(failed(if ambiguous { &error } else { "there is no such branch, tag or commit" }));
        }
    };
    match Lookup::new(repository).read(&found) {
        Ok((Kind::Commit | Kind::Tag, _)) => Ok(oid(&found)),
        Ok((kind, _)) => Err(failed(&format!("it is a {kind}, not a commit"))),
        Err(unread) => Err(failed(&unread.why)),
    }
}

/// `revision` with the name it begins with replaced by what reftables say it is, since the git
/// library cannot read these.
fn known_to_tables(repository: &Repository, revision: &str) -> Option<String> {
    if !repository.uses_reftable() {
        return None;
    }
    let (name, rest) = revision.split_at(base_of(revision).len());
    let target = match repository.head() {
        Head::Commit(id) if name == "HEAD" => Some(id),
        Head::Commit(_) | Head::Unborn | Head::Unknown { .. } => {
            let refs = refs::read(repository).list;
            let places = ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"];
            let found = places.iter().find_map(|place| {
                let full = format!("{place}{name}");
                refs.iter().find(|one| one.name == full.as_bytes())?.target
            });
            found.map(|id| oid(&id))
        }
    };
    target.map(|id| format!("{id}{rest}"))
}

/// The name that a revision begins with, without what is counted from there (`~2`, `^`, `:path`).
fn base_of(revision: &str) -> &str {
    revision.find(['~', '^', '@', ':']).map_or(revision, |at| &revision[..at])
}

fn parents_of(repository: &Repository, commit: &Oid) -> Result<Vec<Oid>, SourceError> {
    let failed = |why: &str| unknown(repository, &commit.short(12), why);
    let id = ObjectId::try_from(commit.as_bytes()).map_err(|error| failed(&chain(&error)))?;
    let mut objects = Lookup::new(repository);
    let (kind, content) = objects.read(&id).map_err(|unread| failed(&unread.why))?;
    if kind != Kind::Commit {
        return Err(failed(&format!("it is a {kind}, not a commit")));
    }
    Ok(parents(content).flatten().map(|parent| oid(&parent)).collect())
}

fn merge_bases(repository: &Repository, one: Oid, other: Oid) -> Result<Vec<Oid>, SourceError> {
    let local = repository.local();
    let failed = |revision: &Oid, why: String| unknown(repository, &revision.short(12), &why);
    let peeled = |id: &Oid| -> Result<ObjectId, SourceError> {
        let id_of = ObjectId::try_from(id.as_bytes()).map_err(|error| failed(id, chain(&error)))?;
        let object = local.find_object(id_of).map_err(|error| failed(id, chain(&error)))?;
        let commit = object.peel_to_kind(Kind::Commit).map_err(|error| failed(id, chain(&error)))?;
        Ok(commit.id)
    };
    let bases = local
        .merge_bases_many(peeled(&one)?, &[peeled(&other)?])
        .map_err(|error| failed(&one, chain(&error)))?;
    Ok(bases.into_iter().map(|base| oid(&base)).collect())
}

/// The error for a revision that leads nowhere, with what would help.
fn unknown(repository: &Repository, revision: &str, reason: &str) -> SourceError {
    SourceError::Revision {
        revision: revision.to_owned(),
        reason: reason.to_owned(),
        next: next_step(repository, revision),
    }
}

/// The command that could make `revision` known.
fn next_step(repository: &Repository, revision: &str) -> String {
    if revision == "HEAD" {
        return "`git status` tells what is checked out".to_owned();
    }
    let base = base_of(revision);
    let known = refs::read(repository).list;
    let is_known = |place: String| known.iter().any(|one| one.name == place.as_bytes());
    let resolves = base != revision && commit(repository, base).is_ok();
    if resolves {
        return if repository.is_shallow() {
            "this is a shallow clone: run `git fetch --deepen=100`, or `git fetch --unshallow`".to_owned()
        } else {
            format!("`git log {base}` shows its history")
        };
    }
    let remotes: Vec<String> =
        repository.local().remote_names().iter().map(|name| name.to_string()).collect();
    if let Some(remote) = remotes.iter().find(|remote| is_known(format!("refs/remotes/{remote}/{base}"))) {
        return format!("did you mean `{remote}/{base}`?");
    }
    let of_remote = remotes
        .iter()
        .find_map(|remote| Some((remote, base.strip_prefix(remote.as_str())?.strip_prefix('/')?)));
    let fetch = match (of_remote, remotes.first()) {
        (Some((remote, branch)), _) => {
            Some(format!("git fetch {remote} +refs/heads/{branch}:refs/remotes/{remote}/{branch}"))
        }
        (None, Some(remote)) if is_full_name(base) => Some(format!("git fetch {remote} {base}")),
        (None, Some(remote)) if is_hex(base) && repository.is_shallow() => {
            Some(format!("git fetch --unshallow {remote}"))
        }
        (None, Some(remote)) if is_hex(base) => Some(format!("git fetch {remote}")),
        (None, Some(remote)) if is_branch_name(base) => {
            Some(format!("git fetch {remote} +refs/heads/{base}:refs/remotes/{remote}/{base}"))
        }
        (None, Some(_) | None) => None,
    };
    match fetch {
        Some(command) if repository.is_shallow() => format!(
            "this is a shallow clone: run `{command}`, or clone with the whole history (fetch-depth: 0)"
        ),
        Some(command) => format!("run `{command}` if the remote has it"),
        None => "`git branch --all` and `git tag` list what there is".to_owned(),
    }
}

fn is_full_name(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && is_hex(text)
}

fn is_hex(text: &str) -> bool {
    text.len() >= 7 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether `text` can stand in a command line as it is.
fn is_branch_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/_-.".contains(&byte);
    text.starts_with(|first: char| first.is_ascii_alphanumeric()) && text.bytes().all(plain)
}
