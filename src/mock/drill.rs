//! The fire alarm: plant keys, find them, kill them, be killed at every step, and prove that it worked.
//!
//! Runs the program itself, by its command line, in processes that really die: what a drill shows
//! is what an incident will meet. Everything happens in one folder and on loopback.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::revoke::{Point, verify_audit};

use super::{Faults, Issued, Kind, MockProvider};

/// Host of the drill's provider; under a name that no resolver knows.
const HOST: &str = "drill.keycull.invalid";
/// Keys that leak: those that are asked to end themselves, and those whose id has to be found in a list.
const LEAKED: [(Kind, u64); 2] = [(Kind::Drill, 3), (Kind::Listed, 1)];
/// Keys of the same provider that must survive.
const BYSTANDERS: [(Kind, u64); 2] = [(Kind::Drill, 3), (Kind::Listed, 2)];
/// Stands for the other port in a list of faults: `redirect=307@decoy`.
const DECOY: &str = "decoy";

/// How a drill is held.
#[derive(Clone, Debug, Default)]
pub struct DrillOptions {
    /// Makes the keys.
    pub seed: u64,
    /// How the provider misbehaves while keys are killed, as [`Faults`] are written; `@decoy` stands for
    /// a port that nobody may visit. Without any it is merely slow.
    pub faults: String,
}

/// One thing the drill looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What, in words.
    pub what: &'static str,
    /// Whether it held.
    pub held: bool,
}

/// What the drill showed.
#[derive(Clone, Debug, Serialize)]
pub struct DrillReport {
    /// Everything it looked at.
    pub checks: Vec<Check>,
    /// From the commit to the proof of death, kills and resumptions included, in milliseconds.
    pub commit_to_dead_ms: u64,
    /// Times the program was killed on the way.
    pub kills: usize,
    /// What was reported while the provider misbehaved: outcomes and how many.
    pub outcomes: BTreeMap<String, usize>,
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

/// The detection rules of the drill.
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
[[rule]]
id = "drill-listed-key"
name = "keycull drill key with an id"
description = "Opens nothing: issued by the mock provider for drills."
kind = "token"
severity = "high"
prefix = "dlist_"
body = "alnum{36}"
checksum = "github-crc32"
examples = ["key = \"${dlist_:github}\""]
references = ["https://github.com/keycull/keycull"]
rotate = "Nothing to rotate."
evidence = "documentation"
"#
}

/// The operator's file of the drill: its providers, sent to `address` on loopback, and nothing else reached.
#[must_use]
pub fn drill_operator(address: SocketAddr) -> String {
    format!(
        r#"schema = 1
[network]
loopback_only = true
[network.loopback]
"{HOST}" = "{address}"
[unattended]
enabled = true
irreversible = ["drill-key", "drill-listed-key"]
providers = ["drill", "drill-listed"]
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
[[provider]]
id = "drill-listed"
rules = ["drill-listed-key"]
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
binding = "exact"
idempotent = true
unattended = true
propagation = "5s"
[[provider.revoke.step]]
name = "list"
request = {{ method = "GET", url = "https://{HOST}/oauth/authorizations", bearer = true }}
need = [ {{ status = 200 }} ]
take = {{ id = {{ json_find = {{ in = "/*", where = {{ "/access_token/token" = "{{secret}}" }}, get = "/id", unique = true }}, match = "[0-9a-f]{{32}}" }} }}
[[provider.revoke.step]]
name = "delete"
mutates = true
request = {{ method = "DELETE", url = "https://{HOST}/oauth/authorizations/{{id}}", bearer = true }}
outcome = [ {{ is = "accepted", status = 200 }}, {{ is = "already_dead", status = 401 }} ]
"#
    )
}

/// Holds a drill with `program` (keycull itself) in `folder`, which must be empty.
///
/// The run is killed at every point of the journal in turn and resumed, while the provider
/// misbehaves as asked; then the provider is healed, and what is still live is killed as well.
///
/// # Errors
///
/// Something was missing (git, a port) before anything could be shown.
pub fn drill(folder: &Path, program: &Path, options: &DrillOptions) -> Result<DrillReport, DrillError> {
    let mut stage = Stage::set(folder, program, options.seed)?;
    let began = Instant::now();
    plant(&stage.repository, &stage.leaked)?;
    stage.find()?;
    stage.plan("plan.json")?;

    let mut faults = options.faults.clone();
    if faults.trim().is_empty() {
        faults.push_str("slow=1");
    }
    let faults = faults.replace(DECOY, &step("decoy port", stage.decoy.local_addr())?.to_string());
    let faults: Faults = step("faults", faults.parse())?;
    stage.provider.set_faults(Faults { silence: Duration::from_millis(1500), ..faults });
    let report = stage.killed_at_every_point("plan.json")?;
    stage.truth(&report);

    stage.provider.set_faults(Faults::default());
    if !stage.all_dead() {
        // What came of the first plan stays in its journal; what is still live gets a new one.
        stage.plan("again.json")?;
        let again = stage.apply("again.json", None)?;
        stage.truth(&outcomes(&again.stdout));
    }
    let commit_to_dead = began.elapsed();
    stage.look_around();
    Ok(DrillReport {
        checks: stage.checks,
        commit_to_dead_ms: u64::try_from(commit_to_dead.as_millis()).unwrap_or(u64::MAX),
        kills: stage.kills,
        outcomes: report.into_iter().fold(BTreeMap::new(), |mut sum, (_, outcome)| {
            *sum.entry(outcome).or_default() += 1;
            sum
        }),
    })
}

/// What one run of the program left behind.
struct Ran {
    code: Option<i32>,
    stdout: String,
}

struct Stage {
    folder: PathBuf,
    repository: PathBuf,
    program: PathBuf,
    provider: MockProvider,
    decoy: TcpListener,
    leaked: Vec<Issued>,
    bystanders: Vec<Issued>,
    checks: Vec<Check>,
    kills: usize,
    /// Everything the program has said.
    said: Vec<u8>,
}

impl Stage {
    fn set(folder: &Path, program: &Path, seed: u64) -> Result<Self, DrillError> {
        let provider = step("mock provider", MockProvider::start(0, Faults::default()))?;
        let decoy = step("decoy port", TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        step("decoy port", decoy.set_nonblocking(true))?;
        let issue = |wanted: [(Kind, u64); 2], offset: u64| -> Vec<Issued> {
            let all = wanted.into_iter().flat_map(|(kind, count)| (0..count).map(move |_| kind));
            // Each its own seed, and so its own id.
            let seeds = (offset..).map(|at| seed.wrapping_add(at));
            all.zip(seeds).map(|(kind, seed)| provider.issue(kind, seed)).collect()
        };
        let (leaked, bystanders) = (issue(LEAKED, 1), issue(BYSTANDERS, 1000));
        let folder = step("folder", folder.canonicalize())?;
        step(
            "operator's file",
            std::fs::write(folder.join("operator.toml"), drill_operator(provider.address())),
        )?;
        step("rule", std::fs::write(folder.join("drill-rule.toml"), drill_rule()))?;
        Ok(Self {
            repository: folder.join("repository"),
            folder,
            program: program.to_owned(),
            provider,
            decoy,
            leaked,
            bystanders,
            checks: Vec::new(),
            kills: 0,
            said: Vec::new(),
        })
    }

    fn check(&mut self, what: &'static str, held: bool) {
        match self.checks.iter_mut().find(|check| check.what == what) {
            Some(check) => check.held &= held,
            None => self.checks.push(Check { what, held }),
        }
    }

    /// Runs the program in the repository; only what it needs of the environment is passed on.
    fn run(&mut self, arguments: &[&str]) -> Result<Ran, DrillError> {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.repository).args(arguments).env_clear().env("HOME", &self.folder);
        for name in ["PATH", "TMPDIR", "SYSTEMROOT", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        let output = step("run", command.stdin(Stdio::null()).output())?;
        self.said.extend_from_slice(&output.stdout);
        self.said.extend_from_slice(&output.stderr);
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(Ran { code: output.status.code(), stdout })
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }

    fn find(&mut self) -> Result<(), DrillError> {
        let (rules, findings) = (self.path("drill-rule.toml"), self.path("findings.jsonl"));
        let ran = self.run(&[
            "scan",
            "--no-config",
            "--rules",
            &rules,
            "--format",
            "jsonl",
            "--output",
            &findings,
        ])?;
        let text = step("findings", std::fs::read_to_string(&findings))?;
        let found = text.lines().filter(|line| line.contains("\"rule\":\"drill-")).count();
        self.check("every planted key is found", ran.code == Some(1) && found == self.leaked.len());
        Ok(())
    }

    fn plan(&mut self, name: &str) -> Result<(), DrillError> {
        let (rules, operator) = (self.path("drill-rule.toml"), self.path("operator.toml"));
        let (findings, plan) = (self.path("findings.jsonl"), self.path(name));
        let ran = self.run(&[
            "revoke",
            "plan",
            &findings,
            "--only",
            "drill-key",
            "--only",
            "drill-listed-key",
            "--rules",
            &rules,
            "--operator",
            &operator,
            "-o",
            &plan,
        ])?;
        if ran.code == Some(0) {
            Ok(())
        } else {
            Err(DrillError::Step("plan", String::from_utf8_lossy(&self.said).into_owned()))
        }
    }

    fn apply(&mut self, plan: &str, die_at: Option<Point>) -> Result<Ran, DrillError> {
        let (rules, operator, plan) =
            (self.path("drill-rule.toml"), self.path("operator.toml"), self.path(plan));
        let audit = self.path("audit.jsonl");
        let mut arguments = vec![
            "revoke",
            "apply",
            &plan,
            "--yes",
            "--emergency",
            "--format",
            "json",
            "--rules",
            &rules,
            "--operator",
            &operator,
            "--audit-log",
            &audit,
        ];
        if let Some(point) = die_at {
            arguments.extend(["--die-at", point.as_str()]);
        }
        self.run(&arguments)
    }

    /// Applies the plan, killed at each point once, and resumes until a run ends by itself.
    fn killed_at_every_point(&mut self, plan: &str) -> Result<BTreeMap<String, String>, DrillError> {
        for point in Point::ALL {
            let ran = self.apply(plan, Some(point))?;
            if ran.code.is_none() {
                self.kills += 1;
            } else {
                let report = outcomes(&ran.stdout);
                self.truth(&report);
                let unsent = |outcome: &String| matches!(outcome.as_str(), "skipped" | "refused");
                if !report.is_empty() && report.values().all(unsent) {
                    // Nothing is ever sent under this fault, so no later point can be reached.
                    return Ok(report);
                }
            }
        }
        let ran = self.apply(plan, None)?;
        Ok(outcomes(&ran.stdout))
    }

    fn all_dead(&self) -> bool {
        self.leaked.iter().all(|key| !self.provider.is_live(&key.secret))
    }

    /// No report calls a key dead that the provider still takes.
    fn truth(&mut self, report: &BTreeMap<String, String>) {
        let fingerprint = |key: &Issued| {
            let secret = crate::finding::Secret::new(key.secret.as_str());
            crate::finding::Fingerprint::of(&secret, false, None).to_string()
        };
        let lies = self.leaked.iter().any(|key| {
            let said = report.get(&fingerprint(key)).map(String::as_str);
            matches!(said, Some("revoked" | "already-dead")) && self.provider.is_live(&key.secret)
        });
        self.check("no live key is ever reported dead", !lies);
    }

    /// What must hold at the end, whatever happened on the way.
    fn look_around(&mut self) {
        let dead = self.all_dead();
        self.check("every leaked key is dead at the provider", dead);
        let alive = self.bystanders.iter().all(|key| self.provider.is_live(&key.secret));
        self.check("no other key was touched", alive);
        let unvisited =
            self.decoy.accept().is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
        self.check("nobody went to the other port", unvisited);
        let audit = verify_audit(&self.folder.join("audit.jsonl")).is_ok_and(|audit| audit.lines > 0);
        self.check("the audit log is whole", audit);
        let keys: Vec<&Issued> = self.leaked.iter().chain(&self.bystanders).collect();
        let silent = keys.iter().all(|key| !holds(&self.said, key));
        let clean = files_are_clean(&self.folder, &keys);
        self.check("no secret was said", silent);
        self.check("no secret is in the findings, the plan, the journal or the audit log", clean);
    }
}

/// Outcomes of a JSON report of `apply`, by fingerprint; empty when there is none.
fn outcomes(stdout: &str) -> BTreeMap<String, String> {
    let report: serde_json::Value = serde_json::from_str(stdout).unwrap_or_default();
    let items = report.pointer("/items").and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
    let text = |item: &serde_json::Value, key: &str| Some(item.get(key)?.as_str()?.to_owned());
    items.iter().filter_map(|item| Some((text(item, "fingerprint")?, text(item, "outcome")?))).collect()
}

/// Whether `text` holds the key, or most of it.
fn holds(text: &[u8], key: &Issued) -> bool {
    let secret = key.secret.as_bytes();
    memchr::memmem::find(text, &secret[8..secret.len() - 8]).is_some()
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
    let mut command = Command::new("git");
    command.arg("-C").arg(repository);
    for setting in ["user.name=drill", "user.email=drill@example.invalid", "commit.gpgsign=false"] {
        command.args(["-c", setting]);
    }
    command.args(arguments).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    // A drill from within a hook must not touch the repository the hook is for.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR"] {
        command.env_remove(name);
    }
    let output = step("git", command.output())?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(DrillError::Step("git", said)) }
}

/// Whether no file in `folder`, the planted repository aside, holds a key.
fn files_are_clean(folder: &Path, keys: &[&Issued]) -> bool {
    let mut folders = vec![folder.to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { return false };
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            if path.is_dir() {
                folders.extend((!path.ends_with("repository")).then_some(path));
                continue;
            }
            let Ok(bytes) = std::fs::read(&path) else { return false };
            if keys.iter().any(|key| holds(&bytes, key)) {
                return false;
            }
            files += 1;
        }
    }
    files > 0
}
