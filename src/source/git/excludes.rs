//! Where git looks for ignore rules that hold for a whole repository.

use std::path::PathBuf;

use gix::bstr::ByteSlice;
use gix::config::Source;
use gix::config::file::{Metadata, includes, init};

use super::repository::Repository;

/// Files with ignore rules, the weaker first: `core.excludesFile` (or git's default place for
/// it), then `info/exclude`. They need not exist.
pub(in crate::source) fn exclude_files(repository: &Repository) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = excludes_file(repository).into_iter().collect();
    files.push(repository.common_dir().join("info/exclude"));
    files
}

/// Whether ignore rules match without regard to case (`core.ignoreCase`).
pub(in crate::source) fn ignores_case(repository: &Repository) -> bool {
    repository.local().config_snapshot().boolean("core.ignoreCase") == Some(true)
}

/// `core.excludesFile` of the repository, else of the user, else of the system, else the default.
fn excludes_file(repository: &Repository) -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = variable("HOME");
    let local = repository.local();
    let configured = local
        .config_snapshot()
        .string("core.excludesFile")
        .or_else(|| user_config(home.as_deref())?.string("core.excludesFile"));
    match configured {
        Some(value) if value.is_empty() => None,
        Some(value) => {
            let path = value.to_path().ok()?.to_owned();
            match path.strip_prefix("~") {
                Ok(below) => Some(home?.join(below)),
                // NOTE: git takes a relative path from the directory it runs in, which is the
                // root of the working tree.
                Err(_) => Some(repository.work_dir().map(|root| root.join(&path)).unwrap_or(path)),
            }
        }
        None => Some(variable("XDG_CONFIG_HOME").or_else(|| Some(home?.join(".config")))?.join("git/ignore")),
    }
}

/// Configuration of the system and the user; the git command is not asked where it is.
fn user_config(home: Option<&std::path::Path>) -> Option<gix::config::File> {
    let places = [Source::System, Source::Git, Source::User].into_iter().map(|source| Metadata {
        path: source.storage_location(&mut |name| std::env::var_os(name)).filter(|path| path.is_file()),
        source,
        level: 0,
        trust: gix::sec::Trust::Full,
    });
    let options =
        init::Options { includes: includes::Options::follow_without_conditional(home), ..Default::default() };
    gix::config::File::from_paths_metadata(places, options).ok().flatten()
}
