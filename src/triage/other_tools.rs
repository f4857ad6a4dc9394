//! Markers of tools whose users may not want them to mean anything to keycull: they count only where
//! the tool is configured.
//!
//! Apart from the markers that always count, since each one more is a way to overlook something.

/// A marker, and the names of configurations at the root of a repository that make it count.
type Marker = (&'static str, &'static [&'static str]);

const SECRETLINT: &[&str] = &[
    ".secretlintrc",
    ".secretlintrc.json",
    ".secretlintrc.yml",
    ".secretlintrc.yaml",
    ".secretlintrc.js",
    ".secretlintrc.cjs",
];

/// All of them. What they mean is what their tools document: the line they are on, and
/// `…-next-line` the one below.
const MARKERS: [Marker; 5] = [
    ("ggignore", &[".gitguardian.yaml", ".gitguardian.yml"]),
    ("kingfisher:ignore", &["kingfisher.yaml", "kingfisher.yml", ".kingfisher.yaml", ".kingfisher.yml"]),
    ("secretlint-disable-line", SECRETLINT),
    ("secretlint-disable-next-line", SECRETLINT),
    (
        "trufflehog:ignore",
        &[".trufflehogignore", "trufflehog.yaml", "trufflehog.yml", ".trufflehog.yaml", ".trufflehog.yml"],
    ),
];

/// The markers, by name.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    MARKERS.iter().map(|(name, _)| *name)
}

/// Whether `marker` counts only where its tool is configured.
pub(super) fn is_conditional(marker: &str) -> bool {
    names().any(|name| name == marker)
}

/// The markers that count in a repository; `has` tells whether its root has a file of that name.
pub fn markers_in_use(has: impl Fn(&str) -> bool) -> Vec<&'static str> {
    MARKERS.iter().filter(|(_, files)| files.iter().any(|file| has(file))).map(|(name, _)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_counts_where_its_tool_is_configured() {
        assert!(markers_in_use(|_| false).is_empty());
        assert_eq!(markers_in_use(|file| file == ".gitguardian.yml"), ["ggignore"]);
        let both = ["secretlint-disable-line", "secretlint-disable-next-line"];
        assert_eq!(markers_in_use(|file| file == ".secretlintrc.json"), both);
        assert_eq!(markers_in_use(|_| true).len(), MARKERS.len());
        assert!(is_conditional("trufflehog:ignore") && !is_conditional("gitleaks:allow"));
    }
}
