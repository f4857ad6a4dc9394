//! Finding and opening repositories.

use std::fs;

use keycull::source::SourceError;
use keycull::source::git::{Head, Repository};

use crate::support::git::GitRepo;

#[test]
fn every_way_to_name_a_repository_leads_to_it() {
    let repo = GitRepo::new();
    let commit = repo.write("a/b/c.txt", "x").commit("one");
    let root = repo.path();
    for place in [root.to_owned(), root.join("a/b"), root.join("a/b/c.txt"), root.join(".git")] {
        let found = Repository::discover(&place).unwrap();
        assert_eq!(found.work_dir(), Some(root), "{}", place.display());
        assert_eq!(found.git_dir(), root.join(".git"));
        assert_eq!(found.head(), Head::Commit(commit.parse().unwrap()));
        assert!(!found.is_shallow() && !found.is_linked_worktree() && !found.uses_reftable());
    }
    assert!(matches!(Repository::open(&root.join("a")), Err(SourceError::NotARepository { .. })));
    assert!(Repository::open(root).is_ok());
}

#[test]
fn unborn_bare_and_sha256_repositories_open() {
    let repo = GitRepo::with_options(&["--object-format=sha256"]);
    let opened = Repository::open(repo.path()).unwrap();
    assert_eq!((opened.head(), opened.object_format().as_str()), (Head::Unborn, "sha256"));
    let commit = repo.commit("one");
    assert_eq!(Repository::open(repo.path()).unwrap().head(), Head::Commit(commit.parse().unwrap()));

    let bare = repo.outside().join("bare.git");
    repo.git(&["clone", "--quiet", "--bare", ".", &bare.to_string_lossy()]);
    let opened = Repository::discover(&bare).unwrap();
    assert!(opened.is_bare() && opened.work_dir().is_none());
    assert_eq!(Repository::discover(&bare.join("refs")).unwrap().git_dir(), bare);
}

#[test]
fn linked_worktrees_and_submodules_have_their_own_git_directory() {
    let inner = GitRepo::new();
    inner.write("lib.txt", "x").commit("library");
    let repo = GitRepo::new();
    repo.commit("one");
    repo.git(&["submodule", "--quiet", "add", &inner.path().to_string_lossy(), "lib"]);
    let module = Repository::discover(&repo.path().join("lib")).unwrap();
    assert_eq!(module.work_dir(), Some(repo.path().join("lib").as_path()));
    assert_eq!(module.git_dir(), repo.path().join(".git/modules/lib"));

    let tree = repo.outside().join("linked");
    repo.git(&["worktree", "add", "--quiet", &tree.to_string_lossy()]);
    let linked = Repository::discover(&tree).unwrap();
    assert_eq!(linked.work_dir(), Some(tree.as_path()));
    assert_eq!(linked.common_dir(), repo.path().join(".git"));
    assert!(linked.is_linked_worktree());
}

#[test]
fn reftables_are_not_mistaken_for_an_unborn_head() {
    let repo = GitRepo::with_options(&["--ref-format=reftable"]);
    repo.commit("one");
    let opened = Repository::open(repo.path()).unwrap();
    assert!(opened.uses_reftable());
    assert_ne!(opened.head(), Head::Unborn);
}

#[test]
fn shallow_and_partial_clones_are_told() {
    let repo = GitRepo::new();
    repo.commit("one");
    repo.commit("two");
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", repo.path().display());
    let (shallow, partial) = (repo.outside().join("shallow"), repo.outside().join("partial"));
    repo.git(&["clone", "--quiet", "--depth=1", &url, &shallow.to_string_lossy()]);
    repo.git(&["clone", "--quiet", "--filter=blob:none", &url, &partial.to_string_lossy()]);
    let shallow = Repository::open(&shallow).unwrap();
    assert_eq!(shallow.shallow_boundary(), [repo.git(&["rev-parse", "HEAD"]).parse().unwrap()]);
    assert!(shallow.is_shallow() && !shallow.is_partial());
    let partial = Repository::open(&partial).unwrap();
    assert!(!partial.is_shallow() && partial.is_partial());
}

#[test]
fn what_is_no_repository_says_so_and_names_the_next_command() {
    let directory = tempfile::tempdir().unwrap();
    let error = Repository::discover(directory.path()).unwrap_err().to_string();
    assert!(error.contains("not a git repository (or any parent)"), "{error}");
    assert!(error.contains("keycull scan"), "{error}");

    let missing = Repository::discover(&directory.path().join("nowhere")).unwrap_err();
    assert!(matches!(missing, SourceError::Path { .. }));

    fs::write(directory.path().join(".git"), "gitdir: /nowhere/at/all\n").unwrap();
    assert!(matches!(Repository::discover(directory.path()), Err(SourceError::Open { .. })));

    fs::remove_file(directory.path().join(".git")).unwrap();
    fs::create_dir(directory.path().join(".git")).unwrap();
    assert!(matches!(Repository::discover(directory.path()), Err(SourceError::NotARepository { .. })));
}

#[test]
fn includes_and_odd_values_in_the_configuration_do_no_harm() {
    let repo = GitRepo::new();
    repo.commit("one");
    let config = repo.path().join(".git/config");
    let mut text = fs::read_to_string(&config).unwrap();
    text.push_str("[include]\n\tpath = /dev/zero\n[core]\n\tfsmonitor = touch harm\n\tabbrev = nonsense\n");
    fs::write(&config, text).unwrap();
    assert!(matches!(Repository::open(repo.path()).unwrap().head(), Head::Commit(_)));
    assert!(!repo.path().join("harm").exists());
}
