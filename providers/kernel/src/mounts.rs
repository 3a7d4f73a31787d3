//! What is mounted where, as the kernel tells the reading process.

use crate::reader::Reader;

pub(crate) struct Mount {
    pub(crate) path: String,
    pub(crate) kind: String,
    options: String,
}

impl Mount {
    pub(crate) fn options(&self) -> impl Iterator<Item = &str> {
        self.options.split(',')
    }

    pub(crate) fn has(&self, option: &str) -> bool {
        self.options().any(|o| o == option)
    }

    pub(crate) fn option(&self, name: &str) -> Option<&str> {
        self.options()
            .find_map(|o| o.strip_prefix(name)?.strip_prefix('='))
    }
}

pub(crate) fn read(reader: &Reader<'_>) -> Vec<Mount> {
    let direct = reader.text("proc/self/mounts");
    let text = direct
        .or_else(|| reader.text("proc/mounts"))
        .unwrap_or_default();
    text.lines().filter_map(mount).collect()
}

/// `device path kind options 0 0`.
fn mount(line: &str) -> Option<Mount> {
    let mut fields = line.split_whitespace().skip(1);
    Some(Mount {
        path: unescaped(fields.next()?),
        kind: fields.next()?.to_owned(),
        options: fields.next()?.to_owned(),
    })
}

/// The kernel writes blank, tab, newline and backslash in octal: `\040`.
fn unescaped(text: &str) -> String {
    let mut pieces = text.split('\\');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let code = piece
            .get(..3)
            .and_then(|octal| u8::from_str_radix(octal, 8).ok());
        match (code, piece.get(3..)) {
            (Some(code), Some(rest)) => {
                out.push(char::from(code));
                out.push_str(rest);
            }
            _ => {
                out.push('\\');
                out.push_str(piece);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_unescaped() {
        assert_eq!(unescaped(r"/mnt/a\040b\134c"), r"/mnt/a b\c");
        assert_eq!(unescaped(r"/x\9\04"), r"/x\9\04");
    }
}
