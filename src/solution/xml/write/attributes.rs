//! The attributes of start tags, and the declarations of namespaces among them.

use crate::solution::xml::escape::{push_attribute, reference};
use crate::solution::xml::scan::Attributes;
use crate::solution::xml::{Fault, XSI};

use super::{Namespaces, Writer};

impl<'t> Writer<'t> {
    /// Writes the attributes of a start tag; returns a prefix that was made up.
    pub(super) fn attributes(
        &mut self,
        raw: &'t str,
        at: usize,
        namespaces: Namespaces<'_>,
    ) -> Result<Option<String>, Fault> {
        let mut list = Attributes::new(raw, at);
        let mut seen: Vec<&str> = Vec::new();
        let mut invented = None;
        let mut declared = false;
        while let Some((name, value)) = list.next()? {
            if seen.contains(&name) {
                return Err(list.fault(&format!("the attribute `{name}` stands twice")));
            }
            seen.push(name);
            if let Namespaces::Fold(root) = namespaces
                && root.contains(&(name, value))
            {
                continue;
            }
            if name == "xml:space" {
                self.preserve = value == "preserve";
            }
            self.out.push(' ');
            match name.strip_prefix("xsi:").filter(|_| self.invent) {
                Some(local) => {
                    let (prefix, new) = self.prefix_for_xsi(invented.take());
                    declared |= new;
                    self.out.push_str(&prefix);
                    self.out.push(':');
                    self.out.push_str(local);
                    invented = Some(prefix);
                }
                None => self.out.push_str(name),
            }
            self.out.push_str("=\"");
            self.attribute_value(value, &list)?;
            self.out.push('"');
        }
        if let Namespaces::Declare(root) = namespaces {
            self.declare(root, &seen);
        }
        match (declared, invented) {
            (true, Some(prefix)) => {
                self.out.push_str(&format!(" xmlns:{prefix}=\"{XSI}\""));
                Ok(Some(prefix))
            }
            _ => Ok(None),
        }
    }

    /// The prefix for the instance namespace here, and whether it must be declared.
    ///
    /// .NET counts the elements that are open, this one included.
    fn prefix_for_xsi(&self, made: Option<String>) -> (String, bool) {
        if let Some(prefix) = made {
            return (prefix, true);
        }
        match self.invented.last() {
            Some((_, prefix)) => (prefix.clone(), false),
            None => (format!("p{}", self.frames.len() + 1), true),
        }
    }

    fn attribute_value(&mut self, raw: &str, list: &Attributes<'_>) -> Result<(), Fault> {
        let mut rest = raw;
        loop {
            let plain = rest
                .bytes()
                .position(|byte| matches!(byte, b'&' | b'>' | b'"' | b'\n' | b'\r' | b'\t'))
                .unwrap_or(rest.len());
            self.out.push_str(&rest[..plain]);
            rest = &rest[plain..];
            let Some(special) = rest.bytes().next() else {
                return Ok(());
            };
            match special {
                b'&' => {
                    let (c, length) =
                        reference(rest, 0).map_err(|fault| list.fault(&fault.reason))?;
                    push_attribute(&mut self.out, c);
                    rest = &rest[length..];
                }
                // A literal line break is read as one space, a tab too.
                b'\n' | b'\t' | b'\r' => {
                    self.out.push(' ');
                    rest = rest.strip_prefix("\r\n").unwrap_or(&rest[1..]);
                }
                other => {
                    push_attribute(&mut self.out, char::from(other));
                    rest = &rest[1..];
                }
            }
        }
    }

    /// Writes declarations as attributes, unless they are among those already written.
    pub(super) fn declare(&mut self, root: &[(&str, &str)], seen: &[&str]) {
        for (name, value) in root.iter().filter(|(name, _)| !seen.contains(name)) {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            self.out.push_str(value);
            self.out.push('"');
        }
    }

    /// Forgets what was made up inside of so many open elements.
    pub(super) fn forget_prefixes(&mut self, opened: usize) {
        while self.invented.last().is_some_and(|(at, _)| *at >= opened) {
            self.invented.pop();
        }
    }
}
