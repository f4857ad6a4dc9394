//! What a scan is asked for, once flags, environment and configuration files are joined.
//!
//! Precedence, nearest first: flags, `KEYCULL_*` variables, `keycull.toml` of what is scanned,
//! the user's own configuration file, defaults.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use sha2::{Digest, Sha256};

use crate::config::{
    self, AcceptedGap, AllowEntry, Baseline, FailOn, Given, HookLayer, KEYS, Key, Layer, OnTimeout, Place,
    RuleTable,
};
use crate::finding::{Confidence, Severity};
use crate::import::gitleaks;
use crate::source::archive::Limits;
use crate::triage;

use super::args::{ConfigArgs, HookRunArgs, ScanArgs, Voice};
use super::baseline;
use super::environment::Environment;
use super::failure::{Failure, Outcome};
use super::import;
use super::shelf::Shelf;

/// Time a hook on a server may take, unless somebody says otherwise.
const SERVER_TIME: Duration = Duration::from_secs(30);

/// When text reports are coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Even into files and pipes.
    Always,
    /// Not at all.
    Never,
}

/// Which rules run.
#[derive(Clone, Debug, Default)]
pub(super) struct RuleChoice {
    /// Ids or globs; empty stands for all.
    pub select: Vec<Given<String>>,
    /// Ids or globs that do not run.
    pub exclude: Vec<Given<String>>,
    /// Further rule files.
    pub files: Vec<Given<PathBuf>>,
    /// Rules out of configuration files.
    pub tables: Vec<RuleTable>,
    /// A configuration of another tool.
    pub imported: Option<Arc<gitleaks::Config>>,
}

impl RuleChoice {
    /// No built-in rule is left out.
    pub(super) fn is_everything(&self) -> bool {
        self.select.is_empty() && self.exclude.is_empty()
    }
}

/// Every setting with a value.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// Least confidence that is reported.
    pub confidence: Confidence,
    /// Least severity that is reported.
    pub severity: Severity,
    /// What makes the exit code 1.
    pub fail_on: FailOn,
    /// The baseline, where one is in force.
    pub baseline: Option<Given<PathBuf>>,
    /// Known secrets besides those of the baseline: what the base side says on a server.
    pub known: Baseline,
    /// Entries that do nothing make the exit code 1.
    pub fail_on_stale: bool,
    /// Markers that come with a range count in it.
    pub allow_new_markers: bool,
    /// Markers of other tools that count, since the tool is configured here.
    pub markers: Vec<&'static str>,
    /// Format of the report on standard output or in `--output`, as written.
    pub format: Option<Given<String>>,
    /// When text reports are coloured.
    pub color: Color,
    /// Worker threads; at least 1.
    pub jobs: usize,
    /// What opening containers may cost.
    pub archives: Limits,
    /// Untracked files that git ignores are scanned, too.
    pub no_ignore: bool,
    /// Globs of paths left out, as written.
    pub exclude: Vec<Given<String>>,
    /// Gaps that may stay.
    pub accept: Vec<Given<AcceptedGap>>,
    /// Findings that are known and accepted.
    pub allow: Vec<AllowEntry>,
    /// Which rules run.
    pub rules: RuleChoice,
    /// What only git hooks ask for.
    pub hook: HookSettings,
}

/// Settings of git hooks.
#[derive(Clone, Copy, Debug)]
pub(super) struct HookSettings {
    /// Least confidence that stops a hook.
    pub confidence: Confidence,
    /// Time a hook on a server may take.
    pub time_budget: Duration,
    /// What a hook on a server does when the time is used up.
    pub on_timeout: OnTimeout,
    /// Whether a push option lets findings pass on a server.
    pub break_glass: bool,
    /// Whether markers in what is pushed count on a server.
    pub allow_markers: bool,
}

impl Settings {
    /// Joins the settings of a scan; `root` is where the scanned tree's `keycull.toml` would be.
    ///
    /// # Errors
    /// A value that makes no sense, or a configuration file that cannot be used.
    pub(super) fn of_scan(
        args: &ScanArgs,
        voice: &Voice,
        environment: &Environment,
        root: Option<&Path>,
        shelf: &Shelf<'_>,
    ) -> Outcome<Self> {
        let near = flags(args, voice)?.over(environment.layer()?);
        Self::joined(near, &args.config, environment, root, shelf, Layer::default())
    }

    /// Lays `near` over what the files say, and that over `far`.
    fn joined(
        near: Layer,
        config: &ConfigArgs,
        environment: &Environment,
        root: Option<&Path>,
        shelf: &Shelf<'_>,
        far: Layer,
    ) -> Outcome<Self> {
        let files = files(config, environment, root, shelf)?;
        let layer = near.over(files.layer).over(far);
        let named = layer.import.as_ref().filter(|given| !given.value.as_os_str().is_empty());
        let named = named.map(|given| import::read(&given.value, shelf)).transpose()?;
        let mut settings = Self::resolve(layer)?;
        settings.rules.imported = named.or(files.imported).map(Arc::new);
        if let Some(root) = root.filter(|_| !reads_no_files(config, environment).unwrap_or_default()) {
            settings.markers = triage::markers_in_use(|name| shelf.has(&root.join(name)));
        }
        if settings.baseline.is_none() && !config.no_config {
            settings.baseline = root
                .map(|root| root.join(config::BASELINE_NAME))
                .filter(|file| shelf.has(file))
                .map(|value| Given { place: Place::File { file: value.clone(), line: 1 }, value });
        }
        Ok(settings)
    }

    /// Joins the settings of a hook; `root` is where the repository's `keycull.toml` would be.
    ///
    /// # Errors
    /// As [`Settings::of_scan`].
    pub(super) fn of_hook(
        args: &HookRunArgs,
        voice: &Voice,
        environment: &Environment,
        root: Option<&Path>,
        shelf: &Shelf<'_>,
    ) -> Outcome<Self> {
        let near = hook_flags(args, voice)?.over(environment.layer()?);
        Self::joined(near, &args.config, environment, root, shelf, Layer::default())
    }

    /// Joins the settings of a hook on a server: `git_dir` is where the operator's own
    /// `keycull.toml` would be, and `base` what the repository itself says, which weighs least
    /// and cannot say how long a scan may take or what passes.
    ///
    /// # Errors
    /// As [`Settings::of_scan`].
    pub(super) fn of_server(
        args: &HookRunArgs,
        voice: &Voice,
        environment: &Environment,
        git_dir: &Path,
        base: Option<&Shelf<'_>>,
    ) -> Outcome<Self> {
        let own = hook_flags(args, voice)?.over(environment.layer()?);
        let quiet = reads_no_files(&args.config, environment)? || args.config.config.is_some();
        let said = match base.filter(|_| !quiet) {
            Some(shelf) => BaseSide::read(shelf).map_err(|failure| {
                failure
                    .context("the settings in HEAD cannot be used")
                    .hint("whoever runs this server can run the hook with --no-config until they are mended")
            })?,
            None => BaseSide::default(),
        };
        // NOTE: what only the base side names is read from there alone, so it is not resolved here.
        let mut settings =
            Self::joined(own, &args.config, environment, Some(git_dir), &Shelf::Disk, said.layer)?;
        settings.rules.imported = settings.rules.imported.or(said.imported.map(Arc::new));
        settings.known = said.baseline;
        settings.markers = said.markers;
        Ok(settings)
    }

    fn resolve(layer: Layer) -> Outcome<Self> {
        let jobs = match layer.jobs.map_or(0, |given| given.value) {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            many => many,
        };
        Ok(Self {
            confidence: layer.confidence.map_or(Confidence::Medium, |given| given.value),
            severity: layer.severity.map_or(Severity::Info, |given| given.value),
            fail_on: layer.fail_on.map_or_else(FailOn::default, |given| given.value),
            baseline: layer.baseline,
            known: Baseline::default(),
            fail_on_stale: layer.fail_on_stale.is_some_and(|given| given.value),
            allow_new_markers: layer.allow_new_markers.is_some_and(|given| given.value),
            markers: Vec::new(),
            format: layer.format,
            color: layer.color.map_or(Ok(Color::Auto), color)?,
            jobs,
            archives: limits(&layer.archives),
            no_ignore: layer.no_ignore.is_some_and(|given| given.value),
            exclude: layer.exclude,
            accept: layer.accept_incomplete,
            allow: layer.allow,
            rules: RuleChoice {
                select: layer.rules_select,
                exclude: layer.rules_exclude,
                files: layer.rules_files,
                tables: layer.rules,
                imported: None,
            },
            hook: HookSettings {
                confidence: layer.hook.confidence.map_or(Confidence::Medium, |given| given.value),
                time_budget: layer.hook.time_budget.map_or(SERVER_TIME, |given| given.value.duration()),
                on_timeout: layer.hook.on_timeout.map_or(OnTimeout::Reject, |given| given.value),
                break_glass: layer.hook.break_glass.is_some_and(|given| given.value),
                allow_markers: layer.hook.allow_markers.is_some_and(|given| given.value),
            },
        })
    }

    /// The globs of [`Settings::exclude`], compiled; see [`path_globs`] for what they match.
    ///
    /// # Errors
    /// A glob that is not one; the error names its place.
    pub(super) fn exclude_globs(&self) -> Outcome<GlobSet> {
        path_globs(&self.exclude)
    }

    /// Hash of the settings that can change findings; rules have a hash of their own.
    ///
    /// Version 1 of the form: `name=value` lines, lists in sorted order, SHA-256, 16 digits.
    pub(super) fn hash(&self, no_allow: bool, baseline: &Baseline) -> String {
        let mut text = format!(
            "v1\nconfidence={}\nseverity={}\nno-ignore={}\nno-allow={no_allow}\n",
            self.confidence, self.severity, self.no_ignore
        );
        if self.archives != Limits::default() {
            let Limits { bytes, ratio, depth, entries, time, total, object } = self.archives;
            let time = time.as_secs();
            let _ = writeln!(text, "archives={bytes} {ratio} {depth} {entries} {time} {total} {object}");
        }
        let lists = [
            ("exclude", &self.exclude),
            ("rules.select", &self.rules.select),
            ("rules.exclude", &self.rules.exclude),
        ];
        for (name, list) in lists {
            let mut items: Vec<&str> = list.iter().map(|given| given.value.as_str()).collect();
            items.sort_unstable();
            items.dedup();
            for item in items {
                let _ = writeln!(text, "{name}={item:?}");
            }
        }
        for entry in &self.allow {
            let values = |list: &[Given<String>]| list.iter().map(|g| g.value.clone()).collect::<Vec<_>>();
            let _ = writeln!(
                text,
                "allow={:?} {:?} {:?} {:?} {:?}",
                values(&entry.rules),
                values(&entry.paths),
                entry.fingerprints,
                entry.stopwords,
                entry.until
            );
        }
        for marker in &self.markers {
            let _ = writeln!(text, "marker={marker}");
        }
        for entry in baseline.entries() {
            let _ = writeln!(text, "baseline={} {:?}", entry.fingerprint, entry.until);
        }
        Sha256::digest(text)[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Compiles path globs, matched against paths relative to the scanned root.
///
/// A glob without a slash matches a name at any depth, one with a slash is anchored at the
/// root. A directory that matches takes everything below it along; a trailing slash says that
/// only directories are meant. `*` does not cross a slash, `**` does.
///
/// # Errors
/// A glob that is not one; the error names its place.
pub(super) fn path_globs(globs: &[Given<String>]) -> Outcome<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for given in globs {
        if has_windows_separator(&given.value) {
            let message = format!("{}: `{}` has a backslash between names", given.place, given.value);
            return Err(Failure::new(message).hint("write / between directories, on every system"));
        }
        for pattern in expanded(&given.value) {
            let glob = GlobBuilder::new(&pattern).literal_separator(true).backslash_escape(true).build();
            let failed = |error: globset::Error| {
                let message = format!("{}: `{}` is not a glob: {}", given.place, given.value, error.kind());
                Failure::new(message).hint("write a literal bracket as [[], a star as [*]")
            };
            set.add(glob.map_err(failed)?);
        }
    }
    set.build().map_err(|error| Failure::from(error).context("the path globs are too large together"))
}

/// Whether a backslash stands before what needs none: `src\\app.rs` would be taken for `srcapp.rs`,
/// and quietly match nothing.
fn has_windows_separator(glob: &str) -> bool {
    let mut chars = glob.chars();
    while let Some(c) = chars.next() {
        if c == '\\' && chars.next().is_none_or(|next| next.is_alphanumeric() || "._-".contains(next)) {
            return true;
        }
    }
    false
}

/// The full patterns one path glob stands for.
fn expanded(glob: &str) -> Vec<String> {
    let anchored = glob.trim_end_matches('/').contains('/');
    let body = glob.trim_start_matches("./").trim_matches('/');
    let base = if anchored { body.to_owned() } else { format!("**/{body}") };
    let below = format!("{base}/**");
    if glob.ends_with('/') { vec![below] } else { vec![base, below] }
}

fn color(given: Given<String>) -> Outcome<Color> {
    match given.value.as_str() {
        "auto" => Ok(Color::Auto),
        "always" => Ok(Color::Always),
        "never" => Ok(Color::Never),
        other => {
            Err(Failure::new(format!("{}: `color`: `{other}` is not auto, always or never", given.place)))
        }
    }
}

/// The budgets for containers and objects, those that nobody set at their defaults.
fn limits(given: &BTreeMap<&'static str, Given<u64>>) -> Limits {
    let default = Limits::default();
    let set = |name: &str, default: u64| given.get(name).map_or(default, |given| given.value);
    Limits {
        bytes: set("archive-bytes", default.bytes),
        ratio: set("archive-ratio", default.ratio),
        depth: u32::try_from(set("archive-depth", u64::from(default.depth))).unwrap_or(u32::MAX),
        entries: set("archive-entries", default.entries),
        time: Duration::from_secs(set("archive-time", default.time.as_secs())),
        total: set("archive-total", default.total),
        object: set("object-bytes", default.object),
    }
}

/// The layer of the flags.
fn flags(args: &ScanArgs, voice: &Voice) -> Outcome<Layer> {
    let mut layer = Layer::default();
    // A verdict, not a level; `scan` looks at it. No file and no variable can ask for it.
    let fail_on = args.fail_on.clone().filter(|level| level != "live");
    let single = [
        ("confidence", &args.confidence),
        ("severity", &args.severity),
        ("fail-on", &fail_on),
        ("format", &args.format),
        ("color", &voice.color),
    ];
    for (name, value) in single {
        if let Some(text) = value {
            set(&mut layer, name, text)?;
        }
    }
    let lists = [
        ("exclude", &args.exclude),
        ("accept-incomplete", &args.accept_incomplete),
        ("rules.select", &args.rule),
        ("rules.exclude", &args.exclude_rule),
    ];
    for (name, items) in lists {
        items.iter().try_for_each(|item| set(&mut layer, name, item))?;
    }
    let budgets = [
        ("archive-bytes", args.archive_bytes),
        ("archive-ratio", args.archive_ratio),
        ("archive-depth", args.archive_depth),
        ("archive-entries", args.archive_entries),
        ("archive-time", args.archive_time),
        ("archive-total", args.archive_total),
        ("object-bytes", args.object_bytes),
    ];
    for (name, value) in budgets {
        if let Some(value) = value {
            set(&mut layer, name, &value.to_string())?;
        }
    }
    layer.jobs = args.jobs.map(|value| Given { value, place: Place::Flag("--jobs") });
    layer.baseline = args.baseline.clone().map(|value| Given { value, place: Place::Flag("--baseline") });
    layer.allow_new_markers =
        args.allow_new_markers.then_some(Given { value: true, place: Place::Flag("--allow-new-markers") });
    layer.import = args.import.clone().map(|value| Given { value, place: Place::Flag("--import") });
    layer.fail_on_stale =
        args.fail_on_stale.then_some(Given { value: true, place: Place::Flag("--fail-on-stale") });
    layer.no_ignore = args.no_ignore.then_some(Given { value: true, place: Place::Flag("--no-ignore") });
    let files = args.rules.iter().cloned();
    layer.rules_files = files.map(|value| Given { value, place: Place::Flag("--rules") }).collect();
    Ok(layer)
}

/// The layer of the flags of `keycull hook run`.
fn hook_flags(args: &HookRunArgs, voice: &Voice) -> Outcome<Layer> {
    let mut layer = flags(&ScanArgs::default(), voice)?;
    let given = [
        ("hook.confidence", args.hook_confidence.as_deref()),
        ("hook.time-budget", args.time_budget.as_deref()),
        ("hook.on-timeout", args.on_timeout.as_deref()),
        ("hook.break-glass", args.break_glass.then_some("true")),
        ("hook.allow-markers", args.allow_markers.then_some("true")),
    ];
    for (name, value) in given {
        value.map_or(Ok(()), |text| set(&mut layer, name, text))?;
    }
    Ok(layer)
}

/// Whether no configuration file is to be read.
pub(super) fn reads_no_files(args: &ConfigArgs, environment: &Environment) -> Outcome<bool> {
    Ok(args.no_config || (args.config.is_none() && environment.switch("KEYCULL_NO_CONFIG")?))
}

fn set(layer: &mut Layer, name: &str, text: &str) -> Outcome<()> {
    let key = key(name);
    Ok(layer.set(key, text, Place::Flag(key.flag))?)
}

fn key(name: &str) -> &'static Key {
    // NOTE: callers name entries of the table; a test runs them all.
    KEYS.iter().find(|key| key.name == name).expect("a key of the table")
}

/// What configuration files say.
#[derive(Default)]
struct Files {
    layer: Layer,
    imported: Option<gitleaks::Config>,
}

/// The configuration files: the scanned tree's over the user's own. Without a `keycull.toml`, the
/// configuration of gitleaks or betterleaks is taken for one.
fn files(
    args: &ConfigArgs,
    environment: &Environment,
    root: Option<&Path>,
    shelf: &Shelf<'_>,
) -> Outcome<Files> {
    if reads_no_files(args, environment)? {
        return Ok(Files::default());
    }
    let named = args.config.clone().or_else(|| environment.get("KEYCULL_CONFIG").map(PathBuf::from));
    let files = named
        .or_else(|| root.and_then(|root| found(root, shelf)))
        .map_or(Ok(Files::default()), |file| Files::read(&file, shelf))?;
    let user = config::user_file(|name| environment.get(name).map(ToOwned::to_owned));
    let far = user.map_or(Ok(Layer::default()), |file| read_if_there(&file))?;
    Ok(Files { layer: files.layer.over(far), imported: files.imported })
}

/// The configuration file below `root`, where there is one.
fn found(root: &Path, shelf: &Shelf<'_>) -> Option<PathBuf> {
    let names = [config::FILE_NAME].into_iter().chain(gitleaks::NAMES);
    names.map(|name| root.join(name)).find(|file| shelf.has(file))
}

/// What a repository says about itself to the server it is on.
#[derive(Default)]
struct BaseSide {
    layer: Layer,
    imported: Option<gitleaks::Config>,
    baseline: Baseline,
    markers: Vec<&'static str>,
}

impl BaseSide {
    /// Reads everything the settings of `shelf` name, so that no name in them is ever looked up elsewhere.
    fn read(shelf: &Shelf<'_>) -> Outcome<Self> {
        let root = Path::new("");
        let Files { mut layer, mut imported } =
            found(root, shelf).map_or(Ok(Files::default()), |file| Files::read(&file, shelf))?;
        layer.hook = HookLayer {
            confidence: layer.hook.confidence,
            allow_markers: layer.hook.allow_markers,
            ..HookLayer::default()
        };
        if let Some(given) = layer.import.take() {
            imported = Some(import::read(&given.value, shelf)?);
        }
        for given in std::mem::take(&mut layer.rules_files) {
            let text = shelf.text(&given.value).map_err(|error| Failure::from(error).context(given.place))?;
            layer.rules.push(RuleTable { file: given.value, text });
        }
        let usual = || Some(root.join(config::BASELINE_NAME)).filter(|file| shelf.has(file));
        let file = layer.baseline.take().map(|given| given.value).or_else(usual);
        let baseline = file.map_or(Ok(Baseline::default()), |file| baseline::read(&file, shelf))?;
        let markers = triage::markers_in_use(|name| shelf.has(&root.join(name)));
        Ok(Self { layer, imported, baseline, markers })
    }
}

impl Files {
    /// Reads one file, be it keycull's own or another tool's.
    fn read(file: &Path, shelf: &Shelf<'_>) -> Outcome<Self> {
        if import::is_foreign(file, shelf) {
            return Ok(Self { imported: Some(import::read(file, shelf)?), ..Self::default() });
        }
        Ok(Self { layer: read(file, shelf)?, imported: None })
    }
}

fn read_if_there(file: &Path) -> Outcome<Layer> {
    if Shelf::Disk.has(file) { read(file, &Shelf::Disk) } else { Ok(Layer::default()) }
}

fn read(file: &Path, shelf: &Shelf<'_>) -> Outcome<Layer> {
    let layer = shelf.text(file).and_then(|text| config::parse(&text, file)).map_err(|error| {
        Failure::from(error).hint("`keycull init` writes a commented example; --no-config reads no file")
    })?;
    log::info!("settings read from {}", file.display());
    Ok(layer)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::args::{Cli, Command};
    use super::*;

    /// Settings of `keycull scan ARGS…` with `keycull.toml` holding `file`.
    fn settings(args: &[&str], env: &Environment, file: &str) -> Outcome<Settings> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("keycull.toml"), file).unwrap();
        let cli = Cli::try_parse_from(["keycull", "scan"].iter().chain(args)).unwrap();
        let Command::Scan(scan) = cli.command else { panic!("not a scan") };
        Settings::of_scan(&scan, &cli.voice, env, Some(dir.path()), &Shelf::Disk)
    }

    #[test]
    fn nearer_places_win() {
        let file = "confidence = \"low\"\nseverity = \"low\"\njobs = 1\n";
        let env = Environment::from([("KEYCULL_CONFIDENCE", "medium"), ("KEYCULL_SEVERITY", "high")]);
        let s = settings(&["--confidence", "high"], &env, file).unwrap();
        assert_eq!((s.confidence, s.severity, s.jobs), (Confidence::High, Severity::High, 1));
    }

    #[test]
    fn defaults_hold_when_nobody_speaks() {
        let s = settings(&[], &Environment::default(), "").unwrap();
        assert_eq!(
            (s.confidence, s.severity, s.fail_on),
            (Confidence::Medium, Severity::Info, FailOn::default())
        );
        assert!(s.jobs >= 1 && !s.no_ignore && s.color == Color::Auto);
    }

    #[test]
    fn every_flag_of_a_scan_arrives() {
        let s = settings(
            &[
                "--fail-on=high",
                "--exclude=a",
                "--no-ignore",
                "--accept-incomplete=missing:*.bin",
                "--rule=x",
                "--exclude-rule=y",
                "--rules=z.toml",
                "--format=text",
                "--color=never",
                "--jobs=3",
                "--severity=low",
            ],
            &Environment::default(),
            "exclude = [\"b\"]\n",
        )
        .unwrap();
        assert_eq!(
            (s.fail_on.severity, s.severity, s.jobs, s.color),
            (Severity::High, Severity::Low, 3, Color::Never)
        );
        assert!(s.no_ignore);
        assert_eq!(s.exclude.iter().map(|g| g.value.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(s.accept[0].value.to_string(), "missing:*.bin");
        assert_eq!((s.rules.select.len(), s.rules.exclude.len(), s.rules.files.len()), (1, 1, 1));
    }

    #[test]
    fn no_config_reads_nothing_and_config_reads_one() {
        let s = settings(&["--no-config"], &Environment::default(), "confidence = \"low\"").unwrap();
        assert_eq!(s.confidence, Confidence::Medium);
        let env = Environment::from([("KEYCULL_NO_CONFIG", "true")]);
        assert_eq!(settings(&[], &env, "nonsense").unwrap().confidence, Confidence::Medium);
        assert!(settings(&["--config", "/no/such/file"], &env, "").is_err());
    }

    #[test]
    fn the_hash_follows_what_can_change_findings_and_nothing_else() {
        let hash = |args: &[&str]| {
            settings(args, &Environment::default(), "").unwrap().hash(false, &Baseline::default())
        };
        assert_eq!(hash(&[]), hash(&["--jobs=2", "--format=text", "--fail-on=high"]));
        assert_eq!(hash(&["--exclude=a", "--exclude=b"]), hash(&["--exclude=b", "--exclude=a"]));
        let different = [
            hash(&[]),
            hash(&["--confidence=low"]),
            hash(&["--severity=low"]),
            hash(&["--no-ignore"]),
            hash(&["--exclude=a"]),
            hash(&["--rule=a"]),
            hash(&["--exclude-rule=a"]),
            settings(&[], &Environment::default(), "").unwrap().hash(true, &Baseline::default()),
        ];
        let mut unique = different.to_vec();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), different.len());
    }

    fn globs(list: &[&str]) -> GlobSet {
        let given = |glob: &&str| Given { value: (*glob).to_owned(), place: Place::Flag("--exclude") };
        path_globs(&list.iter().map(given).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn globs_match_as_documented() {
        let set = globs(&["vendor", "docs/*.md", "/top.txt", "build/"]);
        for path in ["vendor", "vendor/a", "x/vendor/a/b", "docs/a.md", "top.txt", "x/build/a"] {
            assert!(set.is_match(path), "{path}");
        }
        for path in ["vendors", "docs/x/a.md", "x/docs/a.md", "x/top.txt", "build"] {
            assert!(!set.is_match(path), "{path}");
        }
        for bad in ["a[", "src\\app.rs", "C:\\src\\*.rs", "src\\", "src\\.env"] {
            let bad = [Given { value: bad.to_owned(), place: Place::Flag("--exclude") }];
            assert!(path_globs(&bad).is_err(), "{bad:?}");
        }
        assert!(globs(&["a\\*b", "c\\[1\\]"]).is_match("x/a*b"));
    }
}
