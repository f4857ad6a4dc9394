//! The fire alarm: plant keys, find them, kill them, be killed at every step, and prove that it worked.
//!
//! Everything happens in one folder and on loopback. The scanner is handed in, because a drill
//! shows that *this* installation finds keys, by the way it always finds them.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use crate::finding::Finding;
use crate::net::{Client, Clock, NetOptions, Rate, SystemClock};
use crate::revoke::{
    Apply, ApplyOptions, ApplyReport, Audit, Confirmation, Journal, Outcome, Plan, PlanOptions, Planner,
    Point, SecretSource, verify_audit,
};
use crate::validate::{Operator, Providers, Validator, Wire};

use super::{Faults, Issued, Kind, MockProvider};

/// Host of the drill's provider; under a name that no resolver knows.
const HOST: &str = "drill.keycull.invalid";
/// Keys that leak.
const LEAKED: u64 = 3;
/// Keys of the same provider that must survive.
const BYSTANDERS: u64 = 3;

/// Finds keys in a folder, and reads them again.
pub trait Scanner {
    /// All findings in the git repository at `folder`; keys of the drill come from rule `drill-key`.
    ///
    /// # Errors
    ///
    /// The scan failed, in words.
    fn scan(&self, folder: &Path) -> Result<Vec<Finding>, String>;

    /// Reads places of that repository again.
    fn source(&self, folder: &Path) -> Box<dyn SecretSource + '_>;
}

/// One thing the drill looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What, in words.
    pub what: String,
    /// Whether it held.
    pub held: bool,
}

/// What the drill showed.
#[derive(Clone, Debug)]
pub struct DrillReport {
    /// Everything it looked at.
    pub checks: Vec<Check>,
    /// From the commit to the proof of death, kills and resumptions included.
    pub commit_to_dead: Duration,
    /// Times the run was cut off.
    pub cuts: usize,
}

impl DrillReport {
    /// Whether everything held.
    #[must_use]
    pub fn passed(&self) -> bool {
        !self.checks.is_empty() && self.checks.iter().all(|check| check.held)
    }
}

/// Why a drill could not be held.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// A step failed before anything could be shown.
    #[error("the drill stopped at {0}: {1}")]
    Step(&'static str, String),
}

fn step<T, E: std::fmt::Display>(name: &'static str, result: Result<T, E>) -> Result<T, DrillError> {
    result.map_err(|error| DrillError::Step(name, error.to_string()))
}

/// The detection rule of the drill, for the scanner's own set.
#[must_use]
pub fn drill_rule() -> &'static str {
    r#"schema = 1
[[rule]]
id = "drill-key"
name = "keycull drill key"
description = "Opens nothing: issued by the mock provider for drills."
kind = "token"
severity = "high"
prefix = "drill_"
body = "alnum{36}"
checksum = "github-crc32"
examples = ["key = \"${drill_:github}\""]
references = ["https://github.com/keycull/keycull"]
rotate = "Nothing to rotate."
evidence = "documentation"
"#
}

/// The operator's file of the drill: its provider, sent to `address` on loopback.
#[must_use]
pub fn drill_operator(address: std::net::SocketAddr) -> String {
    format!(
        r#"schema = 1
[network.loopback]
"{HOST}" = "{address}"
[unattended]
enabled = true
irreversible = ["drill-key"]
[[provider]]
id = "drill"
rules = ["drill-key"]
hosts = ["{HOST}"]
evidence = "documentation"
references = ["docs/revocation.md"]
[provider.validate]
request = {{ method = "GET", url = "https://{HOST}/whoami", bearer = true }}
outcome = [
  {{ is = "live", status = 200, json = {{ "/name" = "*" }}, keep = {{ who = "/name" }} }},
  {{ is = "dead", status = 401 }},
]
[provider.revoke]
class = "self"
binding = "self"
idempotent = true
unattended = true
propagation = "5s"
request = {{ method = "DELETE", url = "https://{HOST}/self", bearer = true }}
outcome = [ {{ is = "accepted", status = 204 }}, {{ is = "already_dead", status = 401 }} ]
"#
    )
}

struct Scene {
    provider: MockProvider,
    decoy: TcpListener,
    leaked: Vec<Issued>,
    bystanders: Vec<Issued>,
    operator: Operator,
}

/// Holds a drill in `folder`, which must be empty; `seed` makes the keys.
///
/// The run is cut off after every point of the journal in turn and resumed, while the provider
/// sends every second connection's caller to another port (and watches that nobody goes there).
///
/// # Errors
///
/// Something was missing (git, a port) before anything could be shown.
pub fn drill(folder: &Path, scanner: &dyn Scanner, seed: u64) -> Result<DrillReport, DrillError> {
    let scene = set(seed)?;
    let repository = folder.join("repository");
    let began = Instant::now();
    plant(&repository, &scene.leaked)?;
    let findings = step("scan", scanner.scan(&repository))?;
    let leaked: BTreeSet<&str> = scene.leaked.iter().map(|key| key.secret.as_str()).collect();
    let found =
        findings.iter().filter(|f| std::str::from_utf8(f.secret.expose()).is_ok_and(|s| leaked.contains(s)));
    let mut checks = vec![check("every planted key is found", found.count() == leaked.len())];

    let clock = Arc::new(SystemClock::new());
    let options = NetOptions {
        loopback: scene.operator.loopback.clone(),
        loopback_only: true,
        deadline: Duration::from_secs(5),
        rate: Rate { burst: 100, every: Duration::from_millis(1) },
        ..NetOptions::default()
    };
    let client = step("network", Client::new(options, clock.clone()))?;
    let wire = Wire { transport: &client, clock: clock.as_ref() };
    let providers = Providers::with(&scene.operator.providers);
    let validator = Validator::new(&providers, &scene.operator, wire);
    let planner =
        Planner { providers: &providers, operator: &scene.operator, validator: &validator, source: None };
    let unattended = PlanOptions { unattended: true, ..PlanOptions::default() };
    let plan = planner.plan(&findings, "drill", clock.now(), &unattended);
    let path = folder.join("plan.json");
    step("plan", plan.save(&path))?;

    let source = scanner.source(&repository);
    let (report, cuts) =
        cut_and_resume(&scene, &providers, &validator, wire, source.as_ref(), &path, folder)?;
    let commit_to_dead = began.elapsed();

    checks.push(check("every leaked key is reported revoked or dead", all_dead(&report)));
    checks.push(check(
        "every leaked key is dead at the provider",
        scene.leaked.iter().all(|key| !scene.provider.is_live(&key.secret)),
    ));
    checks.push(check(
        "no other key was touched",
        scene.bystanders.iter().all(|key| scene.provider.is_live(&key.secret)),
    ));
    checks.push(check("nobody went to the other port", unvisited(&scene.decoy)));
    checks.push(check(
        "the audit log is whole",
        verify_audit(&folder.join("audit.jsonl")).is_ok_and(|audit| audit.lines > 0),
    ));
    let written = format!("{report:?}{}{}", report.to_json(), plan.to_json());
    let secrets: Vec<&Issued> = scene.leaked.iter().chain(&scene.bystanders).collect();
    let clean = secrets.iter().all(|key| !written.contains(&key.secret)) && files_are_clean(folder, &secrets);
    checks.push(check("no secret is in the plan, the journal, the audit log or a report", clean));
    Ok(DrillReport { checks, commit_to_dead, cuts })
}

fn check(what: &str, held: bool) -> Check {
    Check { what: what.to_owned(), held }
}

fn all_dead(report: &ApplyReport) -> bool {
    let dead = |outcome| matches!(outcome, Outcome::Revoked | Outcome::AlreadyDead);
    report.items.len() as u64 == LEAKED
        && report.items.iter().all(|item| dead(item.outcome))
        && report.exit_code() == 0
}

fn set(seed: u64) -> Result<Scene, DrillError> {
    let provider = step("mock provider", MockProvider::start(0, Faults { slow: 1, ..Faults::default() }))?;
    let decoy = step("decoy port", TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
    step("decoy port", decoy.set_nonblocking(true))?;
    let issue = |count: u64, offset: u64| -> Vec<Issued> {
        (0..count).map(|at| provider.issue(Kind::Drill, seed.wrapping_add(offset + at))).collect()
    };
    let (leaked, bystanders) = (issue(LEAKED, 1), issue(BYSTANDERS, 1000));
    let operator = step("operator's file", Operator::parse(&drill_operator(provider.address())))?;
    Ok(Scene { provider, decoy, leaked, bystanders, operator })
}

/// Commits the keys, one file each.
fn plant(repository: &Path, keys: &[Issued]) -> Result<(), DrillError> {
    step("git init", std::fs::create_dir_all(repository))?;
    git(repository, &["init", "--quiet", "--initial-branch=main"])?;
    for (at, key) in keys.iter().enumerate() {
        let text = format!("# settings {at}\napi_key = \"{}\"\n", key.secret);
        step("write a file", std::fs::write(repository.join(format!("settings-{at}.toml")), text))?;
    }
    git(repository, &["add", "."])?;
    git(repository, &["commit", "--quiet", "--message", "Add settings"])
}

fn git(repository: &Path, arguments: &[&str]) -> Result<(), DrillError> {
    let output = Command::new("git")
        .arg("-C")
        .arg(repository)
        .args([
            "-c",
            "user.name=drill",
            "-c",
            "user.email=drill@example.invalid",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .output();
    let output = step("git", output)?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(DrillError::Step("git", said)) }
}

/// Applies the plan, cutting the run off at each point once, and resumes until it ends by itself.
fn cut_and_resume(
    scene: &Scene,
    providers: &Providers,
    validator: &Validator<'_>,
    wire: Wire<'_>,
    source: &dyn SecretSource,
    path: &Path,
    folder: &Path,
) -> Result<(ApplyReport, usize), DrillError> {
    let cancel = AtomicBool::new(false);
    let options =
        ApplyOptions { yes: true, confirmation: Confirmation::Emergency, ..ApplyOptions::default() };
    let mut cuts = 0;
    for wanted in Point::ALL.into_iter().map(Some).chain([None]) {
        let plan = step("read the plan", Plan::load(path, "drill"))?;
        let mut journal = step("journal", Journal::open(&Plan::journal_path(path), &plan.digest))?;
        let mut audit = step("audit log", Audit::open(&folder.join("audit.jsonl"), "drill", "drill"))?;
        let hit = Cell::new(false);
        let cut = |point: Point| {
            let now = Some(point) == wanted;
            hit.set(hit.get() || now);
            now
        };
        let apply = Apply {
            providers,
            operator: &scene.operator,
            validator,
            wire,
            source,
            key: None,
            cancel: &cancel,
            cut: &cut,
        };
        let report = step("apply", apply.run(&plan, &mut journal, &mut audit, &options))?;
        cuts += usize::from(hit.get());
        if wanted.is_none() {
            return Ok((report, cuts));
        }
    }
    Err(DrillError::Step("apply", "no run came to its end".to_owned()))
}

fn unvisited(decoy: &TcpListener) -> bool {
    decoy.accept().is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

/// Whether no file in `folder`, the planted repository aside, holds a secret.
fn files_are_clean(folder: &Path, secrets: &[&Issued]) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    let files: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_file()).collect();
    !files.is_empty()
        && files.iter().all(|file| {
            let Ok(bytes) = std::fs::read(file) else { return false };
            secrets.iter().all(|key| memchr::memmem::find(&bytes, key.secret.as_bytes()).is_none())
        })
}
