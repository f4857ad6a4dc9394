//! The drill with a scanner that looks at the work tree alone.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use keycull::finding::{Checksum, Finding, RuleInfo, Secret};
use keycull::mock::drill::{Scanner, drill};
use keycull::revoke::{Found, Place, SecretSource};

use super::stage;

struct WorkTree;

struct Reader(PathBuf);

fn keys(text: &str) -> Vec<String> {
    let pattern = regex::Regex::new("drill_[0-9A-Za-z]{36}").expect("is a pattern");
    pattern.find_iter(text).map(|found| found.as_str().to_owned()).collect()
}

impl Scanner for WorkTree {
    fn scan(&self, folder: &Path) -> Result<Vec<Finding>, String> {
        let mut findings = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(|error| error.to_string())? {
            let path = entry.map_err(|error| error.to_string())?.path();
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let name = path.file_name().expect("has a name").to_string_lossy().into_owned();
            findings.extend(keys(&text).iter().map(|key| stage::finding("drill-key", key, &name)));
        }
        Ok(findings)
    }

    fn source(&self, folder: &Path) -> Box<dyn SecretSource + '_> {
        Box::new(Reader(folder.to_owned()))
    }
}

impl SecretSource for Reader {
    fn rule(&self, id: &str) -> Option<Arc<RuleInfo>> {
        Some(stage::rule(id))
    }

    fn read(&self, _: &str, place: &Place) -> Result<Vec<Found>, String> {
        let path = self.0.join(place.path.as_ref().ok_or("no path")?);
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let found = |key: &String| Found { secret: Secret::new(key.as_str()), checksum: Checksum::Passed };
        Ok(keys(&text).iter().map(found).collect())
    }
}

#[test]
fn the_drill_passes_with_a_cut_at_every_point() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = drill(folder.path(), &WorkTree, 7).expect("is held");
    assert!(report.passed(), "{:#?}", report.checks);
    assert_eq!(report.cuts, 6, "each point was reached and cut");
}

#[test]
fn a_scanner_that_misses_a_key_fails_the_drill() {
    struct Blind;
    impl Scanner for Blind {
        fn scan(&self, folder: &Path) -> Result<Vec<Finding>, String> {
            WorkTree.scan(folder).map(|mut findings| {
                findings.pop();
                findings
            })
        }
        fn source(&self, folder: &Path) -> Box<dyn SecretSource + '_> {
            WorkTree.source(folder)
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let report = drill(folder.path(), &Blind, 8).expect("is held");
    assert!(!report.passed(), "a key that was not found is still live");
}
