//! What the commands that talk to providers share: the operator's file, the provider blocks, the client.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::config;
use crate::net::{Client, NetOptions, Rate, SystemClock};
use crate::validate::{Operator, OperatorError, Providers, Wire};

use super::args::NetworkArgs;
use super::environment::Environment;
use super::failure::{Failure, Outcome};

/// Name of the operator's file beside the user's configuration.
const OPERATOR: &str = "operator.toml";

/// Everything that is needed to ask a provider.
pub(super) struct Network {
    pub(super) operator: Operator,
    pub(super) providers: Providers,
    client: Client,
    clock: Arc<SystemClock>,
}

impl Network {
    /// Reads the operator's file, which must lie outside all of `scanned`, and gets ready; opens no socket.
    ///
    /// From here on this process holds secrets it may send, so it leaves no core dump behind.
    ///
    /// # Errors
    /// An operator's file that is not believed or not understood, or a proxy that is none.
    pub(super) fn open(args: &NetworkArgs, environment: &Environment, scanned: &[PathBuf]) -> Outcome<Self> {
        Self::open_within(args, environment, scanned, None)
    }

    /// [`Network::open`], with another deadline for each request than the usual one.
    ///
    /// # Errors
    /// As [`Network::open`].
    pub(super) fn open_within(
        args: &NetworkArgs,
        environment: &Environment,
        scanned: &[PathBuf],
        deadline: Option<Duration>,
    ) -> Outcome<Self> {
        no_core_dumps();
        let operator = operator(args.operator.as_deref(), environment, scanned)?;
        let clock = Arc::new(SystemClock::new());
        let mut options =
            NetOptions { offline: args.offline, proxy: args.proxy.clone(), ..operator.net_options() };
        options.deadline = deadline.unwrap_or(options.deadline);
        if options.loopback_only {
            // Nobody but this machine is asked, so nobody has to be spared.
            options.rate = Rate { burst: 1000, every: Duration::from_millis(1) };
        }
        let client = Client::new(options, clock.clone())
            .map_err(|error| Failure::from(error).context("cannot use the network as asked"))?;
        Ok(Self { providers: Providers::chosen(&operator), operator, client, clock })
    }

    pub(super) fn wire(&self) -> Wire<'_> {
        Wire { transport: &self.client, clock: self.clock.as_ref() }
    }
}

fn operator(named: Option<&Path>, environment: &Environment, scanned: &[PathBuf]) -> Outcome<Operator> {
    let usual = || {
        let user = config::user_file(|name| environment.get(name).map(ToOwned::to_owned))?;
        Some(user.with_file_name(OPERATOR)).filter(|file| file.exists())
    };
    let Some(file) = named.map(Path::to_owned).or_else(usual) else { return Ok(Operator::default()) };
    let operator = Operator::load(&file, scanned).map_err(|error| match error {
        OperatorError::Malformed { .. } => {
            Failure::from(error).hint("docs/revocation.md, section \"Your own file\", lists what it may say")
        }
        OperatorError::Read { .. } | OperatorError::InScannedTree(_) | OperatorError::Writable(_) => {
            Failure::from(error)
        }
    })?;
    log::info!("operator's file read from {}", file.display());
    Ok(operator)
}

/// A core dump would hold every secret this process has read.
#[cfg(unix)]
fn no_core_dumps() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    if let Err(error) = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }) {
        log::warn!("core dumps could not be switched off: {error}");
    }
}

#[cfg(not(unix))]
fn no_core_dumps() {}
