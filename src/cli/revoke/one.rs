//! `keycull revoke one`: a key that is in somebody's hands, not in a repository.

use std::io::{IsTerminal as _, Read as _};
use std::path::Path;

use zeroize::Zeroizing;

use crate::config::{Given, Place as Setting};
use crate::engine::Engine;
use crate::finding::{Checksum, Secret};
use crate::pipeline::Facts;
use crate::revoke::{
    Found, GivenSecret, Journal, Place, PlanOptions, Planner, Rescan, SecretSource as _, dry_run,
};
use crate::rule::Kind;

use super::super::args::OneArgs;
use super::super::environment::Environment;
use super::super::failure::{Failure, Outcome};
use super::super::network::Network;
use super::super::output;
use super::super::rule_choice;
use super::super::settings::RuleChoice;
use super::super::site::text;
use super::super::validate::listen;
use super::{apply, records};

/// Longest key read, in bytes: a JSON key file at most.
const LONGEST: u64 = 1 << 20;

/// Plans for the one key, tells the plan, and with `--yes` carries it out.
pub(super) fn run(args: &OneArgs, environment: &Environment) -> Outcome<u8> {
    if !args.secret.is_empty() {
        return Err(Failure::new("a secret is not taken as an argument: every process can read those")
            .hint(format!("hand it in: keycull revoke one --rule {} < FILE", args.rule)));
    }
    let interrupt = listen()?;
    let files = args.rules.iter().map(|file| Given { value: file.clone(), place: Setting::Flag("--rules") });
    let engine = rule_choice::engine(&RuleChoice { files: files.collect(), ..RuleChoice::default() })?;
    let network = Network::open(&args.network, environment, &[])?;
    let given = given(args, &engine)?;
    let validator = apply::validator(&network);
    let planner = Planner {
        providers: &network.providers,
        operator: &network.operator,
        validator: &validator,
        source: Some(&given),
        cancel: interrupt.flag(),
    };
    let options = PlanOptions {
        only: [args.rule.clone()].into(),
        delete: args.delete,
        admin: args.admin,
        unattended: args.consent.unattended,
        ..PlanOptions::default()
    };
    let wire = network.wire();
    let hash = format!("{:016x}", engine.rules().digest);
    let plan = planner.plan(&given.findings(), &hash, wire.clock.now(), &options);
    let consent = apply::options(&args.consent, &[]);
    if !consent.yes {
        let words = args.record.format.as_deref() != Some("json");
        if words {
            output::to_stdout(|out| plan.describe(out))?;
        }
        return records::conclude(&args.record, &dry_run(&plan, &consent), wire.clock, None);
    }
    let mut audit = records::audit(&args.record, environment, wire.clock)?;
    let path = match &args.record.journal {
        Some(path) => path.clone(),
        None => records::audit_path(args.record.audit_log.as_deref(), environment)?
            .with_file_name(format!("one-{}.journal", plan.digest.get(..16).unwrap_or_default())),
    };
    let mut journal = Journal::open(&path, &plan.digest)?;
    let machinery = apply::machinery(&network, &validator, &given, &interrupt, &|_| false);
    let result = machinery.run(&plan, &mut journal, &mut audit, &consent);
    drop(journal);
    if args.record.journal.is_none() {
        // The same key handed in again is looked at before anything is sent, so nothing is lost with it.
        let _ = std::fs::remove_file(&path);
    }
    match result {
        Ok(report) => records::conclude(&args.record, &report, wire.clock, interrupt.signal()),
        Err(error) => apply::stopped(error),
    }
}

/// The key from standard input and its parts from their files.
fn given(args: &OneArgs, engine: &Engine) -> Outcome<GivenSecret> {
    let facts = Facts::new(engine.rules());
    let infos = facts.all();
    let Some(rule) = infos.iter().find(|rule| rule.id == args.rule).cloned() else {
        return Err(rule_choice::unknown(&args.rule, None, infos.iter().map(|rule| rule.id.as_str())));
    };
    let mut input = Zeroizing::new(Vec::new());
    if std::io::stdin().is_terminal() {
        return Err(Failure::new("no key on standard input: a terminal would show and remember it")
            .hint(format!("keycull revoke one --rule {} < FILE", args.rule)));
    }
    std::io::stdin()
        .lock()
        .take(LONGEST)
        .read_to_end(&mut input)
        .map_err(|error| Failure::from(error).context("cannot read standard input"))?;
    let mut secrets = vec![(args.rule.clone(), read(engine, &args.rule, &input, "standard input")?)];
    for part in &args.part {
        let shape = || {
            Failure::new("--part: expected RULE=FILE")
                .hint("for example --part aws-secret-access-key=secret.txt")
        };
        let (id, file) = part.split_once('=').filter(|(_, file)| !file.is_empty()).ok_or_else(shape)?;
        let content = Zeroizing::new(text(Path::new(file))?);
        secrets.push((id.to_owned(), read(engine, id, &content, file)?));
    }
    Ok(GivenSecret { rule, secrets })
}

/// The secret of rule `id` in `content`. What has a form of its own must have that form: a text that is no
/// key of this provider is not sent to it.
fn read(engine: &Engine, id: &str, content: &[u8], from: &str) -> Outcome<Found> {
    let trimmed = content.trim_ascii();
    if trimmed.is_empty() {
        return Err(Failure::new(format!("{from} holds no key")));
    }
    let Some(number) = engine.rules().by_id(id) else {
        return Err(rule_choice::unknown(id, None, engine.rules().rules.iter().map(|rule| rule.id.as_ref())));
    };
    let again = Rescan::new(engine, Vec::new(), Box::new(|_: &Place| Ok(trimmed.to_vec())));
    let found = again.read(id, &Place::default()).map_err(Failure::new)?;
    match (found.into_iter().next(), engine.rules().get(number).kind) {
        (Some(found), _) => Ok(found),
        (None, Kind::Assignment | Kind::Generic) => {
            Ok(Found { secret: Secret::new(trimmed), checksum: Checksum::Absent, document: None })
        }
        (None, _) => Err(Failure::new(format!("{from} holds nothing that rule {id} recognises"))
            .hint(format!("`keycull rules show {id}` tells its form; nothing was sent"))),
    }
}
