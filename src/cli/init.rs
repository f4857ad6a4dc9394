//! `keycull init`: a commented configuration file to start from.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::config::{self, Overwrite};

use super::args::InitArgs;
use super::failure::{Failure, Outcome};
use super::say;

/// Writes the file into the directory named, else into the repository's root, else here.
pub(super) fn run(args: &InitArgs) -> Outcome<u8> {
    let directory = match &args.directory {
        Some(directory) => directory.clone(),
        None => root_around(Path::new(".")),
    };
    let file = directory.join(config::FILE_NAME);
    write_new(&file)?;
    say(&format!("wrote {}\n", super::failure::printable(&file.display().to_string())))
}

fn write_new(file: &Path) -> Outcome<()> {
    config::write_whole(file, &config::starter(), Overwrite::Never).map_err(|error| {
        let hint = if error.kind() == ErrorKind::AlreadyExists {
            "edit it, or remove it first; docs/config.md lists every key"
        } else if error.kind() == ErrorKind::NotFound {
            "name an existing directory: keycull init DIR"
        } else {
            "name a directory you can write to: keycull init DIR"
        };
        Failure::from(error).context(format!("cannot write {}", file.display())).hint(hint)
    })
}

/// Root of the working tree around `start`, else `start` itself.
fn root_around(start: &Path) -> PathBuf {
    let found = start.canonicalize().ok().and_then(|full| {
        full.ancestors()
            .find(|directory| directory.join(".git").symlink_metadata().is_ok())
            .map(Path::to_owned)
    });
    found.unwrap_or_else(|| start.to_owned())
}
