//! Watches what the program writes: no secret that was made for a test may be in it.
//!
//! Every made-up secret is named here when it is made, and all that the program says or leaves behind comes by here
//! and is searched for all of them at once. With `KEYCULL_TEST_WITNESS` naming a directory, both are kept there as
//! well, and `.ci/witness` searches everything once more when the run is over.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use keycull::mock::MockProvider;
use memchr::memmem;

/// Names the directory in which everything is kept.
const KEPT_IN: &str = "KEYCULL_TEST_WITNESS";
/// What a redacted form may show at either end, and a little more.
const SHOWN: (usize, usize) = (9, 5);
/// Shorter secrets leave too little between the ends to be told from chance.
const SHORTEST: usize = 24;

/// The forms of all secrets that were made so far in this process.
static FORMS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
/// Files that are meant to hold one.
static PLANTED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
static NUMBER: AtomicUsize = AtomicUsize::new(0);

fn forms() -> MutexGuard<'static, BTreeSet<String>> {
    FORMS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A secret was made; nothing the program writes may hold it from now on. Short ones are not watched for.
pub(crate) fn made(secret: &str) {
    if secret.len() < SHORTEST {
        return;
    }
    let mut fresh = String::new();
    let mut known = forms();
    for form in forms_of(secret) {
        if known.insert(form.clone()) {
            fresh.push_str(&form);
            fresh.push('\n');
        }
    }
    if !fresh.is_empty()
        && let Some(directory) = kept_in()
    {
        let file = fs::OpenOptions::new().create(true).append(true).open(directory.join("secrets"));
        file.expect("the list of secrets").write_all(fresh.as_bytes()).expect("is written");
    }
}

/// Names all keys a mock provider has issued. Of a pair only the secret half: the id of an AWS key may be shown.
pub(crate) fn made_by(mock: &MockProvider) {
    for key in mock.issued() {
        made(if key.companion.is_empty() { &key.secret } else { &key.companion });
    }
}

/// The middle of `secret` as it is, in hexadecimal, and in base64 wherever it may start in a group of three bytes.
fn forms_of(secret: &str) -> Vec<String> {
    let middle = &secret.as_bytes()[SHOWN.0..secret.len() - SHOWN.1];
    let hex: String = middle.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![String::from_utf8_lossy(middle).into_owned(), hex.to_uppercase(), hex];
    for skipped in 0..3 {
        let groups = &middle[skipped..];
        forms.push(STANDARD_NO_PAD.encode(&groups[..groups.len() / 3 * 3]));
    }
    forms
}

/// What the program said, or wrote to a file: asserts that no secret is in it, and keeps it.
#[track_caller]
pub(crate) fn said(what: &str, bytes: &[u8]) {
    if let Some(directory) = kept_in() {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name: String = what.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let file = directory.join("said").join(format!("{}-{number}-{name}", std::process::id()));
        fs::write(file, bytes).expect("what was said is kept");
    }
    let shown = String::from_utf8_lossy(bytes);
    assert!(!holds_a_secret(bytes), "a secret that was made for a test is in {what}:\n{shown}");
}

/// Whether any secret made so far is in `bytes`, in any of its forms.
pub(crate) fn holds_a_secret(bytes: &[u8]) -> bool {
    forms().iter().any(|form| memmem::find(bytes, form.as_bytes()).is_some())
}

/// What the program left in `folder`: asserts that no secret is in it.
///
/// Tests plant secrets in repositories; of these only what the program itself keeps there is looked at.
#[track_caller]
pub(crate) fn left(folder: &Path) {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let own = [".local", ".cache", ".git/keycull", "keycull"].map(|name| folder.join(name));
        if folder.join(".git").exists() || folder.join("objects").is_dir() {
            folders.extend(own.into_iter().filter(|own| own.is_dir()));
            continue;
        }
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else if path.is_file()
                && !is_planted(&path)
                && let Ok(bytes) = fs::read(&path)
            {
                said(&path.file_name().unwrap_or_default().to_string_lossy(), &bytes);
            }
        }
    }
}

/// A file beside the repositories into which a test puts a secret itself, or has one put with `--show-secrets`.
pub(crate) fn planted(path: &Path) {
    PLANTED.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned());
}

fn is_planted(path: &Path) -> bool {
    PLANTED.lock().unwrap_or_else(PoisonError::into_inner).contains(path)
}

/// The directory everything is kept in, if that was asked for.
fn kept_in() -> Option<PathBuf> {
    let directory = PathBuf::from(std::env::var_os(KEPT_IN).filter(|place| !place.is_empty())?);
    fs::create_dir_all(directory.join("said")).expect("a directory to keep things in");
    Some(directory)
}
