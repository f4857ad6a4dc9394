//! Git's ignore rules for untracked files, with their precedence: the `.gitignore` nearest to a
//! file decides, then those above it, then `info/exclude`, then `core.excludesFile`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::patterns::{Patterns, Verdict};
use crate::finding::RepoPath;
use crate::source::file::read_small;

/// Largest ignore file read; git has no limit, real ones are a few kilobytes.
const MAX_IGNORE_FILE: u64 = 4 << 20;

/// Rules of one file and, through `parent`, of all weaker ones.
struct Layer {
    /// Where they hold, and what their slashes count from.
    directory: PathBuf,
    rules: Patterns,
    parent: Option<Arc<Layer>>,
}

/// The rules in force in every directory seen so far.
pub(super) struct Ignores {
    root: PathBuf,
    ignore_case: bool,
    base: Option<Arc<Layer>>,
    layers: Mutex<HashMap<PathBuf, Option<Arc<Layer>>>>,
}

impl Ignores {
    /// Rules for the working tree at `root`; `files` hold for all of it, the weaker first.
    pub(super) fn new(root: &Path, files: &[PathBuf], ignore_case: bool) -> Self {
        let mut ignores = Self { root: root.to_owned(), ignore_case, base: None, layers: Mutex::default() };
        for file in files {
            // NOTE: the user's own files may be symbolic links; a `.gitignore` may not, for git.
            let content = file.canonicalize().ok().and_then(|file| read_small(&file, MAX_IGNORE_FILE));
            ignores.base = ignores.layer(ignores.base.clone(), root, content);
        }
        ignores
    }

    /// Whether git would leave out `path`, if it is not tracked. Directories above are assumed
    /// not to be ignored, since nobody enters those.
    pub(super) fn ignored(&self, path: &Path, is_directory: bool) -> bool {
        let mut layer = path.parent().and_then(|directory| self.layers_of(directory));
        while let Some(current) = layer {
            let inside = path.strip_prefix(&current.directory).unwrap_or(path);
            let verdict = current.rules.verdict(RepoPath::from_os(inside).as_bytes(), is_directory);
            if let Some(verdict) = verdict {
                return verdict == Verdict::Ignore;
            }
            layer = current.parent.clone();
        }
        false
    }

    /// The layers in force for what lies in `directory`, which is the root or below it.
    fn layers_of(&self, directory: &Path) -> Option<Arc<Layer>> {
        let known = |layers: &HashMap<PathBuf, Option<Arc<Layer>>>| layers.get(directory).cloned();
        if let Some(layers) = known(&self.layers.lock().unwrap_or_else(PoisonError::into_inner)) {
            return layers;
        }
        let above = match directory.parent() {
            Some(parent) if directory != self.root && directory.starts_with(&self.root) => {
                self.layers_of(parent)
            }
            _ => self.base.clone(),
        };
        let layers = self.layer(above, directory, read_small(&directory.join(".gitignore"), MAX_IGNORE_FILE));
        let mut all = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(directory.to_owned(), layers.clone());
        layers
    }

    /// Puts the rules of an ignore file, which hold below `directory`, on top of `parent`.
    fn layer(
        &self,
        parent: Option<Arc<Layer>>,
        directory: &Path,
        content: Option<Vec<u8>>,
    ) -> Option<Arc<Layer>> {
        let Some(content) = content else { return parent };
        let rules = Patterns::read(&content, self.ignore_case);
        if rules.is_empty() {
            return parent;
        }
        Some(Arc::new(Layer { directory: directory.to_owned(), rules, parent }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_rule_decides() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        std::fs::create_dir(root.join("sub")).unwrap();
        std::fs::write(root.join(".gitignore"), "*.log\n/only-top\n[broken\n").unwrap();
        std::fs::write(root.join("sub/.gitignore"), "!keep.log\nbuild/\n").unwrap();
        std::fs::write(root.join("global"), "*.tmp\nkeep.log\n").unwrap();
        let ignores = Ignores::new(root, &[root.join("global")], false);
        let ignored = |path: &str, is_directory| ignores.ignored(&root.join(path), is_directory);
        assert!(ignored("a.log", false));
        assert!(ignored("sub/a.log", false));
        assert!(!ignored("sub/keep.log", false));
        assert!(ignored("a.tmp", false));
        assert!(ignored("only-top", false));
        assert!(!ignored("sub/only-top", false));
        assert!(ignored("sub/build", true));
        assert!(!ignored("sub/build", false));
    }
}
