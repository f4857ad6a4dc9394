//! The repositories of a report about several, by the names the report gives them.
//!
//! Apart from the reader of places, because a report may be somebody else's file: the names in it are
//! followed downwards only, from directories the caller gives. What a person names may be anywhere.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::source::SourceError;
use crate::source::git::Repository;

use super::{Place, PlaceReader};

/// Repositories that findings or plans name, each opened once.
#[derive(Debug, Default)]
pub struct Repositories {
    named: BTreeMap<String, PathBuf>,
    bases: Vec<PathBuf>,
    opened: BTreeMap<String, Result<PlaceReader, String>>,
}

impl Repositories {
    /// `named` says where repositories are, by their names in reports; those names are believed. All
    /// others are looked for below `bases`, in this order, and never outside of them.
    #[must_use]
    pub fn new(named: BTreeMap<String, PathBuf>, bases: &[PathBuf]) -> Self {
        let bases = bases.iter().filter_map(|base| base.canonicalize().ok()).collect();
        Self { named, bases, opened: BTreeMap::new() }
    }

    /// Opens the repositories called `names`. One that cannot be opened is in [`Repositories::missing`].
    pub fn open<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) {
        for name in names {
            if !self.opened.contains_key(name) {
                self.opened.insert(name.to_owned(), self.find(name));
            }
        }
    }

    /// Those that cannot be read, and why, in words.
    pub fn missing(&self) -> impl Iterator<Item = (&str, &str)> {
        self.opened.iter().filter_map(|(name, found)| Some((name.as_str(), found.as_ref().err()?.as_str())))
    }

    /// Names that a person gave and nothing asked for.
    pub fn unasked(&self) -> impl Iterator<Item = &str> {
        self.named.keys().map(String::as_str).filter(|name| !self.opened.contains_key(*name))
    }

    /// Whether repositories were asked for, and not one of them can be read.
    #[must_use]
    pub fn are_all_missing(&self) -> bool {
        !self.opened.is_empty() && self.opened.values().all(Result::is_err)
    }

    /// Directories of those that are open: working trees and git directories.
    pub fn directories(&self) -> impl Iterator<Item = &Path> {
        self.opened.values().flatten().flat_map(PlaceReader::directories)
    }

    /// Content of `place` in the repository called `name`, as it is now.
    ///
    /// # Errors
    ///
    /// Why it cannot be read, in words.
    pub fn read(&self, name: &str, place: &Place) -> Result<Vec<u8>, String> {
        match self.opened.get(name) {
            Some(Ok(reader)) => reader.read(place),
            Some(Err(why)) => Err(why.clone()),
            None => Err("its repository is not known".to_owned()),
        }
    }

    fn find(&self, name: &str) -> Result<PlaceReader, String> {
        if let Some(path) = self.named.get(name) {
            return named(path);
        }
        let mut outcome = Err("it is not there".to_owned());
        for base in &self.bases {
            // NOTE: an absolute name replaces the base, and is then held to be below it like any other.
            match base.join(name).canonicalize() {
                Ok(path) if path.starts_with(base) => match below(base, &path) {
                    Ok(reader) => return Ok(reader),
                    Err(why) => outcome = Err(why),
                },
                Ok(_) => outcome = Err(OUTSIDE.to_owned()),
                Err(_) => {}
            }
        }
        outcome
    }
}

/// What is said of names that lead elsewhere.
const OUTSIDE: &str = "it is outside of the directory that names are looked for in";

/// What a person named: a repository, a part of one, or a plain directory.
fn named(path: &Path) -> Result<PlaceReader, String> {
    match Repository::discover(path) {
        Ok(repository) => Ok(PlaceReader::of_repository(repository)),
        Err(SourceError::NotARepository { .. }) if path.is_dir() => {
            let root = path.canonicalize().map_err(|error| error.to_string())?;
            Ok(PlaceReader::new(root, None))
        }
        Err(error) => Err(error.to_string()),
    }
}

/// The repository at `path`, all of which must be below `base`: also what its `.git` leads to.
fn below(base: &Path, path: &Path) -> Result<PlaceReader, String> {
    let repository = Repository::discover(path).map_err(|error| {
        if matches!(error, SourceError::NotARepository { .. }) {
            "it is no git repository".to_owned()
        } else {
            error.to_string()
        }
    })?;
    if repository.lies_within(&[base]) {
        Ok(PlaceReader::of_repository(repository))
    } else {
        Err(OUTSIDE.to_owned())
    }
}
