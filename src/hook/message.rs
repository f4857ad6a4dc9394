//! The message of a commit as git will keep it: without the comments and the diff that it puts
//! into the editor and takes out again.

/// What git does with lines that begin with the comment sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cleanup {
    /// The message went through an editor; without one, git adds nothing and takes nothing out.
    pub edited: bool,
    /// `commit.cleanup` of git's configuration.
    pub mode: Option<String>,
    /// `core.commentString` or `core.commentChar`; `auto` counts as the usual sign.
    pub comment: Option<String>,
}

/// What the line that ends the message looks like, after the comment sign.
const SCISSORS: &[u8] = b" ------------------------ >8 ------------------------";

impl Cleanup {
    /// `message` with what git will take out replaced by empty lines, so that lines keep their
    /// numbers.
    #[must_use]
    pub fn apply(&self, message: &[u8]) -> Vec<u8> {
        if !self.edited {
            return message.to_vec();
        }
        let comment = self.comment.as_deref().filter(|sign| *sign != "auto" && !sign.is_empty());
        let comment = comment.unwrap_or("#").as_bytes();
        let strips = !matches!(self.mode.as_deref(), Some("verbatim" | "whitespace" | "scissors"));
        let mut kept = Vec::with_capacity(message.len());
        let mut lines = message.split_inclusive(|&byte| byte == b'\n').peekable();
        while let Some(line) = lines.next() {
            let Some(rest) = line.strip_prefix(comment) else {
                kept.extend_from_slice(line);
                continue;
            };
            // Git explains the line in the next one, which tells it from a line somebody wrote.
            let explained = lines.peek().is_some_and(|next| next.starts_with(comment));
            if rest.trim_ascii_end() == SCISSORS && explained {
                break;
            }
            if strips {
                kept.push(b'\n');
            } else {
                kept.extend_from_slice(line);
            }
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(edited: bool, mode: &str, comment: &str, message: &str) -> String {
        let set = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let cleanup = Cleanup { edited, mode: set(mode), comment: set(comment) };
        String::from_utf8(cleanup.apply(message.as_bytes())).unwrap()
    }

    #[test]
    fn what_git_adds_is_taken_out() {
        let scissors = " ------------------------ >8 ------------------------";
        let message = format!("a\n# b\nc\n#{scissors}\n# Do not touch.\ndiff\n");
        assert_eq!(apply(true, "", "", &message), "a\n\nc\n");
        assert_eq!(apply(true, "scissors", "", &message), "a\n# b\nc\n");
        assert_eq!(apply(false, "", "", &message), message);
        let other = format!("a\n; b\n# c\n;{scissors}\n; Do not touch.\ndiff\n");
        assert_eq!(apply(true, "default", ";", &other), "a\n\n# c\n");
        assert_eq!(apply(true, "verbatim", "auto", "a\n# b\n"), "a\n# b\n");
        assert_eq!(apply(true, "whitespace", "", &format!("#{scissors}\nb\n")), format!("#{scissors}\nb\n"));
    }
}
