//! Code scanning on loopback: takes uploads, and refuses what GitHub's documented limits refuse.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use serde_json::{Value, json};

/// One upload that was taken.
#[derive(Clone, Debug)]
pub(super) struct Upload {
    pub(super) body: Value,
    pub(super) authorization: String,
    category: String,
    results: usize,
}

#[derive(Default)]
struct State {
    /// Answers to give before any of its own.
    script: Vec<(u16, String)>,
    taken: Vec<Upload>,
    problems: Vec<String>,
    requests: usize,
    polls: usize,
    status: String,
}

pub(super) struct Service {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    stop: Arc<std::sync::atomic::AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Service {
    /// Starts; the first requests get the answers in `script`, status and message.
    pub(super) fn start(script: &[(u16, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("has one");
        let script = script.iter().map(|(status, message)| (*status, (*message).to_owned())).collect();
        let state = Arc::new(Mutex::new(State { script, status: "complete".to_owned(), ..State::default() }));
        let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let (shared, stopped) = (Arc::clone(&state), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(std::sync::atomic::Ordering::SeqCst) {
                    return;
                }
                let _ = stream.map(|stream| serve(stream, &shared));
            }
        });
        Self { address, state, stop, thread: Some(thread) }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no test panics while it holds it")
    }

    pub(super) fn taken(&self) -> Vec<Upload> {
        self.state().taken.clone()
    }

    pub(super) fn problems(&self) -> Vec<String> {
        self.state().problems.clone()
    }

    pub(super) fn requests(&self) -> usize {
        self.state().requests
    }

    /// What becomes of uploads from now on.
    pub(super) fn process(&self, status: &str) {
        self.state().status = status.to_owned();
    }

    /// Categories with open alerts, and how many.
    pub(super) fn open(&self) -> Vec<(String, usize)> {
        let last: BTreeMap<String, usize> =
            self.state().taken.iter().map(|upload| (upload.category.clone(), upload.results)).collect();
        last.into_iter().filter(|(_, results)| *results > 0).collect()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop.store(true, std::sync::atomic::Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut first = String::new();
    if reader.read_line(&mut first).is_err() || first.trim().is_empty() {
        return;
    }
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        let _ = reader.read_line(&mut line);
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.insert(name.to_ascii_lowercase(), value.to_owned()),
            None => break,
        };
    }
    let length = headers.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    let _ = reader.read_exact(&mut body);
    let (status, answer) = answer(&first, &headers, &body, &mut state.lock().expect("not poisoned"));
    let text = answer.to_string();
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        text.len()
    );
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(text.as_bytes()));
}

fn answer(first: &str, headers: &BTreeMap<String, String>, body: &[u8], state: &mut State) -> (u16, Value) {
    state.requests += 1;
    if !state.script.is_empty() {
        let (status, message) = state.script.remove(0);
        if status >= 300 {
            return (status, json!({"message": message}));
        }
    }
    let mut words = first.split_whitespace();
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let root = "/repos/acme/shop/code-scanning/";
    match (method, path.strip_prefix(root)) {
        ("POST", Some("sarifs")) => match take(headers, body) {
            Ok(upload) => {
                state.taken.push(upload);
                let id = format!("47177e22-5596-11eb-80a1-c1e54ef945{:02}", state.taken.len());
                (202, json!({"id": id, "url": "https://api.github.com/…"}))
            }
            Err(problem) => {
                state.problems.push(problem.clone());
                (422, json!({"message": problem}))
            }
        },
        ("GET", Some(rest)) if rest.starts_with("sarifs/") => {
            state.polls += 1;
            // An upload is not known at once, and then takes a while.
            match (state.polls % 3, state.status.as_str()) {
                (1, _) => (404, json!({"message": "Not Found"})),
                (2, _) => (200, json!({"processing_status": "pending"})),
                (_, "failed") => (200, json!({"processing_status": "failed", "errors": ["made up"]})),
                (_, status) => (200, json!({"processing_status": status})),
            }
        }
        ("GET", Some(rest))
            if rest.starts_with("analyses?per_page=100&ref=refs%2Fheads%2Fmain&tool_name=keycull") =>
        {
            let newest = state.taken.iter().rev();
            let told =
                |upload: &Upload| json!({"category": upload.category, "results_count": upload.results});
            (200, newest.map(told).collect())
        }
        _ => (404, json!({"message": "Not Found"})),
    }
}

/// Checks an upload as the documentation says GitHub does.
fn take(headers: &BTreeMap<String, String>, body: &[u8]) -> Result<Upload, String> {
    let authorization = headers.get("authorization").cloned().unwrap_or_default();
    let body: Value = serde_json::from_slice(body).map_err(|_| "not JSON")?;
    let field = |name: &str| body[name].as_str().map(ToOwned::to_owned).ok_or(format!("{name} is missing"));
    let commit = field("commit_sha")?;
    if commit.len() != 40 || !commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("commit_sha is no object name".to_owned());
    }
    if !field("ref")?.starts_with("refs/") {
        return Err("ref is not fully formatted".to_owned());
    }
    let packed = STANDARD.decode(field("sarif")?).map_err(|_| "sarif is not base64")?;
    if packed.len() > 10_000_000 {
        return Err("the file is larger than 10 MB".to_owned());
    }
    let mut text = String::new();
    GzDecoder::new(packed.as_slice()).read_to_string(&mut text).map_err(|_| "sarif is not gzip")?;
    let log: Value = serde_json::from_str(&text).map_err(|_| "sarif is no JSON")?;
    let runs = log["runs"].as_array().ok_or("no runs")?;
    if log["version"] != "2.1.0" || log["$schema"].is_null() || runs.len() > 20 {
        return Err("version, $schema or number of runs".to_owned());
    }
    let mut categories: Vec<String> = Vec::new();
    let mut count = 0;
    for run in runs {
        let id = run["automationDetails"]["id"].as_str().unwrap_or_default();
        let category = id.rfind('/').map_or("", |at| &id[..=at]).to_owned();
        if categories.contains(&category) {
            return Err("several runs of one category".to_owned());
        }
        categories.push(category);
        count += check(run)?;
    }
    let category = categories.first().cloned().unwrap_or_default();
    Ok(Upload { body, authorization, category, results: count })
}

/// Checks one run; gives the number of its results.
fn check(run: &Value) -> Result<usize, String> {
    let rules = run["tool"]["driver"]["rules"].as_array().ok_or("no rules")?;
    let results = run["results"].as_array().ok_or("no results")?;
    if results.len() > 25_000 || rules.len() > 25_000 {
        return Err("more than 25,000 results or rules in a run".to_owned());
    }
    for rule in rules {
        let texts = ["shortDescription", "fullDescription", "help"];
        if texts.iter().any(|name| rule[*name]["text"].as_str().is_none_or(str::is_empty)) {
            return Err(format!("rule {} has an empty text", rule["id"]));
        }
    }
    for result in results {
        let locations = result["locations"].as_array().ok_or("a result without locations")?;
        let place = &locations.first().ok_or("a result without locations")?["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().ok_or("a location without uri")?;
        let line = place["region"]["startLine"].as_u64().ok_or("a region without line")?;
        let scheme = uri.split('/').next().is_some_and(|head| head.contains(':'));
        if locations.len() > 1000 || line < 1 || uri.starts_with('/') || scheme {
            return Err(format!("location {uri}:{line}"));
        }
        if result["message"]["text"].as_str().is_none_or(str::is_empty) {
            return Err("an empty message".to_owned());
        }
    }
    Ok(results.len())
}
