//! How the mock misbehaves.

use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

/// Switches; the default behaves well.
#[derive(Clone, Debug)]
pub struct Faults {
    /// Answers mutating requests (or all) with a redirect.
    pub redirect: Option<Redirect>,
    /// Puts the whole request into every answer.
    pub echo: bool,
    /// Answers that many read-only requests with 429 and `Retry-After: 1`.
    pub too_many: u32,
    /// Answers mutating requests with 429 and does nothing.
    pub too_many_mutations: bool,
    /// Does what was asked, then answers 500.
    pub error_after_mutation: bool,
    /// Does what was asked, then says nothing.
    pub hang_after_mutation: bool,
    /// Says yes and does nothing.
    pub ignore_mutation: bool,
    /// Refuses mutating requests with 403.
    pub forbidden: bool,
    /// A killed key is still taken for that many checks.
    pub slow: u32,
    /// Lists leave out the asking key and show others.
    pub wrong_list: bool,
    /// Pads bodies beyond what is read.
    pub oversize: bool,
    /// Answers everything with 200 and a page.
    pub html: bool,
    /// Answers everything with 500.
    pub broken: bool,
    /// How long silence lasts.
    pub silence: Duration,
}

/// Where to send callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// 301 to 308.
    pub status: u16,
    /// The other place.
    pub to: SocketAddr,
    /// Read-only requests too.
    pub reads: bool,
}

impl Faults {
    /// The switches as they are written, with an example of each value: for those who try them all.
    pub const SWITCHES: [&str; 13] = [
        "redirect=307@127.0.0.1:9",
        "echo",
        "too-many=1",
        "too-many-mutations",
        "error-after",
        "hang-after",
        "ignore",
        "forbidden",
        "slow=1",
        "wrong-list",
        "oversize",
        "html",
        "broken",
    ];
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            redirect: None,
            echo: false,
            too_many: 0,
            too_many_mutations: false,
            error_after_mutation: false,
            hang_after_mutation: false,
            ignore_mutation: false,
            forbidden: false,
            slow: 0,
            wrong_list: false,
            oversize: false,
            html: false,
            broken: false,
            silence: Duration::from_secs(3),
        }
    }
}

/// Not a list of faults.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no fault: write redirect=307@127.0.0.1:PORT, echo, too-many=N, too-many-mutations, error-after, hang-after, ignore, forbidden, slow=N, wrong-list, oversize, html or broken, with commas between"
)]
pub struct ParseFaultsError(String);

impl FromStr for Faults {
    type Err = ParseFaultsError;

    /// `echo,slow=3,redirect=307@127.0.0.1:9999`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut faults = Self::default();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let bad = || ParseFaultsError(word.to_owned());
            let (name, value) =
                word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
            let number = || value.and_then(|value| value.parse::<u32>().ok()).ok_or_else(bad);
            match name {
                "redirect" => {
                    let (status, to) = value.and_then(|value| value.split_once('@')).ok_or_else(bad)?;
                    let (status, to) = (status.parse().map_err(|_| bad())?, to.parse().map_err(|_| bad())?);
                    faults.redirect = Some(Redirect { status, to, reads: false });
                }
                "echo" => faults.echo = true,
                "too-many" => faults.too_many = number()?,
                "too-many-mutations" => faults.too_many_mutations = true,
                "error-after" => faults.error_after_mutation = true,
                "hang-after" => faults.hang_after_mutation = true,
                "ignore" => faults.ignore_mutation = true,
                "forbidden" => faults.forbidden = true,
                "slow" => faults.slow = number()?,
                "wrong-list" => faults.wrong_list = true,
                "oversize" => faults.oversize = true,
                "html" => faults.html = true,
                "broken" => faults.broken = true,
                _ => return Err(bad()),
            }
        }
        Ok(faults)
    }
}

#[cfg(test)]
mod tests {
    use super::Faults;

    #[test]
    fn lists_of_faults_are_read() {
        let faults: Faults = "echo, slow=3,redirect=307@127.0.0.1:9".parse().expect("is one");
        assert!(faults.echo && faults.slow == 3 && faults.redirect.is_some_and(|r| r.status == 307));
        for switch in Faults::SWITCHES {
            switch.parse::<Faults>().expect(switch);
            let name = switch.split('=').next().expect("a name");
            assert!(super::ParseFaultsError(String::new()).to_string().contains(name), "{name}");
        }
        for bad in ["ecko", "slow", "slow=x", "redirect=307", "redirect=307@nowhere"] {
            assert!(bad.parse::<Faults>().is_err(), "{bad}");
        }
    }
}
