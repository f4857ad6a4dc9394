//! `keycull revoke plan`: which keys are live, and what would be done to them.

use std::collections::BTreeSet;

use crate::revoke::{Plan, PlanOptions, Planner};
use crate::validate::Validator;

use super::super::args::{PlanArgs, Voice};
use super::super::environment::Environment;
use super::super::failure::{Failure, Outcome};
use super::super::network::Network;
use super::super::output;
use super::super::site::Site;
use super::super::validate::listen;

/// Plans, saves the plan if asked, tells what it says. 0 when a plan was made, whatever it says.
pub(super) fn run(args: &PlanArgs, voice: &Voice, environment: &Environment) -> Outcome<u8> {
    let interrupt = listen()?;
    let mut site = Site::open(&args.places)?;
    let leaks = site.report(&args.findings)?;
    let network = Network::open(&args.network, environment, &site.scanned())?;
    if args.unattended && !network.operator.unattended.enabled {
        return Err(Failure::new("--unattended: the operator's file does not enable runs without a person")
            .hint("put `[unattended]` with `enabled = true` into a file outside the scanned tree, and name it with --operator"));
    }
    let context = (voice, environment, &interrupt);
    let gathered = site.gather(leaks, (&args.findings, &args.places), &network.operator, context)?;
    let source = site.source();
    let validator = Validator::new(&network.providers, &network.operator, network.wire());
    let planner = Planner {
        providers: &network.providers,
        operator: &network.operator,
        validator: &validator,
        source: Some(&source),
        cancel: interrupt.flag(),
    };
    let options = PlanOptions {
        only: BTreeSet::new(),
        delete: args.delete,
        admin: args.admin,
        unattended: args.unattended,
        unread: gathered.unread,
    };
    let plan = planner.plan(&gathered.findings, &site.rules_hash(), network.wire().clock.now(), &options);
    if let Some(signal) = interrupt.signal() {
        log::warn!("interrupted: no plan was made");
        return Ok(128 + signal);
    }
    if let Some(file) = &args.output {
        plan.save(file)?;
    }
    output::to_stdout(|out| {
        if args.format.as_deref() == Some("json") {
            return out.write_all(plan.to_json().as_bytes());
        }
        plan.describe(out)?;
        match &args.output {
            Some(file) if plan.ready() > 0 => {
                writeln!(out, "Next: keycull revoke apply {}    (a dry run; --yes does it)", file.display())
            }
            None if plan.ready() > 0 => {
                writeln!(out, "Nothing was written. To go on: keycull revoke plan … -o plan.json")
            }
            Some(_) | None => Ok(()),
        }
    })?;
    Ok(0)
}

/// The plan in `file`; `-` is standard input.
pub(super) fn load(file: &std::path::Path, rules: &str) -> Outcome<(Plan, Vec<u8>)> {
    let text = super::super::site::text(file)?;
    Ok((Plan::parse(&text, file, rules)?, text))
}
