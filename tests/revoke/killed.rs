//! A real process, really killed at every point of a run, and resumed by another.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use keycull::mock::drill::drill_operator;
use keycull::mock::{Faults, Kind, MockProvider};
use keycull::net::{Client, NetOptions, Rate, SystemClock};
use keycull::revoke::{Apply, ApplyReport, Audit, Journal, Outcome, Plan, PlanOptions, Planner, Point};
use keycull::validate::{Operator, Providers, Validator, Wire};

use crate::support::witness;

use super::stage::{Files, finding, yes};

/// Tells the child where the stage is, where the mock listens, where to die, and the key.
const FOLDER: &str = "KEYCULL_TEST_FOLDER";
const ADDRESS: &str = "KEYCULL_TEST_ADDRESS";
const POINT: &str = "KEYCULL_TEST_POINT";

/// Plans (if there is no plan yet) and applies in `folder`, against the mock at `address`.
fn apply(folder: &Path, address: &str, secret: &str, cut: &dyn Fn(Point) -> bool) -> ApplyReport {
    let operator =
        Operator::parse(&drill_operator(address.parse().expect("is an address"))).expect("is read");
    let clock = Arc::new(SystemClock::new());
    let options = NetOptions {
        loopback: operator.loopback.clone(),
        loopback_only: true,
        deadline: Duration::from_secs(5),
        rate: Rate { burst: 100, every: Duration::from_millis(1) },
        ..NetOptions::default()
    };
    let client = Client::new(options, clock.clone()).expect("is a client");
    let wire = Wire { transport: &client, clock: clock.as_ref() };
    let providers = Providers::with(&operator.providers);
    let validator = Validator::new(&providers, &operator, wire);
    let findings = [finding("drill-key", secret, "a.env")];
    let path = folder.join("plan.json");
    if !path.exists() {
        let planner = Planner {
            providers: &providers,
            operator: &operator,
            validator: &validator,
            source: None,
            cancel: &AtomicBool::new(false),
        };
        let now = keycull::net::Clock::now(clock.as_ref());
        planner.plan(&findings, "rules-1", now, &PlanOptions::default()).save(&path).expect("is written");
    }
    let plan = Plan::load(&path, "rules-1").expect("is a plan");
    let mut journal = Journal::open(&Plan::journal_path(&path), &plan.digest).expect("opens");
    let mut audit = Audit::open(&folder.join("audit.jsonl"), "run", "test").expect("opens");
    let apply = Apply {
        providers: &providers,
        operator: &operator,
        validator: &validator,
        wire,
        source: &Files::of(&findings),
        key: None,
        cancel: &AtomicBool::new(false),
        cut,
    };
    apply.run(&plan, &mut journal, &mut audit, &yes()).expect("is applied")
}

/// Not a test by itself: the process that dies. The key comes on standard input.
#[test]
#[ignore = "run by the test below, in a process of its own"]
fn child() {
    let (Ok(folder), Ok(address), Ok(point)) =
        (std::env::var(FOLDER), std::env::var(ADDRESS), std::env::var(POINT))
    else {
        return;
    };
    let mut secret = String::new();
    std::io::stdin().read_line(&mut secret).expect("the key comes in");
    let die = |at: Point| {
        if format!("{at:?}") == point {
            // No destructor, no flush: as good as SIGKILL for everything this process holds.
            std::process::abort();
        }
        false
    };
    apply(&PathBuf::from(folder), &address, secret.trim(), &die);
}

#[test]
fn killed_at_any_point_the_next_process_finishes_the_job() {
    for point in Point::ALL {
        let mock = MockProvider::start(0, Faults::default()).expect("a port");
        let (key, other) = (mock.issue(Kind::Drill, 1), mock.issue(Kind::Drill, 2));
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = Command::new(std::env::current_exe().expect("this binary"))
            .args(["--exact", "revoke::killed::child", "--ignored", "--nocapture"])
            .env(FOLDER, folder.path())
            .env(ADDRESS, mock.address().to_string())
            .env(POINT, format!("{point:?}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut input = child.stdin.take().expect("has one");
        std::io::Write::write_all(&mut input, format!("{}\n", key.secret).as_bytes()).expect("is told");
        drop(input);
        let output = child.wait_with_output().expect("ends");
        assert!(!output.status.success(), "{point:?}: it was not killed");
        witness::made_by(&mock);
        witness::said("the dying process", &[output.stdout, output.stderr].concat());

        let report = apply(folder.path(), &mock.address().to_string(), &key.secret, &|_| false);
        assert_eq!(
            (report.items[0].outcome, report.exit_code()),
            (Outcome::Revoked, 0),
            "{point:?}: {report:?}"
        );
        assert!(!mock.is_live(&key.secret) && mock.is_live(&other.secret), "{point:?}");
        let sent = mock.requests().iter().filter(|request| request.method == "DELETE").count();
        assert_eq!(sent, 1, "{point:?}: sent once");
        witness::left(folder.path());
    }
}
