//! HTTP for checking and killing keys: one way out, and a narrow one.
//!
//! No redirects, ever (a `307` would carry the secret to another host). No proxy unless asked. TLS
//! only, except to loopback addresses the operator names for tests. Names are resolved once per
//! connection, and an answer with a private address is refused unless the host is named as
//! internal. Bodies are capped and never shown. `client.rs` is the only file that knows the HTTP
//! library; everything else speaks [`Transport`], so tests count requests.

mod address;
mod bucket;
mod client;
mod clock;

use std::fmt;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::finding::Secret;

pub use address::is_public;
pub use bucket::Rate;
pub use client::{Client, NetOptions};
pub use clock::{Clock, ManualClock, SystemClock};

/// Longest answer read, in bytes.
pub const BODY_CAP: usize = 256 * 1024;

/// One request. Everything in it may be secret, so `Debug` shows method and host alone.
#[derive(Clone)]
pub struct Request {
    /// Method on the wire.
    pub method: &'static str,
    /// Host name; the only one this request may reach.
    pub host: String,
    /// Port, 443 unless the operator's address says otherwise.
    pub port: u16,
    /// Path and query, encoded.
    pub target: Zeroizing<String>,
    /// Header fields; `Host`, `Content-Length` and `User-Agent` are added by the transport.
    pub headers: Vec<(String, Secret)>,
    /// Body; empty for none.
    pub body: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} https://{}:{}/…", self.method, self.host, self.port)
    }
}

/// An answer. The body may echo the request, so `Debug` leaves it out.
#[derive(Clone)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Header fields, names in lower case, in order.
    pub headers: Vec<(String, String)>,
    /// Body, at most [`BODY_CAP`] bytes.
    pub body: Zeroizing<Vec<u8>>,
}

impl Response {
    /// First header of that name (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// `Retry-After` in seconds form; dates are not understood.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.header("retry-after")?.trim().parse().ok().map(Duration::from_secs)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {} with {} bytes", self.status, self.body.len())
    }
}

/// Why there is no answer. No variant ever holds a URL or a header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// The network is switched off.
    #[error("the network is switched off (--offline)")]
    Offline,
    /// The host is not one this run may reach.
    #[error("host {0} is not one this run may reach")]
    HostRefused(String),
    /// The name points into a private network.
    #[error(
        "{host} resolves to {address}, which is not a public address; name the host in `internal_hosts` of the operator's file if that is meant"
    )]
    PrivateAddress {
        /// The host.
        host: String,
        /// What it resolved to.
        address: String,
    },
    /// The request cannot have reached the server.
    #[error("not sent: {0}")]
    NotSent(String),
    /// The request may have reached the server.
    #[error("no usable answer: {0}")]
    NoAnswer(String),
    /// The answer was longer than [`BODY_CAP`].
    #[error("status {status}, but the answer is longer than {BODY_CAP} bytes")]
    TooLarge {
        /// Its status.
        status: u16,
    },
    /// The host's budget of this run is used up for longer than a request may wait.
    #[error("too many requests to {host}: wait {} s", wait.as_secs())]
    Throttled {
        /// The host.
        host: String,
        /// How long.
        wait: Duration,
    },
}

impl NetError {
    /// Whether the server may have acted on the request.
    #[must_use]
    pub fn may_have_arrived(&self) -> bool {
        match self {
            Self::NoAnswer(_) | Self::TooLarge { .. } => true,
            Self::Offline
            | Self::HostRefused(_)
            | Self::PrivateAddress { .. }
            | Self::NotSent(_)
            | Self::Throttled { .. } => false,
        }
    }
}

/// Something that sends one request and returns one answer: no redirects, no retries, no cookies.
pub trait Transport: Sync {
    /// Sends `request`.
    ///
    /// # Errors
    ///
    /// See [`NetError`]; [`NetError::may_have_arrived`] tells whether the server may have acted.
    fn send(&self, request: &Request) -> Result<Response, NetError>;
}
