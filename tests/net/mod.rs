//! The way out: what it refuses, and what it does not follow.

use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use keycull::finding::Secret;
use keycull::mock::{Faults, Kind, MockProvider, Redirect};
use keycull::net::{Client, NetError, NetOptions, Request, SystemClock, Transport as _};

const HOST: &str = "api.acme.invalid";

fn client(options: NetOptions) -> Client {
    Client::new(options, Arc::new(SystemClock::new())).expect("is a client")
}

/// A client that may reach `address` under [`HOST`] and nothing else.
fn to(address: SocketAddr) -> Client {
    client(NetOptions {
        loopback: [(HOST.to_owned(), address)].into(),
        loopback_only: true,
        deadline: Duration::from_millis(800),
        ..NetOptions::default()
    })
}

fn get(host: &str, port: u16, token: &str) -> Request {
    Request {
        method: "GET",
        host: host.to_owned(),
        port,
        target: "/whoami".to_owned().into(),
        headers: vec![("Authorization".to_owned(), Secret::new(format!("Bearer {token}")))],
        body: Vec::new().into(),
    }
}

#[test]
fn switched_off_it_sends_nothing() {
    let mock = MockProvider::start(0, Faults::default()).expect("a port");
    let options = NetOptions {
        offline: true,
        loopback: [(HOST.to_owned(), mock.address())].into(),
        ..NetOptions::default()
    };
    assert_eq!(client(options).send(&get(HOST, 443, "x")).err(), Some(NetError::Offline));
    let other = to(mock.address()).send(&get("other.acme.invalid", 443, "x")).err();
    assert_eq!(other, Some(NetError::HostRefused("other.acme.invalid".to_owned())));
    assert_eq!(mock.requests().len(), 0);
}

#[test]
fn overrides_go_to_loopback_alone() {
    let address = "192.0.2.1:80".parse().expect("is an address");
    let options = NetOptions { loopback: [(HOST.to_owned(), address)].into(), ..NetOptions::default() };
    let refused = Client::new(options, Arc::new(SystemClock::new())).err();
    assert!(matches!(refused, Some(NetError::PrivateAddress { .. })), "{refused:?}");
}

#[test]
fn names_that_point_home_are_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("is set");
    let port = listener.local_addr().expect("has one").port();
    let error = client(NetOptions::default()).send(&get("localhost", port, "x")).expect_err("is private");
    assert!(matches!(&error, NetError::PrivateAddress { host, .. } if host == "localhost"), "{error:?}");
    assert!(!error.may_have_arrived());
    assert!(listener.accept().is_err(), "no connection was opened");
}

#[test]
fn without_tls_nothing_is_said() {
    // An internal host that answers plain HTTP: the handshake fails before the secret is sent.
    let mock = MockProvider::start(0, Faults::default()).expect("a port");
    let options = NetOptions { internal_hosts: ["localhost".to_owned()].into(), ..NetOptions::default() };
    let error =
        client(options).send(&get("localhost", mock.address().port(), "topsecret")).expect_err("no TLS");
    assert!(!error.to_string().contains("topsecret"));
    assert!(mock.requests().iter().all(|request| request.header("authorization").is_none()));
}

#[test]
fn redirects_come_back_as_they_are() {
    let decoy = TcpListener::bind("127.0.0.1:0").expect("a port");
    decoy.set_nonblocking(true).expect("is set");
    let redirect = Redirect { status: 307, to: decoy.local_addr().expect("has one"), reads: true };
    let mock =
        MockProvider::start(0, Faults { redirect: Some(redirect), ..Faults::default() }).expect("a port");
    let response = to(mock.address()).send(&get(HOST, 443, "x")).expect("is answered");
    assert_eq!(response.status, 307);
    assert!(decoy.accept().is_err());
}

#[test]
fn long_answers_are_cut_off_and_silence_ends() {
    let mock = MockProvider::start(0, Faults { oversize: true, ..Faults::default() }).expect("a port");
    let key = mock.issue(Kind::Drill, 1);
    let error = to(mock.address()).send(&get(HOST, 443, &key.secret)).expect_err("is too long");
    assert_eq!(error, NetError::TooLarge { status: 200 });
    assert!(error.may_have_arrived());
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let error =
        to(silent.local_addr().expect("has one")).send(&get(HOST, 443, "x")).expect_err("says nothing");
    assert!(error.may_have_arrived(), "{error:?}");
}

#[test]
fn what_nobody_listens_to_was_not_sent() {
    // Another test may be given the port that was just closed; hardly one after the other.
    let refused = || {
        let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("has one");
        to(closed).send(&get(HOST, 443, "x"))
    };
    let outcomes: Vec<_> = (0..5).map(|_| refused()).collect();
    assert!(outcomes.iter().any(|outcome| matches!(outcome, Err(NetError::NotSent(_)))), "{outcomes:?}");
}

#[test]
fn it_says_who_it_is_and_speaks_of_nothing_else() {
    let mock = MockProvider::start(0, Faults::default()).expect("a port");
    to(mock.address()).send(&get(HOST, 443, "x")).expect("is answered");
    let request = mock.requests().remove(0);
    assert!(request.header("user-agent").is_some_and(|agent| agent.starts_with("keycull/")));
    assert_eq!((request.header("host"), request.header("cookie")), (Some(HOST), None));
}

/// Not a test by itself: runs with a proxy in its environment.
#[test]
#[ignore = "run by the test below, in a process of its own"]
fn child() {
    let Ok(address) = std::env::var("KEYCULL_TEST_ADDRESS") else { return };
    let response = to(address.parse().expect("is an address")).send(&get(HOST, 443, "x"));
    assert!(response.is_ok(), "{response:?}");
}

#[test]
fn the_environment_names_no_proxy() {
    let decoy = TcpListener::bind("127.0.0.1:0").expect("a port");
    decoy.set_nonblocking(true).expect("is set");
    let proxy = format!("http://{}", decoy.local_addr().expect("has one"));
    let mock = MockProvider::start(0, Faults::default()).expect("a port");
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command
        .args(["--exact", "net::child", "--ignored"])
        .env("KEYCULL_TEST_ADDRESS", mock.address().to_string());
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        command.env(name, &proxy);
    }
    let output = command.output().expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(mock.requests().len(), 1);
    assert!(decoy.accept().is_err(), "the proxy was asked");
}
