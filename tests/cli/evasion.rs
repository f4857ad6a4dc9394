//! Places where tools that read the text of diffs do not look. Each case is a row of the
//! comparison in the README.

use crate::support::git::GitRepo;
use crate::support::secret::stripe_key;
use crate::support::tool::{Run, command, run};
use crate::support::witness;

#[track_caller]
fn found(repo: &GitRepo, args: &[&str]) {
    let mut all = vec!["scan", "--format", "json"];
    all.extend(args);
    let run = run(repo.path(), &all).expect(1);
    assert!(run.stdout.contains("stripe-secret-key"), "{}", run.stdout);
}

fn leak() -> String {
    format!("KEY={}\n", stripe_key(1))
}

/// A clean first commit, so that what follows is not the root.
fn started() -> GitRepo {
    let repo = GitRepo::new();
    repo.write("readme.txt", "nothing\n").commit("start");
    repo
}

#[test]
fn attributes_and_filters_hide_nothing() {
    for attribute in [
        "-diff",
        "binary",
        "diff=blank",
        "diff=gone",
        "filter=blank",
        "export-ignore",
        "-text",
        "text eol=crlf",
        "ident",
        "merge=ours",
        "linguist-generated",
        "diff=blank -diff binary",
    ] {
        let repo = started();
        repo.git(&["config", "diff.blank.textconv", "true"]);
        repo.git(&["config", "diff.gone.command", "true"]);
        repo.write(".gitattributes", format!("*.txt {attribute}\n")).write("a.txt", leak());
        repo.git(&["add", "."]);
        found(&repo, &["--staged"]);
        repo.commit("leak");
        found(&repo, &["--history-only"]);
    }
}

#[test]
fn configuration_hides_nothing() {
    for (key, value) in [
        ("color.ui", "always"),
        ("diff.noprefix", "true"),
        ("diff.external", "true"),
        ("diff.mnemonicPrefix", "true"),
        ("diff.relative", "true"),
        ("diff.renames", "copies"),
        ("diff.suppressBlankEmpty", "true"),
        ("diff.orderFile", "/dev/null"),
        ("diff.ignoreSubmodules", "all"),
        ("core.quotePath", "true"),
        ("core.quotePath", "false"),
        ("core.pager", "false"),
        ("core.fileMode", "false"),
        ("core.autocrlf", "true"),
        ("core.excludesFile", ".gitattributes"),
        ("log.showSignature", "true"),
        ("log.follow", "true"),
        ("format.pretty", "oneline"),
        ("i18n.logOutputEncoding", "UTF-16"),
        ("status.showUntrackedFiles", "no"),
    ] {
        let repo = started();
        repo.git(&["config", key, value]);
        repo.write("a ü.txt", leak());
        repo.git(&["add", "."]);
        found(&repo, &["--staged"]);
        repo.commit("leak");
        found(&repo, &["--history-only"]);
    }
}

#[test]
fn every_encoding_is_read() {
    let text = format!("first\n{}last\n", leak());
    let wide = |mark: &str| format!("{mark}{text}").encode_utf16().collect::<Vec<u16>>();
    let utf32 = || format!("\u{feff}{text}").chars().map(u32::from).collect::<Vec<u32>>();
    let encodings: [(&str, Vec<u8>); 8] = [
        ("UTF-16LE with a mark", wide("\u{feff}").into_iter().flat_map(u16::to_le_bytes).collect()),
        ("UTF-16BE with a mark", wide("\u{feff}").into_iter().flat_map(u16::to_be_bytes).collect()),
        ("UTF-16LE", wide("").into_iter().flat_map(u16::to_le_bytes).collect()),
        ("UTF-16BE", wide("").into_iter().flat_map(u16::to_be_bytes).collect()),
        ("UTF-32LE", utf32().into_iter().flat_map(u32::to_le_bytes).collect()),
        ("UTF-8 with a mark", format!("\u{feff}{text}").into_bytes()),
        ("carriage returns", text.replace('\n', "\r\n").into_bytes()),
        ("among bytes of no text", [b"\0\x01\xff\xfe".as_slice(), text.as_bytes(), b"\0\0"].concat()),
    ];
    for (name, bytes) in encodings {
        let repo = started();
        repo.write("a.txt", bytes);
        repo.git(&["add", "."]);
        assert_eq!(run(repo.path(), &["scan", "--staged"]).code, 1, "{name}");
        found(&repo, &["--staged"]);
        found(&repo, &["--no-history"]);
        repo.commit("leak");
        found(&repo, &["--history-only"]);
    }
}

#[test]
fn merge_commits_are_read() {
    let repo = started();
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.write("side.txt", "nothing\n").commit("side");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.git(&["merge", "--quiet", "--no-ff", "--no-commit", "side"]);
    // Only the merge itself brings it; the next commit takes it away again.
    repo.write("evil.txt", leak()).commit("merge");
    repo.git(&["rm", "--quiet", "evil.txt"]);
    repo.commit("clean up");
    found(&repo, &[]);
}

#[test]
fn messages_of_commits_and_tags_are_read() {
    let repo = started();
    repo.commit(&format!("deploy with {}", leak()));
    found(&repo, &[]);
    let repo = started();
    repo.git(&["tag", "--annotate", "v1", "--message", &format!("deploy with {}", leak())]);
    found(&repo, &[]);
}

#[test]
fn what_no_branch_reaches_is_read() {
    let repo = started();
    repo.write("a.txt", leak()).commit("leak");
    repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    found(&repo, &[]);
    let repo = started();
    repo.write("a.txt", leak());
    repo.git(&["stash", "--include-untracked", "--quiet"]);
    found(&repo, &[]);
}

#[test]
fn what_was_rewritten_is_read() {
    // Amended, rebased and squashed away: only the reflog knows.
    for how in [
        &["commit", "--quiet", "--amend", "--message", "clean"][..],
        &["commit", "--quiet", "--amend", "--no-edit", "--reset-author"],
    ] {
        let repo = started();
        repo.write("a.txt", leak()).commit("leak");
        repo.git(&["rm", "--quiet", "--cached", "a.txt"]);
        std::fs::remove_file(repo.path().join("a.txt")).expect("a file");
        let mut all = vec!["-c", "commit.gpgSign=false"];
        all.extend(how);
        all.push("--allow-empty");
        repo.git(&all);
        found(&repo, &[]);
    }
    let repo = started();
    repo.git(&["checkout", "--quiet", "-b", "topic"]);
    repo.write("a.txt", leak()).commit("leak");
    repo.git(&["rm", "--quiet", "a.txt"]);
    repo.commit("clean up");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.git(&["merge", "--quiet", "--squash", "topic"]);
    repo.git(&["branch", "--quiet", "-D", "topic"]);
    found(&repo, &[]);
    // Replaced, and grafted over.
    let repo = started();
    let leaking = repo.write("a.txt", leak()).commit("leak");
    repo.git(&["rm", "--quiet", "a.txt"]);
    repo.commit("clean up");
    repo.git(&["replace", &leaking, "HEAD"]);
    found(&repo, &[]);
}

#[test]
fn notes_and_odd_refs_are_read() {
    let repo = started();
    repo.git(&["notes", "add", "--message", &leak()]);
    found(&repo, &[]);
    let repo = started();
    repo.write("a.txt", leak());
    let blob = repo.git(&["hash-object", "-w", "a.txt"]);
    std::fs::remove_file(repo.path().join("a.txt")).expect("a file");
    repo.git(&["update-ref", "refs/odd/place", &blob]);
    found(&repo, &[]);
    let repo = started();
    repo.write("a.txt", leak());
    let blob = repo.git(&["hash-object", "-w", "a.txt"]);
    std::fs::remove_file(repo.path().join("a.txt")).expect("a file");
    repo.git(&["tag", "--annotate", "--message", "a blob", "v0", &blob]);
    repo.git(&["tag", "--annotate", "--message", "a tag of a tag", "v1", "v0"]);
    found(&repo, &[]);
}

#[test]
fn names_are_read_whatever_they_are() {
    let repo = started();
    for name in [
        "a b.txt",
        "ünï.txt",
        "new\nline.txt",
        "quote\".txt",
        "-dash.txt",
        "tab\t.txt",
        "$(x).txt",
        ":(top).txt",
    ] {
        repo.write(name, leak());
        repo.git(&["add", "--all"]);
        found(&repo, &["--staged"]);
        repo.git(&["reset", "--quiet", "--hard"]);
    }
    // The name itself, of a file, a directory, a branch, and what a link names.
    repo.write(format!("{}.txt", stripe_key(2)), "nothing\n");
    repo.git(&["add", "."]);
    found(&repo, &["--staged"]);
    repo.git(&["reset", "--quiet", "--hard"]);
    repo.write(format!("{}/a.txt", stripe_key(2)), "nothing\n").commit("directory");
    found(&repo, &["--history-only"]);
    let repo = started();
    repo.git(&["branch", &format!("for-{}", stripe_key(3))]);
    found(&repo, &[]);
}

#[cfg(unix)]
#[test]
fn links_are_read_and_not_followed() {
    let repo = started();
    witness::planted(&repo.outside().join("secret.env"));
    std::fs::write(repo.outside().join("secret.env"), leak()).expect("a file");
    std::os::unix::fs::symlink("../secret.env", repo.path().join("link")).expect("a link");
    repo.git(&["add", "link"]);
    run(repo.path(), &["scan", "--staged"]).expect(0);
    std::os::unix::fs::symlink(format!("key={}", stripe_key(1)), repo.path().join("odd")).expect("a link");
    repo.git(&["add", "odd"]);
    found(&repo, &["--staged"]);
    repo.commit("links");
    found(&repo, &["--history-only"]);
    // A link becomes a file with the same name.
    let repo = started();
    std::os::unix::fs::symlink("readme.txt", repo.path().join("link")).expect("a link");
    repo.commit("link");
    std::fs::remove_file(repo.path().join("link")).expect("a link");
    repo.write("link", leak());
    repo.git(&["add", "--all"]);
    found(&repo, &["--staged"]);
}

#[test]
fn staged_is_what_the_index_holds() {
    let repo = started();
    // Staged, and taken away from the file again.
    repo.write("a.txt", leak());
    repo.git(&["add", "."]);
    repo.write("a.txt", "nothing\n");
    found(&repo, &["--staged"]);
    run(repo.path(), &["scan", "--no-history"]).expect(0);
    repo.git(&["reset", "--quiet", "--hard"]);
    // In the file, and not staged.
    repo.write("readme.txt", leak());
    run(repo.path(), &["scan", "--staged"]).expect(0);
    found(&repo, &["--no-history"]);
    // Promised to be added: the content is not in the index yet.
    repo.git(&["reset", "--quiet", "--hard"]);
    repo.write("b.txt", leak());
    repo.git(&["add", "--intent-to-add", "b.txt"]);
    run(repo.path(), &["scan", "--staged"]).expect(0);
    found(&repo, &["--no-history"]);
    repo.git(&["add", "b.txt"]);
    found(&repo, &["--staged"]);
    // Said to be unchanged.
    for flag in ["--assume-unchanged", "--skip-worktree"] {
        repo.git(&["update-index", flag, "b.txt"]);
        found(&repo, &["--staged"]);
    }
}

#[test]
fn what_moves_is_not_new() {
    let repo = started();
    repo.write("a.txt", format!("{}more\nand more\n", leak())).commit("leak");
    repo.git(&["mv", "a.txt", "b.txt"]);
    run(repo.path(), &["scan", "--staged"]).expect(0);
    // Nor when more is written beside it; another secret is.
    repo.write("b.txt", format!("before\n{}more\n", leak()));
    repo.git(&["add", "."]);
    run(repo.path(), &["scan", "--staged"]).expect(0);
    repo.write("b.txt", format!("{}KEY={}\n", leak(), stripe_key(9)));
    repo.git(&["add", "."]);
    found(&repo, &["--staged"]);
}

#[test]
fn a_merge_in_progress_is_read() {
    let repo = started();
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.write("readme.txt", leak()).commit("leak");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.write("readme.txt", "something else\n").commit("main");
    assert!(!repo.try_git(&["merge", "side"]).status.success(), "a conflict");
    found(&repo, &["--staged"]);
    found(&repo, &["--no-history"]);
    repo.git(&["merge", "--abort"]);
    repo.git(&["cherry-pick", "--no-commit", "--strategy-option=theirs", "side"]);
    found(&repo, &["--staged"]);
}

#[test]
fn worktrees_submodules_and_the_environment_of_git() {
    let repo = started();
    repo.git(&["worktree", "add", "--quiet", "-b", "linked", "../linked"]);
    let linked = repo.outside().join("linked");
    std::fs::write(linked.join("a.txt"), leak()).expect("a file");
    repo.git(&["-C", "../linked", "add", "."]);
    run(&linked, &["scan", "--staged"]).expect(1);
    run(repo.path(), &["scan", "--staged"]).expect(0);

    let inner = started();
    repo.git(&["submodule", "--quiet", "add", &inner.path().display().to_string(), "part"]);
    run(repo.path(), &["scan", "--staged"]).expect(0);
    std::fs::write(repo.path().join("part/a.txt"), leak()).expect("a file");
    repo.git(&["-C", "part", "add", "."]);
    run(&repo.path().join("part"), &["scan", "--staged"]).expect(1);

    // An index of its own, as `git commit FILE` makes one, and a repository named from outside.
    let repo = started();
    let mut git = repo.command();
    repo.write("a.txt", leak());
    let index = repo.path().join(".git/other-index");
    assert!(git.env("GIT_INDEX_FILE", &index).args(["add", "a.txt"]).status().expect("git").success());
    run(repo.path(), &["scan", "--staged"]).expect(0);
    for value in [index.clone(), ".git/other-index".into()] {
        let mut scan = command(repo.path());
        let run: Run =
            scan.env("GIT_INDEX_FILE", value).args(["scan", "--staged"]).output().expect("it runs").into();
        run.expect(1);
    }
    repo.git(&["add", "."]);
    let mut scan = command(&repo.outside());
    scan.env("GIT_DIR", repo.path().join(".git")).env("GIT_WORK_TREE", repo.path());
    let run: Run = scan.args(["scan", "--staged"]).output().expect("it runs").into();
    run.expect(1);
}

#[test]
fn the_first_commit_and_sub_directories_are_read() {
    let repo = GitRepo::new();
    repo.write("a.txt", leak()).write("sub/b.txt", "nothing\n");
    repo.git(&["add", "."]);
    found(&repo, &["--staged"]);
    let sub = repo.path().join("sub");
    run(&sub, &["scan", "--staged"]).expect(1);
}

#[test]
fn a_shallow_clone_is_never_a_clean_history() {
    let repo = started();
    repo.write("a.txt", leak()).commit("leak");
    repo.git(&["rm", "--quiet", "a.txt"]);
    repo.commit("clean up");
    let origin = format!("file://{}", repo.path().display());
    repo.git(&["clone", "--quiet", "--depth", "1", &origin, "../shallow"]);
    let shallow = repo.outside().join("shallow");
    run(&shallow, &["scan"]).expect(3);
    run(&shallow, &["scan", "--accept-incomplete", "shallow"]).expect(0);
    run(&shallow, &["scan", "--no-history"]).expect(0);
    run(&shallow, &["scan", "--staged"]).expect(0);
}
