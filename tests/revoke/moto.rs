//! AWS, as `moto` plays it: the key really turns inactive, the user's other key stays active.
//!
//! `moto` checks signatures and policies here (`INITIAL_NO_AUTH_ACTION_COUNT`). Run with
//! `KEYCULL_MOTO_SERVER=/path/to/moto_server cargo test --test suite moto -- --ignored`.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use keycull::revoke::{Decision, Outcome, PlanOptions};

use super::stage::{Files, Stage, finding};

/// Requests that need no signature: the user, its policy, two keys.
const SETUP: usize = 4;

struct Moto {
    child: Child,
    address: SocketAddr,
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Moto {
    fn start() -> Self {
        let program =
            std::env::var("KEYCULL_MOTO_SERVER").expect("KEYCULL_MOTO_SERVER names the moto_server program");
        let address = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("has one");
        let child = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", &address.port().to_string()])
            .env("INITIAL_NO_AUTH_ACTION_COUNT", SETUP.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("moto starts");
        let moto = Self { child, address };
        for _ in 0..200 {
            if TcpStream::connect(address).is_ok() {
                return moto;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("moto did not come up");
    }

    /// One unsigned IAM request; the answer as text.
    fn iam(&self, form: &str) -> String {
        let mut stream = TcpStream::connect(self.address).expect("is up");
        let request = format!(
            "POST / HTTP/1.1\r\nHost: iam.amazonaws.com\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nAuthorization: AWS4-HMAC-SHA256 Credential=setup/20300101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        );
        stream.write_all(request.as_bytes()).expect("is sent");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("is answered");
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
        text
    }

    fn key(&self) -> (String, String) {
        let text = self.iam("Action=CreateAccessKey&UserName=leaky&Version=2010-05-08");
        let field = |name: &str| {
            let rest = text.split_once(&format!("<{name}>")).expect("is there").1;
            rest.split_once('<').expect("ends").0.to_owned()
        };
        (field("AccessKeyId"), field("SecretAccessKey"))
    }
}

#[test]
#[ignore = "needs moto_server; see the head of this file"]
fn aws_keys_are_turned_off_one_at_a_time() {
    let moto = Moto::start();
    moto.iam("Action=CreateUser&UserName=leaky&Version=2010-05-08");
    let policy = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22iam%3A%2A%22%2C%22Resource%22%3A%22%2A%22%7D%5D%7D";
    moto.iam(&format!(
        "Action=PutUserPolicy&UserName=leaky&PolicyName=own&PolicyDocument={policy}&Version=2010-05-08"
    ));
    let (leaked, other) = (moto.key(), moto.key());
    let stage = Stage::sent_to(&["iam.amazonaws.com", "sts.amazonaws.com"], moto.address);
    let plan = |key: &(String, String)| {
        let secret = finding("aws-secret-access-key", &key.1, "a.env");
        let mut id = finding("aws-access-key-id", &key.0, "a.env");
        id.companions = vec![secret.fingerprint.clone()];
        let only = ["aws-access-key-id".to_owned()].into();
        let findings = [id, secret];
        let plan = stage.plan(&findings, &PlanOptions { only, ..PlanOptions::default() });
        (findings, plan)
    };
    let (_, planned) = plan(&(leaked.0.clone(), other.1.clone()));
    assert!(matches!(&planned.items[0].decision, Decision::Refused(_)), "a wrong pair: {planned:?}");
    let (findings, planned) = plan(&leaked);
    assert_eq!(planned.items[0].decision, Decision::Ready, "{planned:?}");
    assert!(planned.items[0].identity.as_deref().is_some_and(|arn| arn.ends_with("user/leaky")));
    let report = stage.apply(&Files::of(&findings));
    // This server goes on answering an inactive key, which real STS does not: so no death is claimed.
    assert!(matches!(report.items[0].outcome, Outcome::Revoked | Outcome::AcceptedUnproven), "{report:?}");
    let (_, planned) = plan(&other);
    assert_eq!(planned.items[0].verdict, "live", "the other key is untouched");
    stage.assert_clean(&report, &[&leaked.1]);
    let listed = signed_list(&stage, &other);
    let status = |id: &str| {
        let at = listed.find(&format!("<AccessKeyId>{id}</AccessKeyId>")).expect("is listed");
        let member = listed[..at].rfind("<member>").expect("starts");
        let end = at + listed[at..].find("</member>").expect("ends");
        let text = &listed[member..end];
        text.split_once("<Status>").expect("has one").1.split_once('<').expect("ends").0.to_owned()
    };
    assert_eq!((status(&leaked.0).as_str(), status(&other.0).as_str()), ("Inactive", "Active"), "{listed}");
}

/// The user's keys, asked for with the other key through a block of the test's own.
fn signed_list(stage: &Stage, key: &(String, String)) -> String {
    use keycull::net::Transport as _;
    let date = "20270115T080000Z";
    let body = b"Action=ListAccessKeys&UserName=leaky&Version=2010-05-08";
    let content_type = "application/x-www-form-urlencoded";
    let signed = keycull::validate::Signed { host: "iam.amazonaws.com", content_type, date, body };
    let given = format!("Credential={}/20270115/us-east-1/iam/aws4_request,", key.0);
    let authorization =
        keycull::validate::aws4_authorization(&signed, (&key.0, &key.1), &given).expect("is signed");
    let header = |name: &str, value: &str| (name.to_owned(), keycull::finding::Secret::new(value));
    let request = keycull::net::Request {
        method: "POST",
        host: "iam.amazonaws.com".to_owned(),
        port: 443,
        target: "/".to_owned().into(),
        headers: vec![
            header("Content-Type", content_type),
            header("X-Amz-Date", date),
            header("Authorization", &authorization),
        ],
        body: body.to_vec().into(),
    };
    let response = stage.client.send(&request).expect("is answered");
    String::from_utf8_lossy(&response.body).into_owned()
}
