//! `keycull revoke apply` and `keycull revoke verify`.

use std::collections::BTreeSet;

use crate::revoke::{
    Allowed, Apply, ApplyError, ApplyOptions, Confirmation, Plan, Point, SecretSource, dry_run,
};
use crate::validate::Validator;

use super::super::args::{ApplyArgs, ConsentArgs, VerifyArgs};
use super::super::complain;
use super::super::environment::Environment;
use super::super::failure::{Failure, Outcome};
use super::super::network::Network;
use super::super::signals::{Interrupt, die};
use super::super::site::Site;
use super::super::validate::listen;
use super::{approval, plan, records};

/// Carries a plan out, or says what it would do.
pub(super) fn run(args: &ApplyArgs, environment: &Environment) -> Outcome<u8> {
    let interrupt = listen()?;
    let mut site = Site::open(&args.places)?;
    let (plan, text) = plan::load(&args.plan, &site.rules_hash())?;
    site.know_plan(&plan, &args.plan);
    let network = Network::open(&args.network, environment, &site.scanned())?;
    let options = options(&args.consent, &args.only);
    known(&plan, &args.only)?;
    let wire = network.wire();
    if !options.yes {
        plan.still_good(wire.clock.now())?;
        return records::conclude(&args.record, &dry_run(&plan, &options), wire.clock, None);
    }
    let keys = approval::keys(args.require_approval.as_deref(), &network.operator)?;
    if let Some(keys) = keys {
        approval::check(&keys, &args.plan, args.approval.as_deref(), &text)?;
    }
    let dies = args.die_at.as_deref().map(point).transpose()?;
    let cut = |at: Point| {
        if dies == Some(at) {
            die();
        }
        false
    };
    let mut journal = records::journal(&args.record, &plan, &args.plan)?;
    let mut audit = records::audit(&args.record, environment, wire.clock)?;
    let (source, validator) = (site.source(), validator(&network));
    let apply = machinery(&network, &validator, &source, &interrupt, &cut);
    match apply.run(&plan, &mut journal, &mut audit, &options) {
        Ok(report) => records::conclude(&args.record, &report, wire.clock, interrupt.signal()),
        Err(error) => stopped(error),
    }
}

/// Looks again at everything that was sent.
pub(super) fn verify(args: &VerifyArgs, environment: &Environment) -> Outcome<u8> {
    let interrupt = listen()?;
    let mut site = Site::open(&args.places)?;
    let (plan, _) = plan::load(&args.plan, &site.rules_hash())?;
    site.know_plan(&plan, &args.plan);
    let network = Network::open(&args.network, environment, &site.scanned())?;
    let wire = network.wire();
    let mut journal = records::journal(&args.record, &plan, &args.plan)?;
    let mut audit = records::audit(&args.record, environment, wire.clock)?;
    let (source, validator) = (site.source(), validator(&network));
    let apply = machinery(&network, &validator, &source, &interrupt, &|_| false);
    match apply.verify(&plan, &mut journal, &mut audit) {
        Ok(report) => records::conclude(&args.record, &report, wire.clock, interrupt.signal()),
        Err(error) => stopped(error),
    }
}

/// Whether each name of `--only` is in the plan: a misspelt one must not end as if all were done.
fn known(plan: &Plan, only: &[String]) -> Outcome<()> {
    let is_in = |name: &&String| plan.items.iter().any(|i| [&i.id, &i.rule, &i.fingerprint].contains(name));
    match only.iter().find(|name| !is_in(name)) {
        None => Ok(()),
        Some(name) => Err(Failure::new(format!("nothing in the plan is `{name}`"))
            .hint("--only takes an item, a rule or a fingerprint; without it, a dry run shows them all")),
    }
}

pub(super) fn options(consent: &ConsentArgs, only: &[String]) -> ApplyOptions {
    ApplyOptions {
        yes: consent.yes,
        only: only.iter().cloned().collect::<BTreeSet<_>>(),
        max: consent.max,
        allow: match consent.allow.as_deref() {
            Some("reversible") => Allowed::Reversible,
            Some("self") => Allowed::OwnKey,
            Some(_) | None => Allowed::Planned,
        },
        confirmation: match (consent.replaced, consent.emergency) {
            (true, _) => Confirmation::Replaced,
            (_, true) => Confirmation::Emergency,
            (false, false) => Confirmation::None,
        },
        unattended: consent.unattended,
    }
}

pub(super) fn validator(network: &Network) -> Validator<'_> {
    Validator::new(&network.providers, &network.operator, network.wire())
}

pub(super) fn machinery<'a>(
    network: &'a Network,
    validator: &'a Validator<'a>,
    source: &'a dyn SecretSource,
    interrupt: &'a Interrupt,
    cut: &'a dyn Fn(Point) -> bool,
) -> Apply<'a> {
    Apply {
        providers: &network.providers,
        operator: &network.operator,
        validator,
        wire: network.wire(),
        source,
        key: None,
        cancel: interrupt.flag(),
        cut,
    }
}

/// What policy stops has an exit code of its own; everything else is a failure like any other.
pub(super) fn stopped(error: ApplyError) -> Outcome<u8> {
    let code = error.exit_code();
    if code == 6 {
        complain(&format!("refused: {error}\n"));
        return Ok(code);
    }
    Err(Failure::from(error))
}

fn point(name: &str) -> Outcome<Point> {
    let found = Point::ALL.into_iter().find(|point| point.as_str() == name);
    found.ok_or_else(|| Failure::new(format!("--die-at {name}: no such point")))
}
