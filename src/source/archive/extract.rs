//! One member again, by the path a report gave it.

use std::sync::Mutex;

use super::{Limits, Opener};
use crate::chunk::Chunk;
use crate::finding::{Origin, RepoPath};
use crate::source::Windows;
use crate::source::content::Feeder;

/// The contents that `content`, opened again, hands over under `members`: from the outermost
/// container's member to the innermost one. Several when a container holds the path twice.
///
/// Empty when there is no such member, or it is over the default budgets.
#[must_use]
pub fn extract(content: &[u8], members: &[RepoPath]) -> Vec<Vec<u8>> {
    let root = Origin::Stdin { name: None };
    let wanted = members
        .iter()
        .fold(root.clone(), |outer, path| Origin::Member { outer: Box::new(outer), path: path.clone() });
    let found = Mutex::new(Vec::new());
    let emit = |chunk: Chunk<'_>| {
        if *chunk.origin == wanted && chunk.is_whole() {
            found.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(chunk.bytes.to_vec());
        }
        false
    };
    let opener = Opener::silent(Limits::default());
    Feeder::new(&emit, Windows::default()).opening(&opener).bytes(content, &root);
    found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}
