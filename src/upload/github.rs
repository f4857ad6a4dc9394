//! GitHub code scanning: sends the uploads of a log and waits until each is processed.
//!
//! Facts: GitHub's REST page "Code scanning", sections "Upload an analysis as SARIF data", "Get
//! information about a SARIF upload" and "List code scanning analyses".

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::UploadError;
use super::shard::{Limits, Shard, emptied, number_behind, shards};
use crate::finding::Secret;
use crate::net::{Clock, Request, Response, Transport};

/// Tries of one request, when the server has a problem.
const TRIES: u32 = 4;

/// Longest wait between two tries.
const LONGEST: Duration = Duration::from_secs(60);

/// Most characters of the server's words that are repeated.
const WORDS: usize = 300;

/// Where results go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Host of the API.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What comes before `/repos` in paths: empty, or `/api/v3` for an enterprise server.
    pub prefix: String,
    /// `owner/name`.
    pub repository: String,
    /// The commit that was scanned: 40 hexadecimal digits.
    pub commit: String,
    /// The ref it was scanned for: `refs/heads/…`, `refs/tags/…` or `refs/pull/N/merge`.
    pub reference: String,
}

/// One upload that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uploaded {
    /// Its category.
    pub category: String,
    /// Results in it.
    pub results: usize,
    /// Bytes after compression.
    pub bytes: usize,
    /// GitHub's name for it.
    pub id: String,
}

/// Everything that is needed to upload.
pub struct Session<'a> {
    /// The way out.
    pub transport: &'a dyn Transport,
    /// For pauses.
    pub clock: &'a dyn Clock,
    /// Where to.
    pub target: &'a Target,
    /// The token; it goes into one header and nowhere else.
    pub token: &'a Secret,
    /// How long to wait for each upload to be processed; zero does not wait.
    pub patience: Duration,
    /// What one upload may hold.
    pub limits: Limits,
}

impl Session<'_> {
    /// Uploads every run of `sarif`, and empties what an earlier, larger upload left behind.
    ///
    /// # Errors
    /// See [`UploadError`]. Uploads before the one that failed stay.
    pub fn upload(&self, sarif: &Value) -> Result<Vec<Uploaded>, UploadError> {
        let mut all = shards(sarif, self.limits)?;
        let bases = bases(&all);
        for (tool, base, count) in bases {
            for category in self.left_over(&tool, &base, count) {
                all.extend(emptied(sarif, &tool, &category)?);
            }
        }
        let mut uploaded = Vec::new();
        for shard in &all {
            uploaded.push(self.send(shard)?);
        }
        for (shard, sent) in all.iter().zip(&uploaded) {
            self.wait(shard, &sent.id)?;
        }
        Ok(uploaded)
    }

    fn send(&self, shard: &Shard) -> Result<Uploaded, UploadError> {
        let body = json!({
            "commit_sha": self.target.commit,
            "ref": self.target.reference,
            "sarif": shard.sarif,
            "tool_name": shard.tool,
        });
        let answer = self.ask("POST", "sarifs", body.to_string().into_bytes(), shard)?;
        let id = text(&answer, "id").filter(|id| is_plain(id));
        let id = id.ok_or(UploadError::Unexpected { status: answer.status })?;
        Ok(Uploaded { category: shard.category.clone(), results: shard.results, bytes: shard.bytes, id })
    }

    /// Waits until an upload is processed.
    fn wait(&self, shard: &Shard, id: &str) -> Result<(), UploadError> {
        let (start, mut pause) = (self.clock.steady(), Duration::from_secs(1));
        while !self.patience.is_zero() {
            let answer = match self.ask("GET", &format!("sarifs/{id}"), Vec::new(), shard) {
                // It is not known everywhere at once.
                Err(UploadError::NotFound { .. }) => None,
                answer => Some(answer?),
            };
            let status = answer.as_ref().and_then(|answer| text(answer, "processing_status"));
            match (status.as_deref(), &answer) {
                (Some("complete"), _) => return Ok(()),
                (Some("failed"), Some(answer)) => {
                    let said = self.errors(answer);
                    return Err(UploadError::Failed { category: shard.category.clone(), said });
                }
                _ => {}
            }
            if self.clock.steady().saturating_sub(start) >= self.patience {
                let seconds = self.patience.as_secs();
                return Err(UploadError::Slow { category: shard.category.clone(), seconds });
            }
            self.clock.sleep(pause);
            pause = (pause * 2).min(Duration::from_secs(10));
        }
        Ok(())
    }

    /// Categories of a larger upload before, which would keep their alerts open for ever.
    fn left_over(&self, tool: &str, base: &str, count: usize) -> Vec<String> {
        let encoded = |text: &str| -> String {
            text.bytes()
                .map(|byte| match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                        char::from(byte).to_string()
                    }
                    other => format!("%{other:02X}"),
                })
                .collect()
        };
        let query = format!(
            "analyses?per_page=100&ref={}&tool_name={}",
            encoded(&self.target.reference),
            encoded(tool)
        );
        let nothing = Shard {
            category: base.to_owned(),
            tool: tool.to_owned(),
            results: 0,
            bytes: 0,
            sarif: String::new(),
        };
        // NOTE: a repository without any analysis answers 404; the upload itself says what is wrong.
        let Ok(answer) = self.ask("GET", &query, Vec::new(), &nothing) else { return Vec::new() };
        let list: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let mut seen = BTreeSet::new();
        let mut stale = Vec::new();
        // Newest first: only the last upload of a category counts.
        for analysis in list.as_array().into_iter().flatten() {
            let Some(category) = analysis.get("category").and_then(Value::as_str) else { continue };
            let Some(number) = number_behind(base, category) else { continue };
            let open = analysis.get("results_count").and_then(Value::as_u64) != Some(0);
            if seen.insert(number) && number > count && open {
                stale.push(format!("{}/", category.trim_end_matches('/')));
            }
        }
        stale
    }

    /// Sends one request, again when the server has a problem, and sorts the answer.
    fn ask(
        &self,
        method: &'static str,
        path: &str,
        body: Vec<u8>,
        shard: &Shard,
    ) -> Result<Response, UploadError> {
        let request = self.request(method, path, body);
        let mut tries = 0;
        loop {
            tries += 1;
            let answer = self.transport.send(&request)?;
            let error = match answer.status {
                200..=299 => return Ok(answer),
                status => self.refusal(status, &answer, shard, tries),
            };
            let again = matches!(error, UploadError::Down { .. } | UploadError::Busy { .. });
            let wait = answer.retry_after().unwrap_or(Duration::from_secs(1) * 2_u32.pow(tries));
            if !again || tries >= TRIES || wait > LONGEST {
                return Err(error);
            }
            log::info!("{error}; trying again in {} s", wait.as_secs());
            self.clock.sleep(wait);
        }
    }

    fn request(&self, method: &'static str, path: &str, body: Vec<u8>) -> Request {
        let Target { prefix, repository, .. } = self.target;
        let mut bearer = Zeroizing::new(b"Bearer ".to_vec());
        bearer.extend_from_slice(self.token.expose());
        let header = |name: &str, value: &str| (name.to_owned(), Secret::new(value));
        Request {
            method,
            host: self.target.host.clone(),
            port: self.target.port,
            target: Zeroizing::new(format!("{prefix}/repos/{repository}/code-scanning/{path}")),
            headers: vec![
                ("Authorization".to_owned(), Secret::new(bearer.as_slice())),
                header("Accept", "application/vnd.github+json"),
                header("Content-Type", "application/json"),
                header("X-GitHub-Api-Version", "2022-11-28"),
            ],
            body: Zeroizing::new(body),
        }
    }

    fn refusal(&self, status: u16, answer: &Response, shard: &Shard, tries: u32) -> UploadError {
        let repository = self.target.repository.clone();
        let said = self.clean(&text(answer, "message").unwrap_or_default());
        let limited = answer.header("x-ratelimit-remaining") == Some("0")
            || answer.header("retry-after").is_some()
            || said.to_lowercase().contains("rate limit");
        let switched_off = ["must be enabled", "is not enabled", "not enabled for this"];
        match status {
            401 => UploadError::Token,
            403 | 429 if limited || status == 429 => UploadError::Busy { status },
            403 if switched_off.iter().any(|words| said.contains(words)) => {
                UploadError::SwitchedOff { repository, said }
            }
            403 => UploadError::Forbidden { repository, said },
            404 => UploadError::NotFound { repository },
            413 => UploadError::Refused { category: shard.category.clone(), bytes: shard.bytes },
            400 | 422 => UploadError::Invalid {
                category: shard.category.clone(),
                commit: self.target.commit.clone(),
                reference: self.target.reference.clone(),
                status,
                said,
            },
            500..=599 => UploadError::Down { status, tries },
            _ => UploadError::Unexpected { status },
        }
    }

    /// What GitHub says is wrong with an upload.
    fn errors(&self, answer: &Response) -> String {
        let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let list = json.get("errors").and_then(Value::as_array);
        let texts: Vec<&str> = list.into_iter().flatten().filter_map(Value::as_str).collect();
        if texts.is_empty() { "it does not say why".to_owned() } else { self.clean(&texts.join("; ")) }
    }

    /// Words of the server, on one line, without the token, whatever it echoes.
    fn clean(&self, words: &str) -> String {
        let token = String::from_utf8_lossy(self.token.expose());
        let words = words.replace(token.as_ref(), "[redacted]");
        let plain = words.chars().map(|c| if c.is_control() { ' ' } else { c });
        plain.take(WORDS).collect::<String>().trim().to_owned()
    }
}

/// Tool, category and number of uploads of each run.
fn bases(all: &[Shard]) -> Vec<(String, String, usize)> {
    let mut bases: Vec<(String, String, usize)> = Vec::new();
    for shard in all {
        match bases
            .iter_mut()
            .find(|(tool, base, _)| *tool == shard.tool && number_behind(base, &shard.category).is_some())
        {
            Some((_, _, count)) => *count += 1,
            None => bases.push((shard.tool.clone(), shard.category.clone(), 1)),
        }
    }
    bases
}

fn text(answer: &Response, key: &str) -> Option<String> {
    let json: Value = serde_json::from_slice(&answer.body).ok()?;
    json.get(key)?.as_str().map(ToOwned::to_owned)
}

/// Whether an identifier can stand in a path as it is.
fn is_plain(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
