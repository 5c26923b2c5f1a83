//! How large a text becomes when it is written with indentation.
//!
//! Two spaces for each level are little, unless somebody nests hundreds of levels and puts millions
//! of empty elements at the bottom: then four bytes become a thousand.

use rayon::prelude::*;

use super::Fault;
use super::scan::{Scanner, Token};

/// A bound for the size of a text when it is indented, line ends of two bytes included.
///
/// `enough` is what may come out anyway: below it the text is not read.
pub(crate) fn indented_size(text: &str, deepest: u64, enough: u64) -> Result<u64, Fault> {
    let tags: usize = text
        .as_bytes()
        .par_chunks(1 << 20)
        .map(|piece| memchr::memchr_iter(b'<', piece).count())
        .sum();
    let tags = tags as u64;
    let most = line(deepest).saturating_mul(tags);
    let size = text.len() as u64;
    if size.saturating_add(most) <= enough {
        return Ok(size.saturating_add(most));
    }
    let mut scanner = Scanner::new(text, 0..text.len(), deepest);
    let (mut depth, mut added) = (0u64, 0u64);
    // Whether an end tag stands in a line of its own.
    let mut own_line = false;
    while let Some(token) = scanner.next()? {
        match token {
            Token::Start(tag) => {
                added += line(depth);
                own_line = tag.empty;
                depth += u64::from(!tag.empty);
            }
            Token::End { .. } => {
                depth = depth.saturating_sub(1);
                if own_line {
                    added += line(depth);
                }
                own_line = true;
            }
            _ => {}
        }
    }
    Ok(size.saturating_add(added))
}

/// Bytes before a tag that stands in a line of its own.
fn line(depth: u64) -> u64 {
    depth.saturating_mul(2).saturating_add(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_what_is_written_or_little_more() {
        let text = "<a><b><c/><c/></b><d>x</d></a>";
        let lines = "\r\n<a>\r\n  <b>\r\n    <c/>\r\n    <c/>\r\n  </b>\r\n  <d>x</d>\r\n</a>";
        assert_eq!(indented_size(text, 10, 0), Ok(lines.len() as u64));
        assert!(indented_size(text, 10, 1000).unwrap() >= lines.len() as u64);
    }
}
