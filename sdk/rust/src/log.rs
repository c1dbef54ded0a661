//! Lines for the plugin's log.
//!
//! The journal reads the level from a prefix, so that `toru logs --priority warning` finds what it should. What a
//! plugin prints in any other way is logged as well, as [`info`].

use std::fmt::{Display, Write as _};
use std::io::Write as _;

/// The plugin can't do what it is there for.
pub fn error(line: impl Display) {
    write(3, &line);
}

/// Something is not as it should be.
pub fn warning(line: impl Display) {
    write(4, &line);
}

/// Something that is not everyday.
pub fn notice(line: impl Display) {
    write(5, &line);
}

/// Something that is.
pub fn info(line: impl Display) {
    write(6, &line);
}

/// For whoever looks for a mistake.
pub fn debug(line: impl Display) {
    write(7, &line);
}

fn write(level: u8, text: &dyn Display) {
    // In one piece, so that lines of several threads stay whole. Nobody is left to hear of a failure.
    let _ = std::io::stderr().lock().write_all(prefixed(level, &text.to_string()).as_bytes());
}

/// Each line is an entry of its own in the journal, and needs the prefix.
fn prefixed(level: u8, text: &str) -> String {
    text.lines().fold(String::new(), |mut so_far, line| {
        let _ = writeln!(so_far, "<{level}>{line}");
        so_far
    })
}

#[cfg(test)]
mod tests {
    use super::prefixed;

    #[test]
    fn every_line_has_its_level() {
        assert_eq!(prefixed(3, "one\ntwo"), "<3>one\n<3>two\n");
        assert_eq!(prefixed(6, ""), "");
    }
}
