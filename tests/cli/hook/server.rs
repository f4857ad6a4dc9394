//! `pre-receive` and `update`, on a bare repository that is pushed to.

use super::*;
use crate::support::secret::random;

struct Server {
    repo: GitRepo,
    bare: PathBuf,
}

impl Server {
    /// A server with the hook in place, and a clone that pushed its first commit.
    fn new(hook: &str) -> Self {
        let repo = started();
        git(&repo.outside(), &["init", "--quiet", "--bare", "--initial-branch=main", "server.git"]).expect(0);
        let bare = repo.outside().join("server.git");
        git(&bare, &["config", "receive.advertisePushOptions", "true"]).expect(0);
        let installed = keycull(&bare, &["hook", "install", "--hook", hook]).expect(0);
        assert_eq!(installed.stdout.matches("installed").count(), 1, "{}", installed.stdout);
        keycull(&bare, &["hook", "status"]).expect(0);
        git(repo.path(), &["remote", "add", "origin", "../server.git"]).expect(0);
        let server = Self { repo, bare };
        server.push(&["main"]).expect(0);
        server
    }

    fn push(&self, args: &[&str]) -> Run {
        let mut all = vec!["push", "origin"];
        all.extend(args);
        git(self.repo.path(), &all)
    }

    fn config(&self, text: &str) {
        fs::write(self.bare.join("keycull.toml"), text).expect("a file");
    }

    fn tips(&self) -> String {
        git(&self.bare, &["for-each-ref"]).expect(0).stdout
    }

    fn log(&self) -> Vec<serde_json::Value> {
        let text = fs::read_to_string(self.bare.join("keycull/passed.jsonl")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

#[test]
fn a_bare_repository_gets_the_hook_of_a_server() {
    let repo = started();
    git(&repo.outside(), &["init", "--quiet", "--bare", "server.git"]).expect(0);
    let bare = repo.outside().join("server.git");
    keycull(&bare, &["hook", "install"]).expect(0);
    let hooks: Vec<_> =
        snapshot(&bare.join("hooks")).into_keys().filter(|p| p.extension().is_none()).collect();
    assert_eq!(hooks, [bare.join("hooks/pre-receive")]);
    keycull(&bare, &["hook", "uninstall"]).expect(0);
    keycull(&bare, &["hook", "status"]).expect(1);
}

#[test]
fn a_leaking_push_is_refused_and_changes_nothing() {
    for hook in ["pre-receive", "update"] {
        let server = Server::new(hook);
        let before = server.tips();
        server.repo.write("a.env", leak(1)).commit("leak");
        let run = server.push(&["main"]);
        stopped(&run, "a.env", &[1]);
        assert!(
            run.stderr.contains("this push is refused") && !run.stderr.contains("--no-verify"),
            "{}",
            run.stderr
        );
        server.repo.git(&["tag", "--annotate", "--message", &leak(2), "v1", "HEAD~1"]);
        stopped(&server.push(&["v1"]), "stripe-secret-key", &[2]);
        stopped(&server.push(&["HEAD:refs/heads/new"]), "a.env", &[1]);
        assert_eq!(server.tips(), before);
        // In quarantine or not, nothing of a refused push stays behind for `pre-receive`.
        if hook == "pre-receive" {
            let tip = server.repo.git(&["rev-parse", "HEAD"]);
            assert_ne!(git(&server.bare, &["cat-file", "-e", &tip]).code, 0);
        }
        server.push(&["HEAD~1:refs/heads/clean", "HEAD~1:refs/tags/t"]).expect(0);
        server.push(&["--delete", "clean"]).expect(0);
        // One bad ref refuses all that come with it, for `pre-receive`.
        let mixed = server.push(&["HEAD~1:refs/heads/good", "HEAD:refs/heads/bad"]);
        stopped(&mixed, "a.env", &[1]);
        assert_eq!(server.tips().contains("refs/heads/good"), hook == "update");
    }
}

#[test]
fn packed_pushes_and_what_the_server_has_already() {
    let server = Server::new("pre-receive");
    git(&server.bare, &["config", "receive.unpackLimit", "1"]).expect(0);
    server.repo.write("a.env", leak(1)).commit("leak");
    stopped(&server.push(&["main"]), "a.env", &[1]);
    // What came before the hook did is not this push's fault.
    let hook = server.bare.join("hooks/pre-receive");
    fs::rename(&hook, server.bare.join("off")).expect("a file");
    server.push(&["main"]).expect(0);
    fs::rename(server.bare.join("off"), &hook).expect("a file");
    for n in 0..20 {
        server.repo.write(format!("{n}.txt"), format!("nothing {n}\n")).commit("clean");
    }
    server.push(&["main", "main:refs/heads/copy"]).expect(0);
    // A thin pack: the new version is a delta against one that only the server has in full.
    let long: String = (0..2000).map(|n| format!("line {n}\n")).collect();
    server.repo.write("long.txt", &long).commit("long");
    server.push(&["main"]).expect(0);
    server.repo.write("long.txt", format!("{long}{}", leak(2))).commit("leak");
    stopped(&server.push(&["main"]), "long.txt", &[2]);
}

#[test]
fn a_push_cannot_silence_the_hook() {
    let server = Server::new("pre-receive");
    let allow = "[[allow]]\nreason = \"x\"\npaths = [\"**\"]\n";
    server.repo.write("keycull.toml", allow).write("a.env", leak(1)).commit("leak, and say it is none");
    stopped(&server.push(&["main"]), "a.env", &[1]);
    server.repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let marked = format!("KEY={} # keycull:allow[stripe-secret-key] x\n", stripe_key(2));
    server.repo.write("b.env", marked).commit("marked");
    stopped(&server.push(&["main"]), "b.env", &[2]);
    // The branch the server shows may say so, once it is there.
    server.repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    server
        .repo
        .write("keycull.toml", "[[allow]]\nreason = \"x\"\npaths = [\"samples/**\"]\n")
        .commit("policy");
    server.push(&["main"]).expect(0);
    server.repo.write("samples/c.env", leak(3)).commit("sample");
    server.push(&["main"]).expect(0);
    // But what is for the operator alone it cannot say.
    let policy = "[hook]\nbreak-glass = true\non-timeout = \"accept\"\ntime-budget = \"1ms\"\n";
    server.repo.write("keycull.toml", policy).commit("more");
    server.push(&["main"]).expect(0);
    server.repo.write("d.env", leak(4)).commit("leak");
    let run = server.push(&["-o", "keycull.allow=because", "main"]);
    assert!(run.code != 0 && run.stderr.contains("does not pass anything on this server"), "{}", run.stderr);
    stopped(&server.push(&["main"]), "d.env", &[4]);
}

#[test]
fn a_baseline_counts_once_the_shown_branch_has_it() {
    for hook in ["pre-receive", "update"] {
        let server = Server::new(hook);
        let repo = &server.repo;
        repo.write("a.env", leak(1));
        keycull(repo.path(), &["baseline", "create", "--no-history"]).expect(0);
        repo.commit("leak, and its entry");
        stopped(&server.push(&["main"]), "a.env", &[1]);
        repo.remove("a.env");
        repo.git(&["commit", "--quiet", "--amend", "--all", "--message", "only the entry"]);
        server.push(&["main"]).expect(0);
        repo.write("a.env", leak(1)).commit("leak that is known");
        server.push(&["main"]).expect(0);
        repo.write("a.env", leak(2)).commit("another one");
        stopped(&server.push(&["main"]), "a.env", &[2]);
        // The operator's own counts beside it.
        keycull(repo.path(), &["baseline", "update", "--no-history"]).expect(0);
        let file = server.bare.join("keycull.baseline.toml");
        fs::copy(repo.path().join("keycull.baseline.toml"), &file).expect("a copy");
        server.push(&["main"]).expect(0);
        // A broken one stops everything, and says where.
        fs::write(&file, "<<<<<<< ours\n").expect("a file");
        repo.git(&["checkout", "--quiet", "--", "."]);
        repo.write("b.txt", "clean\n").commit("clean");
        let run = server.push(&["main"]);
        assert!(run.code != 0 && run.stderr.contains("keycull.baseline.toml"), "{}", run.stderr);
    }
}

#[test]
fn a_refused_push_names_what_was_to_silence_it() {
    let allow = "[[allow]]\nreason = \"x\"\npaths = [\"*.env\"]\n";
    let gitleaks = "[extend]\nuseDefault = true\n[allowlist]\npaths = ['\\.env$']\n";
    let kinds = [
        ("keycull.toml", allow.to_owned(), "keycull.toml:1 [[allow]]: not-in-force"),
        (
            "keycull.toml",
            "exclude = [\"*.env\"]\n".to_owned(),
            "keycull.toml:1 (exclude \"*.env\"): not-in-force",
        ),
        (".gitleaks.toml", gitleaks.to_owned(), ".gitleaks.toml: not-in-force"),
        (".gitleaksignore", "a.env:stripe-access-token:1\n".to_owned(), ".gitleaksignore:1: not-in-force"),
        ("keycull.baseline.toml", String::new(), "keycull.baseline.toml:6: not-in-force"),
        (
            "a.env",
            format!("KEY={} # keycull:allow x\n", stripe_key(1)),
            "the keycull:allow marker beside it came",
        ),
        (
            "a.env",
            format!("KEY={} # gitleaks:allow\n", stripe_key(1)),
            "the gitleaks:allow marker beside it came",
        ),
    ];
    for hook in ["pre-receive", "update"] {
        let server = Server::new(hook);
        let repo = &server.repo;
        for (file, text, names) in &kinds {
            repo.write("a.env", leak(1));
            match text.as_str() {
                "" => drop(keycull(repo.path(), &["baseline", "create", "--no-history"]).expect(0)),
                text => drop(repo.write(file, text)),
            }
            repo.commit("leak, and say it is none");
            let run = server.push(&["main"]);
            stopped(&run, "a.env", &[1]);
            assert!(run.stderr.contains(names), "{names}\n{}", run.stderr);
            // By a tag, as well, and not what the operator says, too.
            repo.git(&["tag", "--annotate", "--force", "--message", "v", "v1", "HEAD"]);
            server.config("exclude = [\"none\"]\n");
            let run = server.push(&["v1"]);
            assert!(run.code != 0 && run.stderr.contains(names), "{names}\n{}", run.stderr);
            assert!(!run.stderr.contains("\"none\""), "{}", run.stderr);
            repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
        }
        // What does nothing is worth no word while nothing was found.
        repo.write(".gitleaksignore", "a.env:stripe-access-token:1\n").write("keycull.toml", allow);
        repo.commit("policy");
        let clean = server.push(&["main"]).expect(0);
        assert!(!clean.stderr.contains("not-in-force"), "{}", clean.stderr);
        // Once it is there, it counts, or is old news.
        repo.write("a.env", leak(1)).write("b.txt", leak(2)).commit("leak");
        let run = server.push(&["main"]);
        stopped(&run, "b.txt", &[1, 2]);
        assert!(!run.stderr.contains("not-in-force"), "{}", run.stderr);
    }
    // The first push to an empty server: nothing counts but what its operator says.
    let server = Server::new("pre-receive");
    git(&server.repo.outside(), &["init", "--quiet", "--bare", "--initial-branch=main", "empty.git"])
        .expect(0);
    keycull(&server.repo.outside().join("empty.git"), &["hook", "install"]).expect(0);
    server.repo.write("keycull.toml", allow).write("a.env", leak(1)).commit("leak, and say it is none");
    let run = git(server.repo.path(), &["push", "../empty.git", "main"]);
    stopped(&run, "a.env", &[1]);
    assert!(run.stderr.contains("keycull.toml:1 [[allow]]: not-in-force"), "{}", run.stderr);
}

#[test]
fn a_configuration_of_gitleaks_counts_once_the_shown_branch_has_it() {
    let server = Server::new("pre-receive");
    let repo = &server.repo;
    let config = "[extend]\nuseDefault = true\n[allowlist]\npaths = ['\\.env$']\n";
    repo.write(".gitleaks.toml", config).write("a.env", leak(1)).commit("leak, and an allowlist");
    stopped(&server.push(&["main"]), "a.env", &[1]);
    repo.remove("a.env");
    repo.git(&["commit", "--quiet", "--amend", "--all", "--message", "only the allowlist"]);
    server.push(&["main"]).expect(0);
    repo.write("a.env", leak(1)).commit("allowed");
    server.push(&["main"]).expect(0);
    repo.write("a.txt", leak(2)).commit("not allowed");
    stopped(&server.push(&["main"]), "a.txt", &[2]);
}

#[test]
fn names_in_settings_of_the_shown_branch_never_lead_to_the_disk() {
    let server = Server::new("pre-receive");
    let repo = &server.repo;
    let outside = repo.outside().join("private.toml");
    fs::write(&outside, "hidden-word\n").expect("a file");
    for (key, why) in [
        ("baseline = ", "must be a relative path"),
        ("import = ", "must be a relative path"),
        ("[rules]\nfiles = ", "must be a relative path"),
        ("import = ", "has no such file"),
    ] {
        let value =
            if why.starts_with("has") { "gone.toml".to_owned() } else { outside.display().to_string() };
        let value = format!("{value:?}");
        let value = if key.ends_with("files = ") { format!("[{value}]") } else { value };
        repo.write("keycull.toml", format!("{key}{value}\n")).commit("outside");
        keycull(&server.bare, &["hook", "uninstall"]).expect(0);
        server.push(&["main"]).expect(0);
        keycull(&server.bare, &["hook", "install"]).expect(0);
        repo.write("b.txt", key).commit("clean");
        let run = server.push(&["main"]);
        assert!(run.code != 0 && run.stderr.contains(why), "{}", run.stderr);
        assert!(!run.stderr.contains("hidden-word"), "{}", run.stderr);
    }
}

#[test]
fn rules_of_the_shown_branch_hold_and_broken_settings_refuse() {
    let server = Server::new("pre-receive");
    let rule = "schema = 1\n[[rule]]\nid = \"own-key\"\nname = \"Own key\"\ndescription = \"Opens the door.\"\n\
                kind = \"token\"\nseverity = \"high\"\nprefix = \"ownkey_\"\nbody = \"alnum{20}\"\nrotate = \"Ask.\"\n\
                examples = ['k = \"${ownkey_:alnum:20}\"']\nnegatives = ['k = \"ownkey\"']\n\
                references = [\"https://example.com\"]\n";
    server.repo.write("keycull.toml", "[rules]\nfiles = [\"security/rules.toml\"]\n");
    server.repo.write("security/rules.toml", rule).commit("own rules");
    keycull(server.repo.path(), &["rules", "check", "security/rules.toml"]).expect(0);
    server.push(&["main"]).expect(0);
    let key = format!("{}_{}", "ownkey", random(9, 20));
    server.repo.write("a.txt", format!("k = \"{key}\"\n")).commit("leak");
    let run = server.push(&["main"]);
    assert!(run.code != 0 && run.stderr.contains("own-key"), "{}", run.stderr);
    server.repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    server.repo.write("keycull.toml", "nonsense\n").commit("broken");
    server.push(&["main"]).expect(0);
    server.repo.write("b.txt", "clean\n").commit("clean");
    let run = server.push(&["main"]);
    assert!(run.code != 0 && run.stderr.contains("the settings in HEAD cannot be used"), "{}", run.stderr);
    // The way out: a reason, where the operator lets it count.
    server.config("[hook]\nbreak-glass = true\n");
    server.push(&["-o", "keycull.allow=mend the settings", "main"]).expect(0);
    assert_eq!(server.log().len(), 1);
}

#[test]
fn break_glass_needs_a_reason_and_leaves_a_line() {
    let server = Server::new("pre-receive");
    server.repo.write("a.env", leak(1)).commit("leak");
    server.config("[hook]\nbreak-glass = true\n");
    let run = server.push(&["main"]);
    stopped(&run, "a.env", &[1]);
    assert!(run.stderr.contains("git push -o keycull.allow="), "{}", run.stderr);
    let run = server.push(&["-o", "keycull.allow", "main"]);
    assert!(run.code != 0 && run.stderr.contains("needs a reason"), "{}", run.stderr);
    assert!(server.log().is_empty());
    // What cannot be logged does not pass.
    fs::write(server.bare.join("keycull"), "in the way").expect("a file");
    let run = server.push(&["-o", "keycull.allow=test key", "main"]);
    assert!(run.code != 0 && run.stderr.contains("cannot be logged"), "{}", run.stderr);
    fs::remove_file(server.bare.join("keycull")).expect("a file");

    let run = server.push(&["-o", "ci.skip", "-o", "keycull.allow=test key, see #7", "main"]).expect(0);
    assert!(run.stderr.contains("a.env") && run.stderr.contains("passes all the same"), "{}", run.stderr);
    let log = server.log();
    assert_eq!(
        (log.len(), &log[0]["why"], &log[0]["reason"]),
        (1, &"break-glass".into(), &"test key, see #7".into())
    );
    assert_eq!(log[0]["refs"][0]["ref"], "refs/heads/main");
    assert_eq!(log[0]["findings"][0]["rule"], "stripe-secret-key");
    assert!(!log[0].to_string().contains(&stripe_key(1)));
    // A clean push needs no reason, and leaves no line.
    server.repo.write("b.txt", "clean\n").commit("clean");
    server.push(&["-o", "keycull.allow=x", "main"]).expect(0);
    assert_eq!(server.log().len(), 1);
}

#[test]
fn time_that_is_used_up_is_told_and_judged_as_declared() {
    let server = Server::new("pre-receive");
    // More than can be read in a millisecond.
    for n in 0..40 {
        let text: String = (0..20_000).map(|line| format!("{n} {line} nothing to see\n")).collect();
        server.repo.write(format!("{n}.txt"), text);
    }
    server.repo.commit("large");
    server.config("[hook]\ntime-budget = \"1ms\"\n");
    let run = server.push(&["main"]);
    assert!(run.code != 0 && run.stderr.contains("time budget"), "{}", run.stderr);
    assert!(run.stderr.contains("this push is refused"), "{}", run.stderr);
    server.config("[hook]\ntime-budget = \"0s\"\n");
    let run = server.push(&["main"]);
    assert!(run.code != 0 && run.stderr.contains("leaves no time"), "{}", run.stderr);
    server.config("[hook]\ntime-budget = \"1ms\"\non-timeout = \"accept\"\n");
    let run = server.push(&["main"]).expect(0);
    assert!(run.stderr.contains("WARNING") && run.stderr.contains("time budget"), "{}", run.stderr);
    assert_eq!(server.log()[0]["why"], "timeout");
}
