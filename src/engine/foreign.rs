//! Passwords behind the word for it in scripts without capitals or blanks: `默认密码: admin`,
//! `密码为：123456`, `пароль: …`, `비밀번호: …`.
//!
//! Apart from [`literal_value`](super::literal_value), because such words stand inside sentences and
//! not in names, and have signs of their own between them and the value.

use super::value::Value;
use crate::finding::Span;

/// The words; each begins with a byte that ASCII has not.
const WORDS: [&str; 5] = ["密码", "口令", "ароль", "비밀번호", "パスワード"];

/// What may stand between word and value, once.
const SIGNS: [&str; 9] = [":", "：", "=", "是:", "是：", "为:", "为：", "是", "为"];

/// Most blanks and signs of Markdown before the value.
const GAP: usize = 4;

/// Shortest and longest value.
const LENGTHS: std::ops::RangeInclusive<usize> = 4..=64;

/// The word that begins at `at`.
fn word_at(bytes: &[u8], at: usize) -> Option<&'static str> {
    WORDS.into_iter().find(|word| bytes[at..].starts_with(word.as_bytes()))
}

/// The word at `at` and the value behind it.
pub(super) fn right_of(bytes: &[u8], at: usize) -> Option<(Span, Value)> {
    let word = word_at(bytes, at)?;
    let mut i = at + word.len();
    let sign =
        |i: usize| SIGNS.iter().filter(|sign| bytes[i..].starts_with(sign.as_bytes())).map(|s| s.len()).max();
    i += usize::from(bytes.get(i) == Some(&b' '));
    i += sign(i)?;
    let gap = |b: &&u8| matches!(**b, b' ' | b'*');
    i += bytes[i..].iter().take(GAP).take_while(gap).count();
    let quote = bytes.get(i).copied().filter(|&b| b == b'`');
    i += usize::from(quote.is_some());
    let inner = |b: &&u8| (0x21..0x7F).contains(*b) && !b"\"'`<>,;()[]{}\\".contains(b);
    let len = bytes[i..].iter().take(LENGTHS.end() + 1).take_while(inner).count();
    let end = i + len;
    let text = bytes[i..end].trim_ascii_end();
    let text = text.strip_suffix(b"**").unwrap_or(text);
    // `user/password`
    let start = match text.iter().position(|&b| b == b'/') {
        Some(slash) if !text[slash + 1..].contains(&b'/') => i + slash + 1,
        _ => i,
    };
    let value = Value { start, end: i + text.len(), quote: None };
    let closed = match quote {
        Some(quote) => bytes.get(end) == Some(&quote),
        None => !matches!(bytes.get(end), Some(b'(' | b'[' | b'{' | b'\\')),
    };
    let fits = LENGTHS.contains(&(value.end.saturating_sub(value.start)));
    (closed && fits).then_some((Span::new(at, at + word.len()), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<String> {
        let at = WORDS.iter().find_map(|word| text.find(word)).unwrap();
        let (_, value) = right_of(text.as_bytes(), at)?;
        Some(String::from_utf8_lossy(value.of(text.as_bytes())).into_owned())
    }

    #[test]
    fn values_in_sentences_and_lists() {
        for text in [
            "- 默认密码: `V!1x`",
            "登录账号密码：`root/V!1x`",
            "# 启动redis服务并添加密码为：V!1x,默认不开启",
            "密码是V!1x",
            "Пароль: V!1x",
            "비밀번호: **V!1x**",
            "パスワード = V!1x",
            "// 密码:V!1x",
        ] {
            assert_eq!(found(text).as_deref(), Some("V!1x"), "{text}");
        }
    }

    #[test]
    fn labels_and_messages_have_none() {
        for text in [
            "<label>密码：</label>",
            "placeholder=\"请输入密码\"",
            "\"密码:\" + password",
            "密码错误",
            "密码不能为空",
            "密码: getPassword()",
            "密码：${password}",
            "密码: ab",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
