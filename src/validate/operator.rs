//! The operator's file: addresses, limits and revokers of one's own, and the policy for running unattended.
//!
//! It decides where secrets are sent, so it is believed only if it lies outside the scanned tree,
//! belongs to the user (or root), and nobody else can write it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::finding::Secret;
use crate::net::NetOptions;
use crate::rule::provider::{Provider, from_table};

use super::base::Address;
use super::values::OPERATOR;

mod driver;

pub use driver::{Driver, DriverAuth, DriverKind, Send};

/// What the operator allows and forbids. The default allows nothing unattended and adds nothing.
#[derive(Clone, Debug, Default)]
pub struct Operator {
    /// Addresses of self-hosted installations, by the name in `base.override`.
    pub bases: BTreeMap<String, Address>,
    /// Hosts that may resolve to private addresses.
    pub internal_hosts: BTreeSet<String>,
    /// Hosts sent to a loopback address instead: mock provider and tests.
    pub loopback: BTreeMap<String, SocketAddr>,
    /// Only the hosts of `loopback` are reached: rehearsals prove so that nothing leaves the machine.
    pub loopback_only: bool,
    /// Fingerprints, rule ids, accounts or identities that are never revoked.
    pub never_revoke: BTreeSet<String>,
    /// Fingerprints or rule ids that are never checked either.
    pub never_validate: BTreeSet<String>,
    /// Further AWS canary accounts, twelve digits.
    pub canary_accounts: BTreeSet<String>,
    /// File with the SSH public keys of which one must have signed every plan before it is applied.
    pub require_approval: Option<PathBuf>,
    /// Files that hold administrators' credentials, by the name provider blocks call them.
    pub credentials: BTreeMap<String, PathBuf>,
    /// Policy for runs without a person.
    pub unattended: Unattended,
    /// Provider blocks of one's own.
    pub providers: Vec<Provider>,
    /// Generic revokers.
    pub drivers: Vec<Driver>,
}

/// `[unattended]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unattended {
    /// Whether anything may be revoked without a person.
    #[serde(default)]
    pub enabled: bool,
    /// Most keys in one run; 10 if not given.
    pub max: Option<usize>,
    /// Rules whose irreversible revocation may run.
    #[serde(default)]
    pub irreversible: Vec<String>,
    /// Blocks of the operator's own, and drivers, that may run; built-in blocks need no entry.
    #[serde(default)]
    pub providers: Vec<String>,
}

/// Why the operator's file is not believed, or not understood.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// It cannot be read.
    #[error("cannot read {path}: {error}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It lies where a contributor could change it.
    #[error(
        "{0} lies inside the scanned tree; a file that decides where secrets are sent must lie outside it"
    )]
    InScannedTree(PathBuf),
    /// Others can write it.
    #[error("{0} can be written by others, or belongs to another user; run `chmod go-w` on it and own it")]
    Writable(PathBuf),
    /// It is not understood.
    #[error("{path}: {problem}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    schema: u32,
    #[serde(default)]
    base: BTreeMap<String, String>,
    #[serde(default)]
    network: Network,
    #[serde(default)]
    policy: Policy,
    #[serde(default)]
    credentials: BTreeMap<String, PathBuf>,
    #[serde(default)]
    unattended: Unattended,
    #[serde(default)]
    provider: Vec<toml::Table>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Network {
    #[serde(default)]
    internal_hosts: BTreeSet<String>,
    #[serde(default)]
    loopback: BTreeMap<String, SocketAddr>,
    #[serde(default)]
    loopback_only: bool,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    #[serde(default)]
    never_revoke: BTreeSet<String>,
    #[serde(default)]
    never_validate: BTreeSet<String>,
    #[serde(default)]
    canary_accounts: BTreeSet<String>,
    require_approval: Option<PathBuf>,
}

impl Operator {
    /// Reads and believes `path`, unless it lies inside one of `scanned`.
    ///
    /// # Errors
    ///
    /// See [`OperatorError`].
    pub fn load(path: &Path, scanned: &[PathBuf]) -> Result<Self, OperatorError> {
        let unreadable = |error| OperatorError::Read { path: path.to_owned(), error };
        let real = path.canonicalize().map_err(unreadable)?;
        let inside = |root: &PathBuf| root.canonicalize().is_ok_and(|root| real.starts_with(root));
        if scanned.iter().any(inside) {
            return Err(OperatorError::InScannedTree(path.to_owned()));
        }
        let file = std::fs::File::open(&real).map_err(unreadable)?;
        if !is_ours(&file).map_err(unreadable)? {
            return Err(OperatorError::Writable(path.to_owned()));
        }
        let text = std::io::read_to_string(file).map_err(unreadable)?;
        Self::parse(&text).map_err(|problem| OperatorError::Malformed { path: path.to_owned(), problem })
    }

    /// Reads the text of an operator's file.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let written: Written = toml::from_str(text).map_err(|error| error.to_string())?;
        if written.schema != 1 {
            return Err(format!("schema {} is not known; this build reads 1", written.schema));
        }
        let bases = written.base.iter().map(|(name, text)| Ok((name.clone(), Address::parse(text)?)));
        let mut operator = Self {
            bases: bases.collect::<Result<_, String>>()?,
            internal_hosts: written.network.internal_hosts,
            loopback: written.network.loopback,
            loopback_only: written.network.loopback_only,
            never_revoke: written.policy.never_revoke,
            never_validate: written.policy.never_validate,
            canary_accounts: written.policy.canary_accounts,
            require_approval: written.policy.require_approval,
            credentials: written.credentials,
            unattended: written.unattended,
            ..Self::default()
        };
        if let Some((host, address)) =
            operator.loopback.iter().find(|(_, address)| !address.ip().is_loopback())
        {
            return Err(format!("network.loopback: {host} is sent to {address}, which is not loopback"));
        }
        for table in &written.provider {
            if table.contains_key("driver") {
                operator.drivers.push(Driver::from_table(table)?);
            } else {
                let lines =
                    |errors: Vec<_>| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  ");
                operator.providers.push(from_table(table).map_err(lines)?);
            }
        }
        Ok(operator)
    }

    /// Network options under this file; deadline, proxy and the offline switch are the caller's.
    #[must_use]
    pub fn net_options(&self) -> NetOptions {
        NetOptions {
            internal_hosts: self.internal_hosts.clone(),
            loopback: self.loopback.clone(),
            loopback_only: self.loopback_only,
            ..NetOptions::default()
        }
    }

    /// `parts` with the operator's own credentials that `provider` asks for.
    ///
    /// # Errors
    ///
    /// A credential that is not named or cannot be read, in words.
    pub fn with_credentials(
        &self,
        provider: &Provider,
        parts: &[(String, Secret)],
    ) -> Result<Vec<(String, Secret)>, String> {
        let mut all = parts.to_vec();
        for name in provider.operator_parts() {
            let file = self
                .credentials
                .get(name)
                .ok_or_else(|| format!("the operator's file names no `{name}` under [credentials]"))?;
            let bytes = std::fs::read(file).map(zeroize::Zeroizing::new);
            let bytes = bytes.map_err(|error| format!("cannot read {}: {error}", file.display()))?;
            all.push((format!("{OPERATOR}{name}"), Secret::new(bytes.trim_ascii())));
        }
        Ok(all)
    }

    /// The generic revoker for `rule`, if there is one.
    #[must_use]
    pub fn driver_for(&self, rule: &str) -> Option<&Driver> {
        self.drivers.iter().find(|driver| driver.rules.iter().any(|id| id == rule))
    }
}

/// Whether the file belongs to this user or root, and nobody else can write it.
#[cfg(unix)]
fn is_ours(file: &std::fs::File) -> std::io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let meta = file.metadata()?;
    // A fresh pipe belongs to the effective user: the way to ask without a foreign function.
    let (reader, _writer) = std::io::pipe()?;
    let own = std::fs::File::from(std::os::fd::OwnedFd::from(reader)).metadata()?.uid();
    Ok((meta.uid() == own || meta.uid() == 0) && meta.mode() & 0o022 == 0)
}

/// Elsewhere the file system's own access lists are left to the operator.
#[cfg(not(unix))]
fn is_ours(_: &std::fs::File) -> std::io::Result<bool> {
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_in_the_scanned_tree_is_not_believed() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("keycull-operator.toml");
        std::fs::write(&file, "schema = 1\n").expect("written");
        let scanned = [folder.path().to_owned()];
        assert!(matches!(Operator::load(&file, &scanned), Err(OperatorError::InScannedTree(_))));
        assert!(Operator::load(&file, &[]).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_write_is_not_believed() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("operator.toml");
        std::fs::write(&file, "schema = 1\n").expect("written");
        for (mode, good) in [(0o600, true), (0o644, true), (0o620, false), (0o602, false)] {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("set");
            assert_eq!(Operator::load(&file, &[]).is_ok(), good, "{mode:o}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        let cases = [
            ("schema = 2", "schema 2"),
            ("schema = 1\nbasis = 1", "unknown field"),
            ("schema = 1\n[base]\ngitlab = \"http://a.example\"", "does not start with https://"),
            ("schema = 1\n[network.loopback]\n\"a.example\" = \"10.0.0.1:80\"", "not loopback"),
            (
                "schema = 1\n[[provider]]\nid = \"x\"\ndriver = \"telepathy\"\nrules = [\"a\"]",
                "unknown variant",
            ),
        ];
        for (text, words) in cases {
            let problem = Operator::parse(text).expect_err(text);
            assert!(problem.contains(words), "{problem}");
        }
    }
}
