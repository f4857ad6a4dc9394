//! `keycull upload`: from a report on disk to the service that shows it.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::finding::Secret;
use crate::upload::{Limits, Session, Target, UploadError, shards};

use super::args::{GithubArgs, UploadCommand};
use super::environment::Environment;
use super::failure::{Failure, Outcome, printable};
use super::network::Network;
use super::say;

/// Deadline of one request: up to 14 MB go out.
const DEADLINE: Duration = Duration::from_secs(180);

/// Largest file read, in bytes.
const MAX_BYTES: u64 = 1 << 30;

/// Uploads a report.
pub(super) fn run(command: &UploadCommand, environment: &Environment) -> Outcome<u8> {
    match command {
        UploadCommand::Github(args) => github(args, environment),
    }
}

fn github(args: &GithubArgs, environment: &Environment) -> Outcome<u8> {
    let sarif = read(&args.file)?;
    let target = target(args, environment)?;
    if args.dry_run {
        let mut text = String::new();
        for shard in shards(&sarif, Limits::default()).map_err(failed)? {
            let _ = writeln!(text, "would send {}", line(&shard.category, shard.results, shard.bytes));
        }
        return say(&text);
    }
    let token = environment.get("GITHUB_TOKEN").ok_or_else(|| {
        Failure::new("GITHUB_TOKEN is not set").hint(
            "in Actions: env: GITHUB_TOKEN: ${{ github.token }}, with permissions: security-events: write",
        )
    })?;
    let token = Secret::new(token.as_encoded_bytes());
    let scanned: Vec<_> = std::env::current_dir().into_iter().collect();
    let network = Network::open_within(&args.network, environment, &scanned, Some(DEADLINE))?;
    let wire = network.wire();
    let session = Session {
        transport: wire.transport,
        clock: wire.clock,
        target: &target,
        token: &token,
        patience: Duration::from_secs(if args.no_wait { 0 } else { args.timeout }),
        limits: Limits::default(),
    };
    let mut text = String::new();
    for sent in session.upload(&sarif).map_err(failed)? {
        let _ = writeln!(text, "uploaded {}", line(&sent.category, sent.results, sent.bytes));
    }
    say(&text)
}

fn failed(error: UploadError) -> Failure {
    let hint = error.hint();
    Failure::from(error).context("nothing more was uploaded").hint(hint)
}

fn line(category: &str, results: usize, bytes: usize) -> String {
    let noun = if results == 1 { "result" } else { "results" };
    let category = if category.is_empty() { "(no category)" } else { category };
    format!("{}: {results} {noun}, {bytes} bytes compressed", printable(category))
}

fn read(file: &Path) -> Outcome<Value> {
    let failed = |error: io::Error| {
        Failure::from(error)
            .context(format!("cannot read {}", file.display()))
            .hint("write it first: keycull scan --report sarif=keycull.sarif")
    };
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        io::stdin().lock().take(MAX_BYTES).read_to_end(&mut bytes)
    } else {
        fs::File::open(file).and_then(|open| open.take(MAX_BYTES).read_to_end(&mut bytes))
    };
    read.map_err(failed)?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Failure::new(format!("{} is no JSON (line {})", file.display(), error.line()))
            .hint("upload takes SARIF: keycull scan --report sarif=keycull.sarif")
    })
}

/// Where the results go.
fn target(args: &GithubArgs, environment: &Environment) -> Outcome<Target> {
    let value = |given: &Option<String>, name: &str, flag: &str| {
        let variable = || environment.get(name).and_then(|value| value.to_str()).map(ToOwned::to_owned);
        given.clone().or_else(variable).ok_or_else(|| {
            Failure::new(format!("{flag} is needed: {name} is not set")).hint(format!("give it: {flag} …"))
        })
    };
    let repository = value(&args.repository, "GITHUB_REPOSITORY", "--repository")?;
    let part = |text: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        !text.is_empty() && text.bytes().all(plain) && text.bytes().any(|byte| byte != b'.')
    };
    if repository.split_once('/').is_none_or(|(owner, name)| !part(owner) || !part(name)) {
        return Err(Failure::new(format!("`{repository}` is no repository"))
            .hint("write OWNER/NAME, for example --repository acme/shop"));
    }
    let commit = value(&args.commit, "GITHUB_SHA", "--commit")?.to_ascii_lowercase();
    if commit.len() != 40 || !commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Failure::new(format!("`{commit}` is no full object name"))
            .hint("give all 40 digits: --commit \"$(git rev-parse HEAD)\""));
    }
    let reference = value(&args.reference, "GITHUB_REF", "--ref")?;
    let known = ["refs/heads/", "refs/tags/", "refs/pull/"].iter().any(|kind| reference.starts_with(kind));
    if !known || reference.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
        return Err(Failure::new(format!("`{reference}` is no ref that code scanning takes"))
            .hint("write it in full: --ref refs/heads/main, or refs/pull/7/merge"));
    }
    let api =
        value(&args.api, "GITHUB_API_URL", "--api").unwrap_or_else(|_| "https://api.github.com".to_owned());
    let (host, port, prefix) = address(&api).ok_or_else(|| {
        Failure::new(format!("`{api}` is no address of an API"))
            .hint("for example --api https://api.github.com, or https://github.example.com/api/v3")
    })?;
    Ok(Target { host, port, prefix, repository, commit, reference })
}

/// Host, port and path of an `https` address.
fn address(api: &str) -> Option<(String, u16, String)> {
    let (authority, path) = match api.strip_prefix("https://")?.split_once('/') {
        Some((authority, path)) => (authority, format!("/{}", path.trim_end_matches('/'))),
        None => (api.strip_prefix("https://")?, String::new()),
    };
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (authority, 443),
    };
    let plain =
        |text: &str, more: &[u8]| text.bytes().all(|b| b.is_ascii_alphanumeric() || more.contains(&b));
    let prefix = if path == "/" { String::new() } else { path };
    (!host.is_empty() && plain(host, b"-.") && plain(&prefix, b"-._/"))
        .then(|| (host.to_owned(), port, prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let parts = |host: &str, port, prefix: &str| Some((host.to_owned(), port, prefix.to_owned()));
        assert_eq!(address("https://api.github.com"), parts("api.github.com", 443, ""));
        assert_eq!(address("https://api.github.com/"), parts("api.github.com", 443, ""));
        assert_eq!(address("https://ghe.example:8443/api/v3/"), parts("ghe.example", 8443, "/api/v3"));
        for odd in [
            "http://api.github.com",
            "api.github.com",
            "https://",
            "https://a@b",
            "https://a/?x",
            "https://a:x",
        ] {
            assert_eq!(address(odd), None, "{odd}");
        }
    }
}
