//! The repository a report speaks of.

/// Where the scanned content comes from, for tools that link to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepositoryInfo {
    /// URL of the repository as configured (`https://…` or `git@host:path`).
    pub uri: Option<String>,
    /// Commit that was scanned, full hexadecimal name.
    pub revision: Option<String>,
    /// Branch that was scanned, short name.
    pub branch: Option<String>,
}

impl RepositoryInfo {
    /// The URL in a form that may be published: absolute, without user name and password.
    ///
    /// `git@host:path` becomes `ssh://host/path`. None for local paths and anything else.
    #[must_use]
    pub fn public_uri(&self) -> Option<String> {
        let uri = self.uri.as_deref()?.trim();
        if let Some((scheme, rest)) = uri.split_once("://") {
            let known = ["https", "http", "ssh", "git"].contains(&scheme.to_ascii_lowercase().as_str());
            let rest = rest.split(['?', '#']).next().unwrap_or_default();
            let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = authority.rsplit('@').next().unwrap_or_default();
            return (known && is_plain(host) && is_plain(path) && !host.is_empty())
                .then(|| format!("{}://{host}/{path}", scheme.to_ascii_lowercase()));
        }
        let (host, path) = uri.split_once(':')?;
        let host = host.rsplit('@').next().unwrap_or_default();
        // One letter is a Windows drive.
        let fits = host.len() > 1 && !host.contains('/') && is_plain(host) && is_plain(path);
        fits.then(|| format!("ssh://{host}/{}", path.trim_start_matches('/')))
    }

    /// Page of a commit, for hosts whose addresses are known.
    pub(super) fn commit_page(&self, id: &str) -> Option<String> {
        let uri = self.public_uri()?;
        let path = ["https://github.com/", "ssh://github.com/"].iter().find_map(|at| uri.strip_prefix(at))?;
        let path = path.trim_end_matches('/').trim_end_matches(".git");
        (path.split('/').count() == 2).then(|| format!("https://github.com/{path}/commit/{id}"))
    }
}

/// Whether `part` can stand in a URI as it is.
fn is_plain(part: &str) -> bool {
    part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~/%:+,@!$&()*;=[]".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(uri: &str) -> Option<String> {
        RepositoryInfo { uri: Some(uri.to_owned()), ..RepositoryInfo::default() }.public_uri()
    }

    #[test]
    fn credentials_never_stay_in_the_url() {
        assert_eq!(
            public("https://user:pass@example.org/a/b.git").as_deref(),
            Some("https://example.org/a/b.git")
        );
        assert_eq!(public("https://example.org/a?token=x").as_deref(), Some("https://example.org/a"));
        assert_eq!(public("git@example.org:a/b.git").as_deref(), Some("ssh://example.org/a/b.git"));
    }

    #[test]
    fn what_is_no_public_address_is_left_out() {
        for odd in ["/srv/git/a", "../a", "C:/a", "file:///srv/a", "https://", "https://a b/c"] {
            assert_eq!(public(odd), None, "{odd}");
        }
    }

    #[test]
    fn only_known_hosts_have_commit_pages() {
        let at = |uri: &str| RepositoryInfo { uri: Some(uri.to_owned()), ..RepositoryInfo::default() };
        let page = at("git@github.com:o/r.git").commit_page("abc");
        assert_eq!(page.as_deref(), Some("https://github.com/o/r/commit/abc"));
        assert_eq!(at("https://example.org/o/r").commit_page("abc"), None);
    }
}
