//! A provider on loopback, for drills and tests: it issues keys, checks them, kills them, and misbehaves on request.
//!
//! Apart from the tests because teams rehearse with it (`keycull mock-provider`, `keycull revoke
//! drill`) and can point other tools at it. Speaks the requests of several real providers, told
//! apart by path.

pub mod drill;
mod face;
mod faults;
mod http;
mod keys;
mod operator;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

pub use faults::{Faults, ParseFaultsError, Redirect};
pub use keys::{Issued, Kind};
pub use operator::operator_file;

/// A request as it arrived. Holds secrets; tests compare, nothing prints it.
#[derive(Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Header fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl Recorded {
    /// First header of that name (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The path as it may be shown: without query, and without segments long enough to be a key.
    #[must_use]
    pub fn shown(&self) -> String {
        let path = self.target.split('?').next().unwrap_or_default();
        let short = |part: &str| if part.len() > 24 { "…".to_owned() } else { part.to_owned() };
        path.split('/').map(short).collect::<Vec<_>>().join("/")
    }
}

impl std::fmt::Debug for Recorded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} …", self.method)
    }
}

#[derive(Default)]
struct State {
    keys: keys::Keys,
    faults: Faults,
    seen: Vec<Recorded>,
    webhook_key: Vec<u8>,
}

/// A running mock provider; stops when dropped.
pub struct MockProvider {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl MockProvider {
    /// Listens on loopback; `port` 0 picks a free one.
    ///
    /// # Errors
    ///
    /// The port is taken.
    pub fn start(port: u16, faults: Faults) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State { faults, ..State::default() }));
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, stopping) = (Arc::clone(&state), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopping.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let state = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &state));
            }
        });
        Ok(Self { address, state, stop, thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Issues a key. `seed` makes it repeatable.
    pub fn issue(&self, kind: Kind, seed: u64) -> Issued {
        self.state().keys.issue(kind, seed)
    }

    /// All keys issued so far, dead ones as well.
    #[must_use]
    pub fn issued(&self) -> Vec<Issued> {
        self.state().keys.all()
    }

    /// Whether the provider takes this key.
    #[must_use]
    pub fn is_live(&self, secret: &str) -> bool {
        self.state().keys.is_live(secret)
    }

    /// Kills a key behind everybody's back.
    pub fn kill(&self, secret: &str) {
        self.state().keys.kill(secret, 0);
    }

    /// Changes how it misbehaves.
    pub fn set_faults(&self, faults: Faults) {
        self.state().faults = faults;
    }

    /// The key that webhook signatures are checked with.
    pub fn set_webhook_key(&self, key: &[u8]) {
        self.state().webhook_key = key.to_vec();
    }

    /// All requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.state().seen.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for MockProvider {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the accepting thread.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let Some(request) = http::read(&mut stream) else { return };
    let (reply, faults) = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.seen.push(request.clone());
        let reply = face::answer(&mut state, &request);
        (reply, state.faults.clone())
    };
    let Some(reply) = reply else {
        // The client sees a connection that stays silent until its own deadline.
        std::thread::sleep(faults.silence);
        return;
    };
    http::write(&mut stream, &reply);
}
