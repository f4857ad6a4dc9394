//! Incremental scans: the same report as a full one, and nothing taken on trust.

use std::fs;
use std::path::PathBuf;

use keycull::finding::{GapKind, ScanReport, Secret};
use keycull::pipeline::{Incremental, ScanRequest, Scope, exit_code};
use keycull::source::git::Repository;

use super::{history, lines, of_repo, password, scan, token};
use crate::support::git::GitRepo;

fn request(repo: &GitRepo, key: &str) -> ScanRequest {
    let mut request = of_repo(repo, vec![history()]);
    request.incremental = Some(Incremental { key: Secret::new(key), stamp: "test".to_owned() });
    request
}

fn incremental(repo: &GitRepo) -> ScanReport {
    scan(&request(repo, "key"))
}

fn state(repo: &GitRepo) -> PathBuf {
    repo.path().join(".git/keycull/history")
}

/// The one line that says what was taken over, taken out; and the number in it.
fn taken(report: &mut ScanReport) -> u64 {
    let is_it = |scope: &String| scope.ends_with("objects as an earlier scan saw them");
    let found = report.coverage.scopes.iter().position(is_it);
    found.map_or(0, |at| {
        let line = report.coverage.scopes.remove(at);
        line.split(' ').next().and_then(|number| number.parse().ok()).expect("a number")
    })
}

/// Scans both ways; the reports have to be the same. How many objects were taken over.
#[track_caller]
fn assert_same(repo: &GitRepo) -> u64 {
    let full = scan(&of_repo(repo, vec![history()]));
    let mut part = incremental(repo);
    let taken = taken(&mut part);
    let shown = |report: &ScanReport| {
        let findings = report.findings.iter().map(|finding| format!("{finding:?}"));
        let account = format!("{:?} {}", report.coverage, report.below_threshold);
        (lines(report), findings.collect::<Vec<_>>(), account, exit_code(report, None))
    };
    assert_eq!(shown(&part), shown(&full));
    taken
}

#[test]
fn a_known_finding_still_counts() {
    let repo = GitRepo::new();
    repo.write("a.env", format!("TOKEN={}\n", token("one"))).commit("one");
    assert_eq!(exit_code(&incremental(&repo), None), 1);
    repo.write("b.txt", "nothing").commit("two");
    let mut second = incremental(&repo);
    assert_eq!((exit_code(&second, None), lines(&second).len()), (1, 1));
    assert_eq!(taken(&mut second), 3);
}

#[test]
fn nothing_kept_is_a_secret() {
    let repo = GitRepo::new();
    let (secret, word) = (token("kept"), password("kept"));
    repo.write("a.env", format!("TOKEN={secret}\nPASSWORD=\"{word}\"\n"));
    repo.write(format!("name-{secret}.txt"), "x").commit(&format!("with {secret}"));
    repo.git(&["tag", "-a", "-m", &secret, "v1"]);
    assert_eq!(exit_code(&incremental(&repo), None), 1);
    let kept = fs::read(state(&repo)).expect("it was kept");
    for text in [&secret, &word] {
        assert!(!kept.windows(text.len()).any(|window| window == text.as_bytes()));
    }
    assert_same(&repo);
}

/// Commits, merges, deleted branches, lost commits, repacks and gc in an order that a seed decides.
#[test]
fn any_sequence_of_changes_gives_the_report_of_a_full_scan() {
    let mut saved = 0;
    for seed in 0..3_u64 {
        let repo = GitRepo::new();
        repo.write("start.txt", "x").commit("start");
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut next = |limit: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % limit
        };
        for step in 0..22 {
            let secret = token(&format!("{seed} {}", next(6)));
            match next(11) {
                0 | 1 => {
                    repo.write(format!("f{}.env", next(5)), format!("A=1\nTOKEN={secret}\n")).commit("leak");
                }
                2 => {
                    repo.write(format!("f{}.env", next(5)), "A=1\n").commit("clean");
                }
                3 => {
                    repo.write(format!("d{step}/{secret}.txt"), "x").commit("name");
                }
                4 => {
                    repo.commit(&format!("message {secret}"));
                }
                5 => {
                    repo.git(&["branch", &format!("b{step}")]);
                    repo.commit("on main");
                }
                6 => {
                    let branches = repo.git(&["branch", "--format=%(refname:short)"]);
                    if let Some(branch) = branches.lines().find(|name| *name != "main") {
                        repo.try_git(&["branch", "-D", branch]);
                    }
                }
                7 => {
                    repo.try_git(&["reset", "--quiet", "--hard", "HEAD~1"]);
                }
                8 => {
                    repo.git(&["repack", "-q"]);
                }
                9 => {
                    repo.git(&["repack", "-adfq"]);
                }
                _ => {
                    repo.git(&["reflog", "expire", "--expire=now", "--all"]);
                    repo.git(&["gc", "--quiet", "--prune=now"]);
                }
            }
            saved += u32::from(assert_same(&repo) > 0);
        }
    }
    assert!(saved > 20, "only {saved} scans took anything over");
}

#[test]
fn gaps_stay_until_they_are_closed() {
    let repo = GitRepo::new();
    repo.write("a.txt", "one").commit("one");
    let blob = repo.git(&["rev-parse", "HEAD:a.txt"]);
    let (fan, rest) = blob.split_at(2);
    let object = repo.path().join(".git/objects").join(fan).join(rest);
    let away = repo.outside().join("away");
    fs::rename(&object, &away).expect("a loose object");
    for _ in 0..2 {
        let report = incremental(&repo);
        assert_eq!(exit_code(&report, None), 3);
        assert_eq!(report.coverage.gaps[0].kind, GapKind::Missing);
        assert_same(&repo);
    }
    fs::rename(&away, &object).expect("it comes back");
    assert_same(&repo);
    assert_eq!(exit_code(&incremental(&repo), None), 0);
    // What was seen and is gone is missed again.
    fs::remove_file(&object).expect("it is there");
    assert_same(&repo);
    assert_eq!(exit_code(&incremental(&repo), None), 3);
}

#[test]
fn a_state_of_other_settings_or_of_somebody_else_is_not_used() {
    let repo = GitRepo::new();
    repo.write("a.txt", "one").commit("one");
    incremental(&repo);
    assert!(taken(&mut incremental(&repo)) > 0);
    assert_eq!(taken(&mut scan(&request(&repo, "another key"))), 0);
    assert_eq!(taken(&mut incremental(&repo)), 0, "the other one's state is not ours");
    assert!(taken(&mut incremental(&repo)) > 0);
    let mut other = request(&repo, "key");
    other.config_hash = "other settings".to_owned();
    assert_eq!(taken(&mut scan(&other)), 0);
    let mut other = request(&repo, "key");
    other.incremental.as_mut().expect("set above").stamp = "another build".to_owned();
    assert_eq!(taken(&mut scan(&other)), 0);
    // A copy of the repository is another one.
    incremental(&repo);
    let copy = repo.outside().join("copy");
    fs::rename(repo.path(), &copy).expect("moved");
    let moved = ScanRequest {
        repository: Some(Repository::open(&copy).expect("a repository")),
        ..request_of(vec![history()])
    };
    assert_eq!(taken(&mut scan(&moved)), 0);
}

fn request_of(scopes: Vec<Scope>) -> ScanRequest {
    let mut request = super::request(scopes);
    request.incremental = Some(Incremental { key: Secret::new("key"), stamp: "test".to_owned() });
    request
}

/// Every damage is noticed by the seal; with the right seal, nonsense is refused.
#[test]
fn damaged_states_are_ignored() {
    let repo = GitRepo::new();
    repo.write("a.env", format!("TOKEN={}\n", token("one"))).commit("one");
    incremental(&repo);
    let good = fs::read(state(&repo)).expect("it was kept");
    for at in (0..good.len()).step_by(13) {
        let mut bad = good.clone();
        bad[at] ^= 4;
        for bad in [&bad, &good[..at]] {
            fs::write(state(&repo), bad).expect("a file");
            let mut report = incremental(&repo);
            assert_eq!((taken(&mut report), exit_code(&report, None)), (0, 1), "byte {at}");
        }
    }
    fs::remove_file(state(&repo)).expect("a file");
    fs::create_dir(state(&repo)).expect("a directory in its place");
    let mut report = incremental(&repo);
    assert_eq!((taken(&mut report), exit_code(&report, None)), (0, 1));
}

#[test]
fn several_at_once_do_no_harm() {
    let repo = GitRepo::new();
    repo.write("a.env", format!("TOKEN={}\n", token("one"))).commit("one");
    let path = repo.path();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let repository = Repository::open(path).expect("a repository");
                    let request = ScanRequest { repository: Some(repository), ..request_of(vec![history()]) };
                    assert_eq!(exit_code(&scan(&request), None), 1);
                }
            });
        }
    });
    assert!(taken(&mut incremental(&repo)) > 0);
    let left = fs::read_dir(repo.path().join(".git/keycull")).expect("a directory");
    let mut names: Vec<_> = left.map(|entry| entry.expect("an entry").file_name()).collect();
    names.sort();
    assert_eq!(names, ["history", "lock"]);
}
