//! The one file that knows the HTTP library.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use ureq::config::Config;
use ureq::http::{self, Uri};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Proxy};
use zeroize::Zeroizing;

use super::bucket::Buckets;
use super::{BODY_CAP, Clock, NetError, Rate, Request, Response, Transport, is_public};

/// Longest a request waits for its host's budget.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a run may reach, and how. Comes from the command line and the operator's file alone.
#[derive(Clone, Debug)]
pub struct NetOptions {
    /// Send nothing at all.
    pub offline: bool,
    /// Hosts that may resolve to private addresses.
    pub internal_hosts: BTreeSet<String>,
    /// Hosts sent to a loopback address instead, over plain HTTP: the mock provider and tests.
    pub loopback: BTreeMap<String, SocketAddr>,
    /// Refuse every host that is not in `loopback`: tests and drills prove so that they go nowhere else.
    pub loopback_only: bool,
    /// Proxy URL; the environment is never asked.
    pub proxy: Option<String>,
    /// Deadline of one request, from resolving to the last byte.
    pub deadline: Duration,
    /// Budget per host.
    pub rate: Rate,
}

impl Default for NetOptions {
    fn default() -> Self {
        Self {
            offline: false,
            internal_hosts: BTreeSet::new(),
            loopback: BTreeMap::new(),
            loopback_only: false,
            proxy: None,
            deadline: Duration::from_secs(20),
            rate: Rate::default(),
        }
    }
}

/// Sends requests over the network under [`NetOptions`].
pub struct Client {
    options: NetOptions,
    agent: Agent,
    buckets: Buckets,
    clock: Arc<dyn Clock + Send>,
}

impl Client {
    /// Builds a client; opens nothing yet.
    ///
    /// # Errors
    ///
    /// A proxy URL that is none, or an override to an address that is not loopback.
    pub fn new(options: NetOptions, clock: Arc<dyn Clock + Send>) -> Result<Self, NetError> {
        if let Some((host, address)) =
            options.loopback.iter().find(|(_, address)| !address.ip().is_loopback())
        {
            return Err(NetError::PrivateAddress { host: host.clone(), address: address.to_string() });
        }
        let proxy = match &options.proxy {
            None => None,
            Some(url) => {
                Some(Proxy::new(url).map_err(|_| NetError::NotSent("the proxy URL is not one".to_owned()))?)
            }
        };
        let proxied = proxy.is_some();
        let config = Config::builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(proxy)
            .user_agent(concat!("keycull/", env!("CARGO_PKG_VERSION"), " (credential check and revocation)"))
            .accept_encoding("identity")
            .allow_non_standard_methods(true)
            .max_idle_connections(0)
            .max_idle_connections_per_host(0)
            .max_response_header_size(32 * 1024)
            .timeout_global(Some(options.deadline))
            .timeout_connect(Some(options.deadline / 2))
            .build();
        let resolver =
            Guard { internal: options.internal_hosts.clone(), loopback: options.loopback.clone(), proxied };
        let agent = Agent::with_parts(config, DefaultConnector::default(), resolver);
        Ok(Self { options, agent, buckets: Buckets::default(), clock })
    }

    fn build(&self, request: &Request, plain: bool) -> Result<http::Request<Vec<u8>>, NetError> {
        let malformed = || NetError::NotSent("the request is malformed".to_owned());
        let scheme = if plain { "http" } else { "https" };
        let port = if plain || request.port == 443 { String::new() } else { format!(":{}", request.port) };
        let url = Zeroizing::new(format!("{scheme}://{}{port}{}", request.host, request.target.as_str()));
        let mut builder = http::Request::builder().method(request.method).uri(url.as_str());
        for (name, value) in &request.headers {
            let mut value = http::HeaderValue::from_bytes(value.expose()).map_err(|_| malformed())?;
            value.set_sensitive(true);
            builder = builder.header(name.as_str(), value);
        }
        builder.body(request.body.to_vec()).map_err(|_| malformed())
    }
}

impl Transport for Client {
    fn send(&self, request: &Request) -> Result<Response, NetError> {
        if self.options.offline {
            return Err(NetError::Offline);
        }
        let plain = self.options.loopback.contains_key(&request.host);
        if self.options.loopback_only && !plain {
            return Err(NetError::HostRefused(request.host.clone()));
        }
        let message = self.build(request, plain)?;
        self.buckets
            .take(&request.host, self.options.rate, PATIENCE, self.clock.as_ref())
            .map_err(|wait| NetError::Throttled { host: request.host.clone(), wait })?;
        // A request without a body must not announce one: some servers refuse `GET` with a length.
        let answer = if message.body().is_empty() && request.method != "POST" && request.method != "PUT" {
            self.agent.run(message.map(|_| ()))
        } else {
            self.agent.run(message)
        };
        read(answer.map_err(|error| translate(error, &request.host))?)
    }
}

fn read(mut answer: http::Response<ureq::Body>) -> Result<Response, NetError> {
    let status = answer.status().as_u16();
    let headers = answer
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    let body = answer.body_mut().with_config().limit(BODY_CAP as u64).read_to_vec();
    match body {
        Ok(body) => Ok(Response { status, headers, body: Zeroizing::new(body) }),
        Err(ureq::Error::BodyExceedsLimit(_)) => Err(NetError::TooLarge { status }),
        Err(_) => Err(NetError::NoAnswer(format!("status {status}, and the connection broke in the body"))),
    }
}

/// Sorts errors by whether the server may have seen the request. When in doubt, it may.
fn translate(error: ureq::Error, host: &str) -> NetError {
    use std::io::ErrorKind;
    use ureq::Timeout;
    // NOTE: library types, non-exhaustive and feature-dependent: anything not listed may have arrived.
    #[allow(clippy::wildcard_enum_match_arm)]
    match error {
        ureq::Error::Other(inner) => match inner.downcast::<Refused>() {
            Ok(refused) => {
                NetError::PrivateAddress { host: host.to_owned(), address: refused.0.ip().to_string() }
            }
            Err(_) => NetError::NoAnswer("the connection failed".to_owned()),
        },
        ureq::Error::HostNotFound => NetError::NotSent(format!("{host} was not found")),
        ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
            NetError::NotSent(format!("no connection to {host} in time"))
        }
        ureq::Error::Timeout(_) => NetError::NoAnswer("no answer in time".to_owned()),
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => NetError::NotSent(format!("TLS with {host} failed")),
        ureq::Error::Io(error) => match error.kind() {
            ErrorKind::ConnectionRefused | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
                NetError::NotSent(format!("no connection to {host}"))
            }
            kind => NetError::NoAnswer(format!("the connection broke ({kind})")),
        },
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
            NetError::NotSent("the request is malformed".to_owned())
        }
        _ => NetError::NoAnswer("the answer was not HTTP".to_owned()),
    }
}

/// A private address in a DNS answer.
#[derive(Debug)]
struct Refused(SocketAddr);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is not a public address", self.0.ip())
    }
}

impl std::error::Error for Refused {}

/// Resolves once per connection and lets through only what may be reached: the connection goes to
/// the very addresses that were looked at, so a second DNS answer has no say.
#[derive(Debug)]
struct Guard {
    internal: BTreeSet<String>,
    loopback: BTreeMap<String, SocketAddr>,
    proxied: bool,
}

impl Resolver for Guard {
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().ok_or(ureq::Error::HostNotFound)?.to_owned();
        let mut kept = self.empty();
        if let Some(address) = self.loopback.get(&host) {
            kept.push(*address);
            return Ok(kept);
        }
        let secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        for address in look_up(host.clone(), port, *timeout.after)?.into_iter().take(16) {
            // The proxy's own address is the operator's choice.
            let is_proxy = self.proxied && !secure;
            if !is_public(address.ip()) && !is_proxy && !self.internal.contains(&host) {
                return Err(ureq::Error::Other(Box::new(Refused(address))));
            }
            kept.push(address);
        }
        if kept.is_empty() { Err(ureq::Error::HostNotFound) } else { Ok(kept) }
    }
}

/// The system's resolver, on a thread of its own because it knows no deadline.
fn look_up(host: String, port: u16, deadline: Duration) -> Result<Vec<SocketAddr>, ureq::Error> {
    let (send, receive) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let found = (host.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>);
        let _ = send.send(found);
    });
    match receive.recv_timeout(deadline) {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(_)) => Err(ureq::Error::HostNotFound),
        Err(_) => Err(ureq::Error::Timeout(ureq::Timeout::Resolve)),
    }
}
