//! Addresses of self-hosted installations: given by the operator, never read from scanned text.

/// `https://host[:port][/path]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Host name, lower case.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Path without a slash at the end; empty or starts with one.
    pub path: String,
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    ///
    /// Anything but `https://host[:port][/path]`, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bad = |why: &str| format!("`{text}` {why}; write https://host or https://host:port/path");
        let rest = text.strip_prefix("https://").ok_or_else(|| bad("does not start with https://"))?;
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| bad("has a bad port"))?),
            None => (authority, 443),
        };
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'/' | b'~');
        let host_ok = !host.is_empty()
            && host.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.'))
            && !host.starts_with(['.', '-'])
            && !host.ends_with(['.', '-']);
        if !host_ok {
            return Err(bad("has no plain lower-case host name"));
        }
        if !path.bytes().all(plain) || path.split('/').any(|part| part == "." || part == "..") {
            return Err(bad("has an odd path"));
        }
        Ok(Self { host: host.to_owned(), port, path: path.trim_end_matches('/').to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn addresses_are_https_and_plain() {
        let address = Address::parse("https://gitlab.example:8443/git/").expect("is one");
        assert_eq!(
            (address.host.as_str(), address.port, address.path.as_str()),
            ("gitlab.example", 8443, "/git")
        );
        for bad in [
            "http://a.example",
            "https://",
            "https://a@b.example",
            "https://a.example/../x",
            "https://a.example?x",
            "https://a.example#x",
            "https://A.example",
            "https://a.example:99999",
            "https://[::1]",
        ] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
    }
}
