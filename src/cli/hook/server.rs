//! `pre-receive` and `update`: what is new to this server, judged by its own settings and those
//! of the branch it shows, never by those of the push.

use std::path::{Path, PathBuf};

use crate::config::{self, FILE_NAME, Layer, OnTimeout, RuleTable};
use crate::finding::{GapKind, ScanReport};
use crate::hook::push::{self, RefUpdate};
use crate::hook::{HookName, pass};
use crate::pipeline::Scope;
use crate::source::git::Repository;
use crate::source::git::range::RangeOptions;

use super::super::failure::{Failure, Outcome};
use super::super::settings::{Settings, reads_no_files};
use super::super::{USAGE, complain, rule_choice};
use super::advice::{self, Circumstances};
use super::push::{list, new_objects};
use super::run::{CLEAN, Hook, INCOMPLETE, Scanned};

impl Hook<'_> {
    /// What a push brings to this server.
    pub(super) fn receive(&self) -> Outcome<u8> {
        let repository = self.repository()?;
        let refs = self.moved()?;
        let operator = self.operator(&repository, Layer::default())?;
        let reason = self.reason(&operator)?;
        let git_dir = repository.common_dir().to_owned();
        let (code, report) = match self.judge(repository, &refs, &operator) {
            Ok(Some(scanned)) => (scanned.code, Some(scanned.report)),
            Ok(None) => return Ok(CLEAN),
            // NOTE: settings of the repository that are broken would else keep out their repair.
            Err(failure) if reason.is_some() => {
                failure.write(false, &mut std::io::stderr().lock());
                (USAGE, None)
            }
            Err(failure) => return Err(failure),
        };
        if code == CLEAN {
            return Ok(CLEAN);
        }
        let why = match &reason {
            Some(reason) => Some(("break-glass", reason.as_str())),
            None if code == INCOMPLETE && operator.hook.on_timeout == OnTimeout::Accept => {
                report.as_ref().filter(|report| only_late(report)).map(|_| ("timeout", "hook.on-timeout"))
            }
            None => None,
        };
        let Some((kind, reason)) = why else {
            let now = Circumstances { break_glass: operator.hook.break_glass, ..Circumstances::default() };
            complain(&match (&report, code) {
                (Some(report), 1) => advice::found(self.name, report, now),
                _ => advice::incomplete(self.name, now),
            });
            return Ok(code);
        };
        let variable = |name: &str| self.environment.get(name).map(ToOwned::to_owned);
        pass::log(&git_dir, self.name, kind, reason, &refs, report.as_ref(), variable).map_err(|error| {
            Failure::from(error).context("this push cannot be logged, so it does not pass")
        })?;
        complain(&format!("keycull: WARNING: this push passes all the same ({kind}), and is logged\n"));
        Ok(CLEAN)
    }

    /// The refs of the push.
    fn moved(&self) -> Outcome<Vec<RefUpdate>> {
        if self.name == HookName::PreReceive {
            return push::incoming(&list()?).map_err(Failure::new);
        }
        let arguments: Vec<String> =
            self.args.arguments.iter().map(|text| text.to_string_lossy().into_owned()).collect();
        Ok(vec![push::single(&arguments).map_err(Failure::new)?])
    }

    fn operator(&self, repository: &Repository, base: Layer) -> Outcome<Settings> {
        let mut settings =
            Settings::of_server(self.args, self.voice, self.environment, repository.common_dir(), base)?;
        settings.confidence = settings.hook.confidence;
        Ok(settings)
    }

    /// The reason for which this push is to pass; an error when it has none, or must not ask.
    fn reason(&self, operator: &Settings) -> Outcome<Option<String>> {
        let variable = |name: &str| self.environment.get(name).map(ToOwned::to_owned);
        match pass::reason(variable) {
            Some(_) if !operator.hook.break_glass => {
                Err(Failure::new("the push option keycull.allow does not pass anything on this server")
                    .hint("push without it, or ask who runs this server about hook.break-glass"))
            }
            Some(reason) if reason.is_empty() => {
                Err(Failure::new("the push option keycull.allow needs a reason")
                    .hint("git push -o keycull.allow='why it has to be'"))
            }
            other => Ok(other),
        }
    }

    /// Scans what is new; none when nothing is.
    fn judge(
        &self,
        repository: Repository,
        refs: &[RefUpdate],
        operator: &Settings,
    ) -> Outcome<Option<Scanned>> {
        let include = new_objects(refs);
        if include.is_empty() {
            return Ok(None);
        }
        let settings = self.operator(&repository, self.base(&repository)?)?;
        let engine = rule_choice::engine(&settings.rules)?;
        // Every ref that exists is from before this push.
        let range = RangeOptions::of_objects("what is pushed", include, repository.ref_targets(""));
        let options = RangeOptions { exclude_paths: settings.exclude_globs()?, jobs: settings.jobs, ..range };
        let mut request = self.request(&settings, &engine, Some(repository), Scope::Range(options))?;
        request.triage.honour_markers = settings.hook.allow_markers;
        request.time_budget = Some(operator.hook.time_budget);
        let scanned = self.scan(&settings, &engine, request)?;
        if scanned.code != CLEAN {
            self.show(&scanned, &settings)?;
        }
        Ok(Some(scanned))
    }

    /// What the repository itself says, in the branch that `HEAD` names.
    fn base(&self, repository: &Repository) -> Outcome<Layer> {
        if reads_no_files(&self.args.config, self.environment)? || self.args.config.config.is_some() {
            return Ok(Layer::default());
        }
        let read = |path: &str| -> Outcome<Option<String>> {
            let Some(bytes) = repository.file_of_head(path)? else { return Ok(None) };
            String::from_utf8(bytes)
                .map(Some)
                .map_err(|error| Failure::from(error).context(format!("{path} in HEAD is not text")))
        };
        let Some(text) = read(FILE_NAME)? else { return Ok(Layer::default()) };
        let mut layer = config::parse(&text, Path::new(FILE_NAME)).map_err(|error| {
            Failure::from(error)
                .context("the settings in HEAD cannot be used")
                .hint("whoever runs this server can run the hook with --no-config until they are mended")
        })?;
        for given in std::mem::take(&mut layer.rules_files) {
            let path: &PathBuf = &given.value;
            let name = path.to_string_lossy().replace('\\', "/");
            let text = read(&name)?
                .ok_or_else(|| Failure::new(format!("{}: there is no {name} in HEAD", given.place)))?;
            layer.rules.push(RuleTable { file: path.clone(), text });
        }
        Ok(layer)
    }
}

/// Whether nothing but time was missing.
fn only_late(report: &ScanReport) -> bool {
    let mut open = report.coverage.gaps.iter().filter(|gap| !gap.accepted);
    open.all(|gap| gap.kind == GapKind::Budget && gap.what == "scan")
}
