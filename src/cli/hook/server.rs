//! `pre-receive` and `update`: what is new to this server, judged by its own settings and those
//! of the branch it shows, never by those of the push.

use crate::config::OnTimeout;
use crate::finding::{GapKind, InertEntry, ScanReport};
use crate::hook::push::{self, RefUpdate};
use crate::hook::{HookName, pass};
use crate::source::git::range::RangeOptions;
use crate::source::git::{Head, Repository};

use super::super::failure::{Failure, Outcome};
use super::super::gate;
use super::super::settings::Settings;
use super::super::shelf::Shelf;
use super::super::{USAGE, complain, rule_choice, scan};
use super::advice::{self, Circumstances};
use super::push::{list, new_objects};
use super::run::{CLEAN, Hook, INCOMPLETE, Scanned};

impl Hook<'_> {
    /// What a push brings to this server.
    pub(super) fn receive(&self) -> Outcome<u8> {
        let repository = self.repository()?;
        let refs = self.moved()?;
        let operator = self.operator(&repository, None)?;
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

    /// What the push adds to settings, baseline and ignore files, none of which counts in it.
    fn not_in_force(&self, refs: &[RefUpdate], force: &Settings) -> Outcome<Vec<InertEntry>> {
        let repository = self.repository()?;
        let base = match repository.head() {
            Head::Commit(commit) => Some(commit),
            Head::Unborn | Head::Unknown { .. } => None,
        };
        let read = |tip: &Shelf<'_>| self.operator(&repository, Some(tip)).ok();
        Ok(gate::pushed(&repository, base, &new_objects(refs), force, read))
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

    /// What the operator says, over what `base` says.
    fn operator(&self, repository: &Repository, base: Option<&Shelf<'_>>) -> Outcome<Settings> {
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
        let settings = match repository.head() {
            Head::Commit(commit) => {
                self.operator(&repository, Some(&Shelf::Bare { repository: &repository, commit }))?
            }
            Head::Unborn | Head::Unknown { .. } => operator.clone(),
        };
        let engine = rule_choice::engine(&settings.rules)?;
        // Every ref that exists is from before this push.
        let range = RangeOptions::of_objects("what is pushed", include, repository.ref_targets(""));
        let scope = scan::range(range, &settings, settings.exclude_globs()?);
        let mut request = self.request(&settings, &engine, Some(repository), scope)?;
        request.triage.honour_markers = settings.hook.allow_markers;
        request.time_budget = Some(operator.hook.time_budget);
        let mut scanned = self.scan(&settings, &engine, request)?;
        if scanned.code != CLEAN {
            scanned.report.inert = self.not_in_force(refs, &settings)?;
            self.show(&scanned, &settings)?;
        }
        Ok(Some(scanned))
    }
}

/// Whether nothing but time was missing.
fn only_late(report: &ScanReport) -> bool {
    let mut open = report.coverage.gaps.iter().filter(|gap| !gap.accepted);
    open.all(|gap| gap.kind == GapKind::Budget && gap.what == "scan")
}
