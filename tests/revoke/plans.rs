//! What a plan holds, and what stops it.

use keycull::finding::{Checksum, Fingerprint, Secret};
use keycull::mock::{Faults, Kind};
use keycull::revoke::{
    ApplyError, ApplyOptions, Decision, Found, GivenSecret, Outcome, Plan, PlanError, PlanOptions, Point,
    verify_audit,
};

use super::stage::{Files, NOW, Stage, finding, yes};

#[test]
fn a_plan_is_private_and_holds_no_secret() {
    let stage = Stage::drill();
    let key = stage.mock.issue(Kind::Drill, 1);
    let findings = [finding("drill-key", &key.secret, "a.env")];
    let plan = stage.plan(&findings, &PlanOptions::default());
    assert_eq!(plan.items[0].decision, Decision::Ready);
    assert_eq!(plan.items[0].identity.as_deref(), Some("drill-user"));
    #[cfg(unix)]
    assert_eq!(super::stage::mode(&stage.plan_path()), 0o600);
    let text = std::fs::read_to_string(stage.plan_path()).expect("is read");
    assert!(!text.contains(&key.secret) && !text.contains(&key.secret[8..30]));
    assert_eq!(stage.mutations(), 0, "planning changes nothing");
}

#[test]
fn without_yes_nothing_is_sent() {
    let stage = Stage::drill();
    let key = stage.mock.issue(Kind::Drill, 1);
    let findings = [finding("drill-key", &key.secret, "a.env")];
    stage.plan(&findings, &PlanOptions::default());
    let before = stage.mock.requests().len();
    let report =
        stage.apply_cut(&Files::of(&findings), &ApplyOptions::default(), &|_| false).expect("is a dry run");
    assert!(report.dry_run);
    assert_eq!(report.items[0].outcome, Outcome::Planned);
    assert_eq!((report.exit_code(), stage.mock.requests().len()), (0, before));
    assert!(stage.mock.is_live(&key.secret));
}

#[test]
fn a_live_key_is_revoked_and_proven_dead() {
    let stage = Stage::drill();
    let (key, other) = (stage.mock.issue(Kind::Drill, 1), stage.mock.issue(Kind::Drill, 2));
    let findings = [finding("drill-key", &key.secret, "a.env")];
    stage.plan(&findings, &PlanOptions::default());
    let report = stage.apply(&Files::of(&findings));
    assert_eq!(report.items[0].outcome, Outcome::Revoked, "{report:?}");
    assert_eq!(report.exit_code(), 0);
    assert!(!stage.mock.is_live(&key.secret) && stage.mock.is_live(&other.secret));
    assert_eq!(stage.mutations(), 1);
    assert!(verify_audit(&stage.audit_path()).expect("is whole").lines >= 3);
    stage.assert_clean(&report, &[&key.secret]);
}

#[test]
fn a_dead_key_is_left_alone() {
    let stage = Stage::drill();
    let key = stage.mock.issue(Kind::Drill, 1);
    let findings = [finding("drill-key", &key.secret, "a.env")];
    stage.plan(&findings, &PlanOptions::default());
    stage.mock.kill(&key.secret);
    let report = stage.apply(&Files::of(&findings));
    assert_eq!(report.items[0].outcome, Outcome::AlreadyDead);
    assert_eq!((report.exit_code(), stage.mutations()), (0, 0));
}

#[test]
fn keys_in_use_wait_for_a_word() {
    let stage = Stage::drill();
    let key = stage.mock.issue(Kind::Drill, 1);
    let findings = [finding("drill-key", &key.secret, "a.env")];
    stage.plan(&findings, &PlanOptions::default());
    let silent = ApplyOptions { yes: true, ..ApplyOptions::default() };
    let report = stage.apply_cut(&Files::of(&findings), &silent, &|_| false).expect("is decided");
    assert_eq!((report.items[0].outcome, report.exit_code()), (Outcome::Refused, 6));
    assert!(report.items[0].reason.contains("--replaced"), "{}", report.items[0].reason);
    assert!(stage.mock.is_live(&key.secret));
}

#[test]
fn a_changed_file_is_not_guessed_at() {
    let stage = Stage::drill();
    let (key, other) = (stage.mock.issue(Kind::Drill, 1), stage.mock.issue(Kind::Drill, 2));
    let findings = [finding("drill-key", &key.secret, "a.env")];
    stage.plan(&findings, &PlanOptions::default());
    // Another live key now stands at the very place.
    let replaced = Files::of(&[finding("drill-key", &other.secret, "a.env")]);
    let report = stage.apply(&replaced);
    assert_eq!((report.items[0].outcome, report.exit_code()), (Outcome::Skipped, 1));
    let report = stage.apply(&Files::default());
    assert_eq!(report.items[0].outcome, Outcome::Skipped, "the file is gone");
    assert!(stage.mock.is_live(&key.secret) && stage.mock.is_live(&other.secret));
    assert_eq!(stage.mutations(), 0);
}

#[test]
fn old_changed_and_foreign_plans_are_refused() {
    let stage = Stage::drill();
    let key = stage.mock.issue(Kind::Drill, 1);
    let findings = [finding("drill-key", &key.secret, "a.env")];
    stage.plan(&findings, &PlanOptions::default());
    let files = Files::of(&findings);
    stage.clock.jump(16 * 60);
    let error = stage.apply_cut(&files, &yes(), &|_| false).expect_err("is too old");
    assert!(matches!(error, ApplyError::Plan(PlanError::Expired(60))), "{error}");
    assert_eq!(error.exit_code(), 2);
    stage.clock.jump(-60 * 60);
    let error = stage.apply_cut(&files, &yes(), &|_| false).expect_err("the clock has jumped");
    assert!(matches!(error, ApplyError::Plan(PlanError::FromFuture(_))), "{error}");
    let text = std::fs::read_to_string(stage.plan_path()).expect("is read");
    std::fs::write(stage.plan_path(), text.replace("a.env", "b.env")).expect("is written");
    assert!(matches!(Plan::load(&stage.plan_path(), "rules-1"), Err(PlanError::Changed(_))));
    std::fs::write(stage.plan_path(), &text).expect("is written");
    assert!(matches!(Plan::load(&stage.plan_path(), "rules-2"), Err(PlanError::OtherTool(..))));
    assert_eq!(stage.mutations(), 0);
}

#[test]
fn the_brake_holds() {
    let stage = Stage::drill();
    let keys: Vec<_> = (0..11).map(|seed| stage.mock.issue(Kind::Drill, seed)).collect();
    let findings: Vec<_> = keys
        .iter()
        .enumerate()
        .map(|(at, key)| finding("drill-key", &key.secret, &format!("{at}.env")))
        .collect();
    stage.plan(&findings, &PlanOptions::default());
    let files = Files::of(&findings);
    let error = stage.apply_cut(&files, &yes(), &|_| false).expect_err("is too many");
    assert!(matches!(error, ApplyError::TooMany(11, 10)));
    assert_eq!((error.exit_code(), stage.mutations()), (6, 0));
    let one = ApplyOptions { only: [findings[3].fingerprint.to_string()].into(), ..yes() };
    let report = stage.apply_cut(&files, &one, &|_| false).expect("one is not too many");
    assert_eq!((report.items.len(), stage.mutations()), (1, 1));
    assert!(!stage.mock.is_live(&keys[3].secret) && stage.mock.is_live(&keys[4].secret));
    let all = ApplyOptions { max: Some(20), ..yes() };
    let report = stage.apply_cut(&files, &all, &|_| false).expect("the number is named");
    assert_eq!((report.exit_code(), stage.mutations()), (0, 11), "the first is not sent twice");
}

#[test]
fn protected_keys_and_vetoes_are_refused() {
    let drill = |extra: &str| Stage::with_drill(extra);
    let stage = drill("");
    let key = stage.mock.issue(Kind::Drill, 1);
    let print = Fingerprint::of(&keycull::finding::Secret::new(key.secret.as_str()), false, None);
    for name in [print.as_str(), "drill-key", "drill-user"] {
        let stage = drill(&format!("[policy]\nnever_revoke = [\"{name}\"]\n"));
        let key = stage.mock.issue(Kind::Drill, 1);
        let plan = stage.plan(&[finding("drill-key", &key.secret, "a.env")], &PlanOptions::default());
        assert!(matches!(&plan.items[0].decision, Decision::Refused(why) if why.contains(name)), "{name}");
    }
    let mut invented = finding("drill-key", &key.secret, "a.env");
    invented.checksum = Checksum::Failed;
    let plan = stage.plan(&[invented], &PlanOptions::default());
    assert!(matches!(&plan.items[0].decision, Decision::Refused(why) if why.contains("checksum")));
    let generic = finding("generic-password", &key.secret, "a.env");
    let plan = stage.plan(&[generic], &PlanOptions::default());
    assert!(matches!(plan.items[0].decision, Decision::Manual(_)));
    assert_eq!(stage.mock.requests().len(), 0, "none of them went out");
}

#[test]
fn unattended_runs_need_the_operators_word() {
    let unattended = PlanOptions { unattended: true, ..PlanOptions::default() };
    let refused = |stage: &Stage, path: &str| {
        let key = stage.mock.issue(Kind::Drill, 1);
        let plan = stage.plan(&[finding("drill-key", &key.secret, path)], &unattended);
        match &plan.items[0].decision {
            Decision::Refused(why) => why.clone(),
            Decision::Ready => "Ready".to_owned(),
            Decision::AlreadyDead | Decision::Manual(_) | Decision::Unread(_) => {
                "another decision".to_owned()
            }
        }
    };
    assert!(refused(&Stage::drill(), "a.env").contains("does not enable it"));
    let enabled = "[unattended]\nenabled = true\n";
    let own = refused(&Stage::with_drill(enabled), "a.env");
    assert!(own.contains("unattended.providers"), "a block of the operator's own needs his word: {own}");
    let trusted = format!("{enabled}providers = [\"drill\"]\n");
    assert!(refused(&Stage::with_drill(&trusted), "a.env").contains("irreversible"));
    let full = Stage::with_drill(&format!("{trusted}irreversible = [\"drill-key\"]\n"));
    assert!(refused(&full, "vendor/x/a.env").contains("other people's code"));
    assert_eq!(refused(&full, "a.env"), "Ready");
}

#[test]
fn another_owner_than_planned_is_a_stranger() {
    let stage = Stage::drill();
    let key = stage.mock.issue(Kind::Drill, 1);
    let findings = [finding("drill-key", &key.secret, "a.env")];
    let mut plan = stage.plan(&findings, &PlanOptions::default());
    plan.items[0].identity = Some("somebody-else".to_owned());
    let plan = Plan::new("rules-1", plan.created, 900, false, plan.items);
    plan.save(&stage.plan_path()).expect("is written");
    let report = stage.apply(&Files::of(&findings));
    assert_eq!((report.items[0].outcome, report.exit_code()), (Outcome::Refused, 6));
    assert!(stage.mock.is_live(&key.secret));
}

#[test]
fn cut_at_any_point_it_resumes_without_sending_twice() {
    for point in Point::ALL {
        let stage = Stage::drill();
        let key = stage.mock.issue(Kind::Drill, 1);
        let findings = [finding("drill-key", &key.secret, "a.env")];
        stage.plan(&findings, &PlanOptions::default());
        let files = Files::of(&findings);
        let report = stage.apply_cut(&files, &yes(), &|at| at == point).expect("is cut");
        assert_eq!((report.interrupted, report.exit_code()), (true, 130), "{point:?}");
        stage.assert_clean(&report, &[&key.secret]);
        let report = stage.apply(&files);
        assert_eq!(
            (report.items[0].outcome, stage.mutations()),
            (Outcome::Revoked, 1),
            "{point:?}: {report:?}"
        );
        stage.assert_clean(&report, &[&key.secret]);
    }
}

/// Cut at any byte: what is dead is dead and is not sent again; what lives on is never called dead.
#[test]
fn a_truncated_journal_never_claims_a_death() {
    for lives_on in [false, true] {
        let stage = Stage::drill();
        let key = stage.mock.issue(Kind::Drill, 1);
        let findings = [finding("drill-key", &key.secret, "a.env")];
        stage.plan(&findings, &PlanOptions::default());
        stage.mock.set_faults(Faults { ignore_mutation: lives_on, ..Faults::default() });
        let files = Files::of(&findings);
        stage.apply(&files);
        let path = Plan::journal_path(&stage.plan_path());
        let whole = std::fs::read(&path).expect("is read");
        // That every cut is read right is the journal's own test; here are those at and around the ends of its lines, and some more.
        let is_end = |at: usize| whole.get(at).is_some_and(|byte| *byte == b'\n');
        let near = |at: usize| is_end(at) || is_end(at + 1) || at > 0 && is_end(at - 1);
        for cut in (0..whole.len()).filter(|at| at % 23 == 0 || near(*at)) {
            std::fs::write(&path, &whole[..cut]).expect("is written");
            // Looking takes its time; the plan shall not grow old over it.
            stage.clock.jump(NOW + 60 - keycull::net::Clock::now(stage.clock.as_ref()));
            let report = stage.apply(&files);
            let dead = matches!(report.items[0].outcome, Outcome::Revoked | Outcome::AlreadyDead);
            assert_eq!(dead, !lives_on, "cut at {cut}: {report:?}");
            assert_eq!(report.exit_code(), if lives_on { 3 } else { 0 }, "cut at {cut}: {report:?}");
            assert!(lives_on || stage.mutations() == 1, "cut at {cut}: a dead key is never sent again");
        }
    }
}

/// The clock jumps while the key is being killed: time that passes is not read from it.
#[test]
fn a_clock_that_jumps_on_the_way_changes_nothing() {
    for jump in [-7200, 7200] {
        let stage = Stage::drill();
        let key = stage.mock.issue(Kind::Drill, 1);
        let findings = [finding("drill-key", &key.secret, "a.env")];
        stage.plan(&findings, &PlanOptions::default());
        stage.mock.set_faults(Faults { slow: 1, ..Faults::default() });
        let jumping = |at: Point| {
            if at == Point::Sending {
                stage.clock.jump(jump);
            }
            false
        };
        let report = stage.apply_cut(&Files::of(&findings), &yes(), &jumping).expect("is applied");
        assert_eq!(
            (report.items[0].outcome, report.exit_code()),
            (Outcome::Revoked, 0),
            "{jump}: {report:?}"
        );
        assert_eq!((stage.mutations(), stage.mock.is_live(&key.secret)), (1, false), "{jump}");
    }
}

#[test]
fn two_processes_do_not_share_a_plan() {
    let stage = Stage::drill();
    let key = stage.mock.issue(Kind::Drill, 1);
    let findings = [finding("drill-key", &key.secret, "a.env")];
    let plan = stage.plan(&findings, &PlanOptions::default());
    let path = Plan::journal_path(&stage.plan_path());
    let _held = keycull::revoke::Journal::open(&path, &plan.digest).expect("opens");
    let error = stage.apply_cut(&Files::of(&findings), &yes(), &|_| false).expect_err("is locked");
    assert!(error.to_string().contains("right now"), "{error}");
    assert_eq!((error.exit_code(), stage.mutations()), (2, 0));
}

#[test]
fn a_plan_for_a_person_is_not_applied_without_one() {
    let stage = Stage::with_drill(
        "[unattended]\nenabled = true\nmax = 1\nirreversible = [\"drill-key\"]\nproviders = [\"drill\"]\n",
    );
    let keys = [stage.mock.issue(Kind::Drill, 1), stage.mock.issue(Kind::Drill, 2)];
    let findings =
        [finding("drill-key", &keys[0].secret, "a.env"), finding("drill-key", &keys[1].secret, "b.env")];
    let files = Files::of(&findings);
    let alone = ApplyOptions { yes: true, unattended: true, ..ApplyOptions::default() };
    stage.plan(&findings, &PlanOptions::default());
    let error = stage.apply_cut(&files, &alone, &|_| false).expect_err("a person was to look at it");
    assert!(matches!(error, ApplyError::Attended), "{error}");
    stage.plan(&findings, &PlanOptions { unattended: true, ..PlanOptions::default() });
    std::fs::remove_file(Plan::journal_path(&stage.plan_path())).expect("starts anew");
    let error = stage.apply_cut(&files, &alone, &|_| false).expect_err("the policy's own brake");
    assert!(matches!(error, ApplyError::TooMany(2, 1)), "{error}");
    assert_eq!((error.exit_code(), stage.mutations()), (6, 0));
    let one = ApplyOptions { only: [findings[0].fingerprint.to_string()].into(), ..alone };
    let report = stage.apply_cut(&files, &one, &|_| false).expect("one is within the policy");
    assert_eq!((report.items[0].outcome, report.exit_code()), (Outcome::Revoked, 0));
}

#[test]
fn a_secret_handed_in_is_revoked_the_same_way() {
    let stage = Stage::drill();
    let key = stage.mock.issue(Kind::Drill, 1);
    let found =
        Found { secret: Secret::new(key.secret.as_str()), checksum: Checksum::Passed, document: None };
    let given =
        GivenSecret { rule: super::stage::rule("drill-key"), secrets: vec![("drill-key".to_owned(), found)] };
    let plan = stage.plan(&given.findings(), &PlanOptions::default());
    assert_eq!(
        (plan.items[0].decision.clone(), plan.items[0].places[0].kind.as_str()),
        (Decision::Ready, "stdin")
    );
    let yes = ApplyOptions { yes: true, ..ApplyOptions::default() };
    let report = stage.apply_cut(&given, &yes, &|_| false).expect("is applied");
    assert_eq!((report.items[0].outcome, report.exit_code()), (Outcome::Revoked, 0));
    stage.assert_clean(&report, &[&key.secret]);
}

#[test]
fn one_key_found_by_two_rules_gets_one_request() {
    let stage = Stage::new(&["gitlab.com"], "");
    let key = stage.mock.issue(Kind::Gitlab, 1);
    let rules = ["gitlab-pat", "gitlab-pat-routable"];
    let findings: Vec<_> = rules.iter().map(|rule| finding(rule, &key.secret, "a.env")).collect();
    let plan = stage.plan(&findings, &PlanOptions::default());
    assert_eq!(plan.items.len(), 1);
    let report = stage.apply(&Files::of(&findings));
    assert_eq!((report.items[0].outcome, stage.mutations()), (Outcome::Revoked, 1));
}
